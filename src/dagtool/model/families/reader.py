"""The fields of a configuration, and which of them a family has read: none may be overlooked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.model.limits import MOST_LAYERS

__all__ = ["IGNORED", "Reader"]

IGNORED: Mapping[str, str] = {
    "names": "architectures auto_map transformers_version tokenizer_class name_or_path unsloth_version unsloth_fixed",
    "tokens": "bos_token_id eos_token_id pad_token_id sep_token_id decoder_start_token_id image_token_index "
    "bos_token eos_token boi_token_index eoi_token_index",
    "training": "attention_dropout hidden_dropout attn_pdrop resid_pdrop embd_pdrop classifier_dropout dropout "
    "initializer_range router_aux_loss_coef router_jitter_noise aux_loss_alpha seq_aux use_mambapy "
    "gradient_checkpointing",
    "outputs": "output_attentions output_hidden_states output_router_logits return_dict id2label label2id "
    "problem_type task_specific_params num_labels",
    "how it is run": "use_cache cache_implementation attn_implementation chunk_size_feed_forward pretraining_tp "
    "ep_size torchscript use_bfloat16 reorder_and_upcast_attn experts_implementation",
    "how tokens are chosen": "length_penalty max_length min_length num_beam_groups num_beams num_return_sequences "
    "repetition_penalty temperature top_k top_p typical_p do_sample early_stopping diversity_penalty bad_words_ids "
    "no_repeat_ngram_size encoder_no_repeat_ngram_size exponential_decay_length_penalty forced_bos_token_id "
    "forced_eos_token_id suppress_tokens begin_suppress_tokens remove_invalid_values output_scores",
    "length it was trained for": "max_position_embeddings model_max_length initial_context_length n_ctx",
    "parts that the next token does not pass": "num_nextn_predict_layers num_mtp_layers summary_type summary_use_proj "
    "summary_activation summary_proj_to_labels summary_first_dropout",
    "another field says it": "qk_head_dim",
}
"""Fields that do not change what inference computes, by the reason."""

_IGNORED = frozenset(name for names in IGNORED.values() for name in names.split())
_REQUIRED = object()


class Reader:
    """Gives fields by name and type, and remembers which were asked for. A null counts as absent."""

    def __init__(self, fields: Mapping[str, Any], place: str, text: str = "", *, within: str = "") -> None:
        self._fields = fields
        self._place = place
        self._text = text
        self._within = within
        self._asked: set[str] = set()
        self._tables: list[Reader] = []

    # -- what the fields are --------------------------------------------------------------

    def has(self, name: str) -> bool:
        """Whether a field is there and not null. It does not count as read."""
        return self._fields.get(name) is not None

    def is_null(self, name: str) -> bool:
        """Whether a field is there and null, which switches something off that is on by default."""
        return name in self._fields and self._fields[name] is None

    def skip(self, *names: str) -> None:
        """Count fields as read that another field makes idle."""
        self._asked.update(names)

    def value(self, *names: str, default: Any = _REQUIRED) -> Any:
        """Return a field that has one of several names. Raises DagtoolError where it is missing or they disagree."""
        self._asked.update(names)
        given = {name: self._fields[name] for name in names if self.has(name)}
        for name, value in given.items():
            if value != next(iter(given.values())):
                first = next(iter(given))
                raise self.error(name, f"is {value!r}, but {first} is {given[first]!r}", "they name the same thing")
        if given:
            return next(iter(given.values()))
        if default is _REQUIRED:
            hint = did_you_mean(names[0], [name for name in self._fields if name not in self._asked])
            raise self.error(names[0], "is missing", hint)
        return default

    def whole(self, *names: str, default: Any = _REQUIRED) -> int:
        """Return a positive whole number."""
        value = self.value(*names, default=default)
        if value is default:
            return cast(int, value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self._wrong(names, value, "a positive whole number")
        if value > (most := MOST_LAYERS if "layers" in names[0] else _LARGEST):
            raise self._wrong(names, value, f"at most {most:,}")
        return value

    def number(self, *names: str, default: Any = _REQUIRED) -> float:
        """Return a positive number."""
        value = self.value(*names, default=default)
        if value is default:
            return cast(float, value)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
            raise self._wrong(names, value, "a positive number")
        return float(value)

    def flag(self, *names: str, default: bool) -> bool:
        """Return true or false."""
        value = self.value(*names, default=default)
        if not isinstance(value, bool):
            raise self._wrong(names, value, "true or false")
        return value

    def word(self, *names: str, default: Any = _REQUIRED) -> str:
        """Return a text."""
        value = self.value(*names, default=default)
        if value is default:
            return cast(str, value)
        if not isinstance(value, str):
            raise self._wrong(names, value, "a text")
        return value

    def table(self, name: str) -> Reader | None:
        """Return the fields inside a field, which are all to be read as well; None where it is absent."""
        value = self.value(name, default=None)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self._wrong((name,), value, "a table")
        inner = Reader(value, self._place, self._text, within=f"{self._within}{name}.")
        self._tables.append(inner)
        return inner

    def only(self, name: str, *allowed: Any) -> None:
        """Read a field that may have some values only, the first where it is absent. Raises DagtoolError."""
        value = self.value(name, default=allowed[0])
        if value not in allowed:
            known = " or ".join(map(_json, allowed))
            raise self.error(name, f"is {_json(value)}: only {known} is supported here")

    # -- what is left ---------------------------------------------------------------------

    def finish(self) -> None:
        """Raise DagtoolError where a field was not read that may change what the model computes."""
        for inner in self._tables:
            inner.finish()
        for name, value in self._fields.items():
            if name in self._asked or name in _IGNORED or name.startswith("_") or not value:
                continue
            hint = did_you_mean(name, sorted(self._asked - set(self._fields)))
            message = f"is {_json(value)}: nothing reads it, and it may change what the model computes"
            raise self.error(name, message, hint or "take it out if it has no effect on inference")

    def error(self, name: str, message: str, hint: str = "") -> DagtoolError:
        """Return the error about a field, which names it and its place."""
        return DagtoolError(f"{self._place}{self._line(name)}: {self._within}{name} {message}", hint)

    def _wrong(self, names: tuple[str, ...], value: Any, wanted: str) -> DagtoolError:
        name = next(name for name in names if self.has(name))
        return self.error(name, f"is {_json(value)}; expected {wanted}")

    def _line(self, name: str) -> str:
        found = re.search(rf'"{re.escape(name)}"\s*:', self._text)
        if found is None:
            return ""
        before = self._text[: found.start()]
        return f":{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def _json(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return f"a number of {len(str(abs(value)))} digits" if abs(value) < 10**4000 else "a number of many digits"
    named = {True: "true", False: "false", None: "null"}
    text = named[value] if isinstance(value, bool) or value is None else repr(value)
    return text if len(text) < _LONG else text[:_LONG] + "…"


_LONG = 60
_LARGEST = 10**12
