"""A shell script that launches one program: comments, variables and arrays taken care of, the launch line taken out."""

from __future__ import annotations

import re

from dagtool.errors import DagtoolError
from dagtool.launch.line import split_words

__all__ = ["words_of_script"]

_ARRAY = re.compile(r"^[ \t]*(?:export\s+|declare -a\s+)?(\w+)=\(([^)]*)\)[ \t]*$", re.MULTILINE)
_SCALAR = re.compile(r"""^[ \t]*(?:export\s+)?(\w+)=("[^"\n]*"|'[^'\n]*'|[^\s"'(]*)[ \t]*;?[ \t]*$""", re.MULTILINE)
_COMMENT = re.compile(r"(?m)^[ \t]*#.*$|[ \t]+#[ \t].*$")
_PROGRAM = re.compile(
    r"\bvllm\s+serve|vllm\.entrypoints|vllm/vllm-openai|sglang|torchtitan|run_train\.sh|(?:pretrain|train|finetune)_\w+\.py"
)
_SETTING = re.compile(r"^[ \t]*(set|cd|source|module|mkdir|echo|export|ulimit|sleep|wait)\b.*$", re.MULTILINE)


def words_of_script(text: str, place: str) -> list[str]:
    """Return the words of the one launch line of a text. Raises DagtoolError for none, several, or an open quote."""
    if "\n" not in text.strip():
        return split_words(text, place)
    plain = _COMMENT.sub("", text.replace("\r\n", "\n")).replace("\\\n", " ")
    if not _PROGRAM.search(plain) or not (_ARRAY.search(plain) or _SCALAR.search(plain) or _SETTING.search(plain)):
        return split_words(plain, place)
    arrays = {match[1]: " ".join(match[2].split()) for match in _ARRAY.finditer(plain)}
    rest = _ARRAY.sub("", plain)
    values = {match[1]: match[2].strip("\"'") for match in _SCALAR.finditer(rest)}
    commands = [row for row in _SCALAR.sub("", rest).split("\n") if _PROGRAM.search(row)]
    if len(commands) != 1:
        what = f"{len(commands)} commands start a framework" if commands else "no command starts a framework"
        raise DagtoolError(f"{place}: {what}", "give the one launch line")
    kept = " ".join(f"{name}='{value}'" for name, value in values.items() if _PASSED.match(name) and "'" not in value)
    return split_words(f"{kept} {_expand(commands[0], arrays, values)}", place)


_PASSED = re.compile(r"(VLLM|SGLANG)_|NGPU$|WORLD_SIZE$|CONFIG_FILE$|NNODES$")
"""Variables of a script that a framework reads."""
_MOST_ROUNDS = 8


def _expand(command: str, arrays: dict[str, str], values: dict[str, str]) -> str:
    """The command with the arrays and variables of the script put in; unknown ones stay as they are."""
    for _ in range(_MOST_ROUNDS):
        before = command
        for name, value in arrays.items():
            command = re.sub(rf'"?\$\{{{name}\[[@*]\]\}}"?', lambda _, value=value: value, command)  # type: ignore[misc]
        for name, value in values.items():
            command = re.sub(rf"\$\{{{name}\}}|\${name}\b", lambda _, value=value: value, command)  # type: ignore[misc]
        if command == before:
            break
    return command
