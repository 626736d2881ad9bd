"""Matrix products that labels state: over which GPUs, and how often cut along the inner dimension and the columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagtool.foreign.dims import Shape
    from dagtool.validators.context import Context
    from dagtool.validators.reading import Reading

__all__ = ["LabelledProduct", "labelled_products", "takes_all_tokens"]

_MLP = re.compile(r"mlp|ffn|feed|moe|expert|(?<![a-z])(?:fc|up|down)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LabelledProduct:
    """One sort of linear in one layer, its nodes alike in sizes.

    ``rows`` is the whole hidden size over the width of the input, ``columns`` that over the width of the output.
    """

    nodes: tuple[int, ...]
    gpus: frozenset[int]
    single: bool
    """Whether each node is on one GPU."""
    taken: Shape
    given: Shape
    rows: int
    columns: int


def labelled_products(ctx: Context) -> Iterator[LabelledProduct]:
    """Linears of attention, between values as wide as the hidden size or a part of it.

    Those of an MLP are left out, for labels often call its inner size hidden too, and so are experts'.
    """
    reading = ctx.reading
    of_mlp = set(reading.named(_MLP))
    alike: dict[tuple[str, int | None, int | None, Shape, Shape], list[int]] = {}
    for node in reading.of("linear") if reading.hidden else ():
        facts = reading.nodes[node]
        template = reading.template(node)
        if len(facts.inputs) == len(facts.outputs) == 1 and node not in of_mlp:
            key = (template, reading.places.layer_of[node], facts.place.stage, facts.inputs[0], facts.outputs[0])
            alike.setdefault(key, []).append(node)
    for (_, layer, _, taken, given), nodes in alike.items():
        if layer is None and len(nodes) > 1 and not _ranks(reading, nodes):
            continue  # d0_out, d1_out: layers, perhaps
        rows, columns = _cut(reading, taken), _cut(reading, given)
        gpus = [reading.gpus(node) for node in nodes]
        if rows and columns and all(gpus):
            single = all(len(one) == 1 for one in gpus)
            yield LabelledProduct(tuple(nodes), frozenset().union(*gpus), single, taken, given, rows, columns)


def _ranks(reading: Reading, nodes: list[int]) -> bool:
    """Whether nodes of no layer are of one product: their names number ranks or GPUs, or they have the same input."""
    if all(reading.nodes[node].place.rank is not None or reading.nodes[node].id_placement for node in nodes):
        return True
    return len({frozenset(reading.before(node)) for node in nodes}) == 1


def _cut(reading: Reading, shape: Shape) -> int:
    """Into how many parts the hidden size is cut; 0 where the shape does not tell."""
    sizes = reading.sizes(shape)
    width = sizes["heads"] * sizes["d_k"] if sizes.keys() >= {"heads", "d_k"} else sizes.get("hidden", 0)
    return reading.hidden // width if width and not reading.hidden % width else 0


def takes_all_tokens(reading: Reading, shape: Shape) -> bool:
    """Whether batch and sequence are the largest of the file; a symbol counts as the whole."""
    sizes = reading.sizes(shape)
    return all(
        sizes.get(name, whole) == whole for name, whole in reading.widest.items() if name in ("batch_size", "seq_len")
    )
