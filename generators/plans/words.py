"""Strategies in words: ``tp8_sp_pp2``, ``tp4_sp_dp8_ep32``, ``cp16_ulysses4``, ``attn:dp4|moe:ep8``."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from dagtool.errors import CollectedError, DagtoolError, did_you_mean
from dagtool.generators.plans.plan import Note, Plan

__all__ = ["WORDS", "Word", "are_words", "parse_words"]


class Word(NamedTuple):
    """One word of a strategy: its spellings, whether a number stands behind it, what it says."""

    spellings: tuple[str, ...]
    number: bool | None
    """None: a number may stand there."""
    meaning: str

    @property
    def name(self) -> str:
        """The usual spelling."""
        return self.spellings[0]


WORDS = (
    Word(("tp",), True, "tensor parallel: heads, feed-forward columns and vocabulary are cut over N ranks"),
    Word(("sp",), False, "sequence parallel: outside attention and MLP the tensor parallel ranks share the tokens"),
    Word(("dp",), True, "data parallel: N groups of ranks run sequences of their own"),
    Word(("pp",), True, "pipeline parallel: N stages"),
    Word(("vpp", "v"), True, "interleaved pipeline: N chunks of layers for each stage"),
    Word(("cp",), True, "context parallel: N ranks share a sequence; keys and values are gathered"),
    Word(("ulysses", "u"), True, "of the ranks of cp (or as many more), N share heads inside attention instead"),
    Word(("ring",), False, "context parallel ranks pass keys and values round"),
    Word(("ep",), True, "expert parallel: whole experts are spread over N ranks"),
    Word(("etp",), True, "expert tensor parallel: each expert is cut over N ranks"),
    Word(("red",), True, "redundant experts: N further copies of experts in each layer"),
    Word(("dcp",), True, "decode context parallel: N ranks of tp keep the cache of other tokens each"),
    Word(("fsdp", "zero3"), None, "parameters are stored in parts over data parallel ranks and gathered before use"),
)
_BY_SPELLING = {spelling: word for word in WORDS for spelling in word.spellings}
_TOKEN = re.compile(r"([a-z]+)([0-9]*)\Z")
_MODULES = {"attn": "attention", "attention": "attention", "moe": "experts", "experts": "experts", "ffn": "experts"}
_MOST = 1 << 20
Degrees = dict[str, int]


def are_words(text: str) -> bool:
    """Return whether a text looks like a strategy in words, right or wrong: one of its parts is a known word."""
    if not re.fullmatch(r"[a-z0-9_:|]+", text):
        return False
    matches = [_TOKEN.match(token.rpartition(":")[2]) for token in re.split(r"[_|]", text)]
    known = [match for match in matches if match and match[1] in _BY_SPELLING]
    return bool(known) and any(match[2] or _BY_SPELLING[match[1]].number is False for match in known)


def parse_words(text: str) -> Plan:
    """Return the plan that words describe. Raises DagtoolError naming every word that is wrong."""
    errors: list[DagtoolError] = []
    parts: dict[str, Degrees] = {}
    for part in text.split("|"):
        module, colon, words = part.rpartition(":")
        if colon and module not in _MODULES:
            hint = did_you_mean(module, list(_MODULES)) or "like attn:dp4|moe:ep8"
            errors.append(DagtoolError(f"{text}: {module!r} is no part of a model that has degrees of its own", hint))
            continue
        name = _MODULES.get(module, "")
        if name in parts:
            errors.append(DagtoolError(f"{text}: {module or part!r} is given twice", "leave one out"))
        parts[name] = _degrees(text, words, errors)
    if errors:
        raise errors[0] if len(errors) == 1 else CollectedError(errors)
    if set(parts) == {""}:
        return _plan(text, parts[""])
    return _plan_of_modules(text, parts)


def _degrees(text: str, words: str, errors: list[DagtoolError]) -> Degrees:
    found: Degrees = {}
    for token in words.split("_"):
        match = _TOKEN.match(token)
        word = _BY_SPELLING.get(match[1]) if match else None
        if match is None or word is None:
            near = did_you_mean(match[1] if match else token, list(_BY_SPELLING))
            errors.append(DagtoolError(f"{text}: {token!r} is no word of a strategy", near or _known()))
        elif bool(match[2]) != word.number and word.number is not None:
            example = f"{word.name}8" if word.number else word.name
            errors.append(DagtoolError(f"{text}: {token!r} {'needs a' if word.number else 'takes no'} number", example))
        elif match[2] and not 0 < int(match[2]) <= _MOST:
            errors.append(DagtoolError(f"{text}: {token!r} counts ranks", f"a number from 1 to {_MOST:,}"))
        elif word.name in found:
            errors.append(DagtoolError(f"{text}: {word.name} is given twice", "leave one out"))
        else:
            found[word.name] = int(match[2] or 0)
    return found


def _known() -> str:
    return "words: " + ", ".join(f"{word.name}{'' if word.number is False else 'N'}" for word in WORDS)


def _plan(text: str, found: Degrees) -> Plan:
    """The plan of words that name no module."""
    tensor, context, ulysses = found.get("tp", 1), found.get("cp", 1), found.get("ulysses", 1)
    if "cp" in found and ulysses > 1:
        if context % ulysses:
            raise DagtoolError(f"{text}: ulysses{ulysses} does not divide cp{context}", "cp counts all of these ranks")
        context //= ulysses
    sharded = found.get("fsdp") or found.get("dp", 0)
    if "dp" in found and sharded != found["dp"]:
        raise DagtoolError(f"{text}: dp{found['dp']} and fsdp{sharded} differ", "one of them says how many ranks")
    if "fsdp" in found and not sharded and "ep" not in found and context * ulysses == 1:
        why = f"{text}: fsdp stores parameters over data parallel ranks, and there is one"
        raise DagtoolError(why, "add dp, or fsdpN")
    data = sharded or None
    notes: tuple[Note, ...] = ()
    share = tensor * context * ulysses
    expert, expert_tensor = found.get("ep", 1), found.get("etp", 0)
    if "ep" not in found and "etp" not in found:
        data, expert_tensor = data or 1, tensor
    elif data is None:
        expert_tensor = expert_tensor or tensor
        if (expert * expert_tensor) % share:
            raise DagtoolError(
                f"{text}: {expert} x {expert_tensor} ranks of experts are not a multiple of the {share} ranks of"
                " attention",
                "ep x etp counts the same ranks as dp x cp x tp",
            )
        data = expert * expert_tensor // share
    else:
        ranks = (data or 1) * share
        chosen = expert_tensor or next((one for one in (tensor, 1) if ranks % (expert * one) == 0), 1)
        if ranks % (expert * chosen):
            raise DagtoolError(
                f"{text}: ep{expert} x etp{chosen} does not divide the {ranks} ranks of dp x cp x tp",
                "experts lie on the same ranks as attention",
            )
        if not expert_tensor and tensor > 1:
            how = "each expert is cut over the tensor parallel ranks" if chosen > 1 else "every expert is whole"
            notes = (Note(f"{how}: etp{chosen} is not given"),)
        expert_tensor = chosen
    plan = Plan(
        data=data or 1,
        context=context,
        ulysses=ulysses,
        tensor=tensor,
        pipeline=found.get("pp", 1),
        ring="ring" in found,
        sequence="sp" in found,
        cache_context=found.get("dcp", 1),
        redundant=found.get("red", 0),
        expert=expert,
        expert_tensor=expert_tensor,
        notes=notes,
    )
    _check(text, found, plan)
    return replace(plan, virtual=found.get("vpp", 1), fully_sharded="fsdp" in found)


def _check(text: str, found: Degrees, plan: Plan) -> None:
    """Check combinations of words."""
    if plan.sequence and plan.tensor == 1:
        raise DagtoolError(f"{text}: sp shares tokens among tensor parallel ranks, and there is one", "add tp")
    if plan.ring and plan.context == 1:
        raise DagtoolError(f"{text}: ring needs ranks that share a sequence", "add cp")
    if "vpp" in found and plan.pipeline == 1:
        raise DagtoolError(f"{text}: vpp gives each stage several chunks, and there is one stage", "add pp")
    if plan.tensor % plan.cache_context:
        raise DagtoolError(
            f"{text}: dcp{plan.cache_context} does not divide tp{plan.tensor}", "it cuts the cache over ranks of tp"
        )
    if plan.gpus > _MOST:
        raise DagtoolError(f"{text}: {plan.gpus:,} GPUs", f"at most {_MOST:,}")


def _plan_of_modules(text: str, parts: dict[str, Degrees]) -> Plan:
    """The plan of ``attn:…|moe:…``: on the same GPUs where both have as many, else on GPUs of their own."""
    attention = {**parts.get("", {}), **parts.get("attention", {})}
    experts = parts.get("experts", {})
    if "attention" not in parts or "experts" not in parts:
        raise DagtoolError(f"{text}: degrees of one part only", "give both, like attn:dp4|moe:ep8")
    if wrong := [word for word in experts if word not in ("ep", "tp", "etp", "red")]:
        raise DagtoolError(f"{text}: {wrong[0]} does not apply to experts", "experts have ep, and tp inside each")
    if wrong := [word for word in attention if word in ("ep", "etp")]:
        raise DagtoolError(f"{text}: {wrong[0]} does not apply to attention", "write it behind moe:")
    cut = experts.get("etp", experts.get("tp", 1))
    plan = _plan(text, {"dp": 1, **attention})
    ranks = experts.get("ep", 1) * cut
    if plan.stage_ranks % ranks == 0 and plan.stage_ranks == ranks:
        return replace(plan, expert=experts.get("ep", 1), expert_tensor=cut, redundant=experts.get("red", 0))
    if plan.pipeline > 1:
        raise DagtoolError(
            f"{text}: attention has {plan.stage_ranks} ranks and experts {ranks}", "with pp both need as many"
        )
    where = f"attention on {plan.stage_ranks} GPUs, experts on {ranks} others"
    return replace(plan, expert=experts.get("ep", 1), expert_tensor=cut, apart=True, notes=(*plan.notes, Note(where)))
