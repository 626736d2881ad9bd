"""Dimensions as people write them: ``8×[batch_size=128, hidden=4096/8]``, ``Q=[B,S,H], K=[B,S,H]``, ``tokens=?``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

__all__ = [
    "DIMENSION_WORDS",
    "Dim",
    "Shape",
    "ValueKind",
    "canonical",
    "is_dimension_word",
    "is_size",
    "parse_dim",
    "parse_shapes",
]


class ValueKind(StrEnum):
    """What stands for the size of one dimension."""

    INT = "int"
    EXPRESSION = "expression"
    SYMBOL = "symbol"
    RANGE = "range"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Dim:
    """One dimension: its folded name (empty if it has none), the text of its size, its value where it is a number."""

    name: str
    text: str
    kind: ValueKind
    value: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """An ordered list of dimensions: a name may occur twice.

    ``count`` is the 8 of ``8×[512]``, ``name`` the Q of ``Q=[…]``.
    """

    dims: tuple[Dim, ...]
    count: int = 1
    name: str = ""

    @property
    def values(self) -> tuple[int, ...] | None:
        """The sizes, if every one is a number."""
        found = tuple([dim.value for dim in self.dims if dim.value is not None])
        return found if len(found) == len(self.dims) else None

    @property
    def size(self) -> int | None:
        """Number of elements, the repetitions counted."""
        values = self.values
        return None if values is None else math.prod(values) * self.count

    @property
    def measure(self) -> tuple[int, tuple[str, ...]] | None:
        """The elements of one repetition: product of the numbers, and the symbols; None where a size is unknown."""
        number, symbols = 1, []
        for dim in self.dims:
            if dim.value is not None:
                number *= dim.value
            elif dim.kind in (ValueKind.SYMBOL, ValueKind.EXPRESSION):
                symbols.append(dim.text)
            else:
                return None
        return number, tuple(sorted(symbols))

    def __str__(self) -> str:
        inner = ", ".join(f"{dim.name}={dim.text}" if dim.name else dim.text for dim in self.dims)
        return f"{f'{self.count}×' if self.count > 1 else ''}[{inner}]"


_SYNONYMS = {
    "batch_size": "batch_size batch bs b batchsize",
    "seq_len": "seq_len seq l s seqlen sequence sequence_length seq_length",
    "hidden": "hidden hidden_size hidden_dim d_model dim token_dim embed_dim embedding_dim model_dim h_dim dmodel",
    "heads": "heads num_heads n_heads head",
    "d_k": "d_k head_dim dk d_head",
    "ffn": "ffn ffn_hidden ffn_hidden_size ffn_hidden_dim ffn_dim intermediate_size mlp_hidden mlp_hidden_size",
    "vocab_size": "vocab_size vocab v",
    "experts": "experts num_experts n_experts expert",
    "top_k": "top_k topk k",
}
_CANONICAL = {word: name for name, words in _SYNONYMS.items() for word in words.split()}


DIMENSION_WORDS = frozenset(_CANONICAL) | {"tokens", "vocabulary", "width", "channels", "variable", "dynamic"}
"""Words that stand for a dimension also where they stand alone in brackets."""


def canonical(name: str) -> str:
    """The one name for all synonyms of a dimension; a name nobody knows is kept, in small letters."""
    low = name.strip().lower()
    return _CANONICAL.get(low, low)


_NAME = re.compile(r"\w[\w ./×*+-]*+\Z")
_MULTIPLE = re.compile(r"(\d{1,9})\s*[×x*]\s*([A-Za-z_]\w*)\Z")
_NAME_LAST = re.compile(r"(\d{1,15})\s+([A-Za-z_]\w*)\Z")
_INT = re.compile(r"\d{1,15}\Z")
_RANGE = re.compile(r"\d+\s*[-–]\s*\d+\Z")
_SYMBOL = re.compile(r"[A-Za-z_][\w.]*(?: tokens)?\Z|\d+(?:\.\d+)?[KMGkmgBb]\Z")
_ARITHMETIC = re.compile(r"[\w\s()*×x/+.÷-]{1,60}\Z")
_PROSE = re.compile(r"(?<!\w)\d*+[^\W\d]\w++ ++(?!x )[^\W\d]\w|\d ++(?!x )[^\W\d]\w")
_TOKEN = re.compile(r"\d+|[()*/+-]")
_APPROXIMATE = "~≈"


def parse_dim(text: str) -> Dim:
    """One dimension, ``heads=16`` or ``16`` or ``tokens``."""
    text = text.strip()
    if last := _NAME_LAST.match(text):
        return Dim(canonical(last[2]), last[1], ValueKind.INT, int(last[1]))
    before, _, after = text.partition("=")
    named = after and _NAME.match(before.rstrip())
    name, value = (canonical(before), after.strip()) if named else ("", text)
    if multiple := _MULTIPLE.match(name):  # 3×heads=16
        name, value = canonical(multiple[2]), f"{multiple[1]}×{value}"
    elif name and not name[0].isalpha() and name[0] != "_":
        # A reckoning and its result, 8×32=256; or prose: 7 layers with TP=8.
        name, value = "", text if _PROSE.search(name) else value
    kind, number = _value(value)
    return Dim(name, value, kind, number)


def _value(text: str) -> tuple[ValueKind, int | None]:
    if _INT.match(text):
        return ValueKind.INT, int(text)
    if not text or "?" in text or text[0] in _APPROXIMATE:
        return ValueKind.UNKNOWN, None
    if _RANGE.match(text):
        return ValueKind.RANGE, None
    if _SYMBOL.match(text):
        return ValueKind.SYMBOL, None
    if _ARITHMETIC.match(text) and not _PROSE.search(text) and any(sign in text for sign in "*×/+-÷x"):
        return ValueKind.EXPRESSION, _evaluate(text)
    return ValueKind.UNKNOWN, None


def _evaluate(text: str) -> int | None:
    """The value of an expression of numbers; None if it has symbols or is no whole number."""
    plain = re.sub(r"(?<=[\d\s)])x(?=[\d\s(])", "*", text.replace("×", "*").replace("÷", "/"))
    tokens = _TOKEN.findall(plain)
    if "".join(tokens) != re.sub(r"\s", "", plain) or any(len(token) > 15 for token in tokens):
        return None
    try:
        value = _sum(tokens)
    except (IndexError, ValueError, ZeroDivisionError):
        return None
    return int(value) if not tokens and value.denominator == 1 and value >= 0 else None


def _sum(tokens: list[str]) -> Fraction:
    value = _product(tokens)
    while tokens and tokens[0] in "+-":
        sign = tokens.pop(0)
        right = _product(tokens)
        value = value + right if sign == "+" else value - right
    return value


def _product(tokens: list[str]) -> Fraction:
    value = _atom(tokens)
    while tokens and tokens[0] in "*/":
        sign = tokens.pop(0)
        right = _atom(tokens)
        value = value * right if sign == "*" else value / right
    return value


def _atom(tokens: list[str]) -> Fraction:
    token = tokens.pop(0)
    if token == "(":
        value = _sum(tokens)
        if tokens.pop(0) != ")":
            raise ValueError
        return value
    return Fraction(int(token))


_BRACKETS = re.compile(r"\[(?P<inner>[^\[\]]*+)\](?:\s*+\(?[×x*]\s*+(?P<after>\d{1,9})(?![\w\[])\)?)?")
# What stands before a bracket, read backwards from it: `Q, K = 8 ×` as `× 8 = K ,Q`.
_BEFORE = re.compile(
    r"\s*+(?:[×x*]\s*+(?P<before>\d{1,9}))?+(?:\s*+[=:]\s*+(?P<name>[A-Z](?:\s?,\s?[A-Z])++|\w*[A-Za-z_]))?+"
)
_SPACED = re.compile(r"\s*+\d++(?:\s++\d++)++\s*+\Z")
_FACTOR = re.compile(r"\s*+\w++(?:\s++x\s++\w++)*+\s*+\Z")
_TIMES = re.compile(r"(?<!\s)\s*+×\s*+|(?<=\d)\s*+x\s*+(?=\d)")
_FILL = re.compile(r"^[\s,;.]++|(?<![\s,;.])[\s,;.]++\Z")
_ENTRY = re.compile(r"\s*+[A-Za-z_]\w*+\s*+=[^,=]++\Z")


_OF_A_PRODUCT = "mnk"
_SHORT = {"h": "heads", "d": "d_k"}


def _resolved(dims: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The letters ``h`` and ``d`` by what stands beside them: heads and their size where both are, else hidden."""
    names = {dim.name for dim in dims}
    if not names & _SHORT.keys():
        return dims
    of_heads = _SHORT.keys() <= names or bool(names & {"heads", "d_k", "hidden"})
    return tuple(
        Dim(_SHORT[dim.name] if of_heads else "hidden", dim.text, dim.kind, dim.value) if dim.name in _SHORT else dim
        for dim in dims
    )


