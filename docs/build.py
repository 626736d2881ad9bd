"""``python3 dev.py docs``: rewrite what is made from the code.

The pages of docs/rules whole, in docs/dialect.md what stands between marks, and the outputs of examples
everywhere.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deployments
from examples import replay

from dagtool.generators.blocks.architecture import block_module, block_names
from dagtool.generators.blocks.common import LayerOptions
from dagtool.generators.blocks.ends import EmbeddingOptions, HeadOptions
from dagtool.generators.blocks.options import option_fields
from dagtool.model.vocabulary import SYMBOLS
from dagtool.ops import OPERATORS, Operator
from dagtool.ops.attributes import Attribute
from dagtool.validators.document import write_pages

__all__ = ["attribute_table", "dialect_page", "model_table", "operator_table", "size_table", "strategy_page"]

FOLDER = Path(__file__).parent
FAMILIES = ("io", "compute", "norm", "routing", "communication")


def operator_table() -> str:
    """One row for each operator: what it does, its inputs, its type rule. All three are read from its class."""
    rows = ["| operator | family | inputs | what it does | types |", "|---|---|---|---|---|"]
    for family in FAMILIES:
        rows += [_row(operator) for name, operator in sorted(OPERATORS.items()) if operator.family == family]
    return "\n".join(rows) + "\n"


def _row(operator: Operator) -> str:
    slots = ", ".join(f"`{slot}`" for slot in operator.slots)
    slots += " in any order" if operator.symmetric else "" if operator.needs_all else " (only the first is needed)"
    cells = [f"`{operator.name}`", operator.family, slots, _first_line(type(operator)), _first_line(operator.infer)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _first_line(documented: object) -> str:
    """The first paragraph of a docstring, in Markdown's spelling of code."""
    text = (inspect.getdoc(documented) or "").partition("\n\n")[0]
    return " ".join(text.replace("``", "`").split())


def attribute_table() -> str:
    """Return the table of the attributes that operators declare; a name with two meanings has two rows."""
    users: dict[Attribute[Any], list[str]] = {}
    for name, operator in sorted(OPERATORS.items()):
        for attribute in operator.attributes:
            users.setdefault(attribute, []).append(name)
    rows = ["| parameter | on | type | default | meaning |", "|---|---|---|---|---|"]
    for one, names in sorted(users.items(), key=lambda item: (item[0].name, item[1])):
        default = f"`{one.default_text}`" if one.default_text else "-" if one.default is None else "none"
        rows.append(f"| `{one.name}` | {', '.join(names)} | {one.type.name} | {default} | {one.doc} |")
    return "\n".join(rows) + "\n"


def model_table() -> str:
    """Return the table of the options of ``[model]``, ordered by the part that reads them."""
    parts: list[tuple[str, type[Any]]] = [("every layer", LayerOptions)]
    for slot in ("attention", "ffn"):
        parts += [(f"{slot} = {name}", block_module(name).Options) for name in block_names(slot)]
    parts += [("embedding", EmbeddingOptions), ("head", HeadOptions)]
    rows = ["| read by | option | default | meaning |", "|---|---|---|---|"]
    for part, options in parts:
        for name, one in option_fields(options).items():
            default = str(one.default).lower() if isinstance(one.default, bool) else str(one.default)
            rows.append(f"| {part} | `{name}` | {f'`{default}`' if default else 'none'} | {one.metadata['doc']} |")
    return "\n".join(rows) + "\n"


def size_table() -> str:
    """Return the table of the symbols of sizes that have a name."""
    return "| symbol | size |\n|---|---|\n" + "".join(f"| `{key}` | {name} |\n" for key, name in SYMBOLS.items())


DIALECT = {"operators": operator_table, "attributes": attribute_table}
STRATEGY = {"options": model_table, "sizes": size_table}


def dialect_page(text: str) -> str:
    """The page of the dialect with its tables made anew."""
    return _with_tables(text, DIALECT)


def strategy_page(text: str) -> str:
    """The page of strategy files with its tables made anew."""
    return _with_tables(text, STRATEGY)


def _with_tables(text: str, tables: dict[str, Callable[[], str]]) -> str:
    for name, table in tables.items():
        begin = f"<!-- {name}: made by `python3 dev.py docs` from the code; do not edit -->\n"
        end = f"<!-- end of {name} -->\n"
        before, _, rest = text.partition(begin)
        text = before + begin + table() + end + rest.partition(end)[2]
    return text


if __name__ == "__main__":
    write_pages(FOLDER / "rules")
    for name, made in (("dialect.md", dialect_page), ("strategy-files.md", strategy_page)):
        file = FOLDER / name
        file.write_text(made(file.read_text(encoding="utf-8")), encoding="utf-8")
    figures = FOLDER / "deployments.md"
    figures.write_text(deployments.page(figures.read_text(encoding="utf-8")), encoding="utf-8")
    for page in [FOLDER.parent / "README.md", *sorted(FOLDER.glob("*.md"))]:
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(replay(page, Path(folder)), encoding="utf-8")