def parse_shapes(text: str) -> tuple[tuple[Shape, ...], str]:
    """Every shape in a piece of text, and the text that is no shape."""
    if "[" not in text:
        entries = text.split(",")
        if len(entries) > 1 and all(map(_ENTRY.match, entries)):
            return (Shape(_resolved(tuple(map(parse_dim, entries)))),), ""
        return (), _FILL.sub("", text)
    shapes: list[Shape] = []
    rest: list[str] = []
    end = last = 0
    index_end = -1
    for found in _BRACKETS.finditer(text):
        between = text[last : found.start()]
        last = found.end()
        dims = tuple(parse_dim(part) for part in _parts(found["inner"]) if part.strip())
        if not dims or not (all(map(_is_dim, dims)) or any(map(_is_sure, dims))):
            continue
        if found.start() == index_end or _is_index(between, dims):
            index_end = found.end()  # the next bracket of `rows[0][1]` is one too
            continue
        count, name, length = _said_before(between)
        rest.append(text[end : found.start() - length])
        end = last
        shapes.append(Shape(_resolved(dims), int(count or found["after"] or 1), name))
    rest.append(text[end:])
    return tuple(shapes), " ".join(filter(None, (_FILL.sub("", piece) for piece in rest)))


def _parts(inner: str) -> list[str]:
    """The dimensions between two brackets: ``8 16``, ``8×16``, ``8, 16``."""
    if _SPACED.match(inner):
        return inner.split()
    factors = _TIMES.split(inner)
    return factors if len(factors) > 1 and all(map(_FACTOR.match, factors)) else inner.split(",")


def _said_before(between: str) -> tuple[str, str, int]:
    """The count and the name right before a bracket, empty where there is none, and how long they are."""
    found = _BEFORE.match(between[::-1])
    if found is None or not (found["before"] or found["name"]):
        return "", "", 0
    return (found["before"] or "")[::-1], (found["name"] or "")[::-1], found.end()


def _is_sure(dim: Dim) -> bool:
    """Whether this is a dimension beyond doubt: beside it ``top-2 experts`` is one too, of unknown size."""
    return dim.kind is ValueKind.INT or (bool(dim.name) and dim.kind is not ValueKind.UNKNOWN)


def _is_index(before: str, dims: tuple[Dim, ...]) -> bool:
    """Whether brackets right behind a word are an index or a type, as in ``rows[0]`` and ``dict[str, int]``.

    A name of capitals is a tensor's: ``Q[8, 64]``.
    """
    if not before[-1:].isalnum() and before[-1:] not in ("_", "]", ")"):
        return False
    if any(dim.name for dim in dims) or before[-1].isupper():
        return False
    return len(dims) == 1 or not any(dim.kind is ValueKind.INT for dim in dims)


def is_size(dim: Dim) -> bool:
    """Whether a dimension without a name can be a size: ``Berlin``, ``a-z`` and ``0`` are none."""
    match dim.kind:
        case ValueKind.INT:
            return dim.value != 0
        case ValueKind.EXPRESSION:
            return "-" not in dim.text
        case ValueKind.SYMBOL:
            return _is_symbol(dim.text)
        case ValueKind.UNKNOWN:
            return "?" in dim.text or dim.text[:1] in _APPROXIMATE
        case ValueKind.RANGE:
            return False


def _is_symbol(text: str) -> bool:
    """Whether a word stands for a size: one that is known, a capital letter, a name of several words, ``10K``."""
    if is_dimension_word(text) or text in _OF_A_PRODUCT or text[0].isdigit():
        return True
    return text.isupper() if len(text) == 1 else "_" in text.strip("_")


def is_dimension_word(text: str) -> bool:
    """Whether a word or letter is the name of a dimension."""
    return text.lower() in DIMENSION_WORDS or text.lower() in _SHORT


def _is_dim(dim: Dim) -> bool:
    """Whether this can be a dimension: ``[tokens 32:48 of all]`` is prose."""
    if dim.text and not any(map(str.isalnum, dim.text)) and "?" not in dim.text:
        return False  # `[-]` is a mark
    if dim.kind is not ValueKind.UNKNOWN or dim.name or not dim.text:
        return True
    return "?" in dim.text or dim.text[0] in _APPROXIMATE
