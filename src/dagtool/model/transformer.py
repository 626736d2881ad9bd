"""The model that is deployed: a decoder of L equal layers, and the matrix products it consists of.

``reference_matmuls`` is written from the definition of a transformer, not from the generator: the number
of FLOPs of a deployment is held against it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from dagtool.model.size import ONE, Size, parse_size

__all__ = [
    "Model",
    "ModelError",
    "ReferenceMatmul",
    "format_model",
    "needed_sizes",
    "parse_model",
    "reference_matmuls",
    "reference_parameters",
]

SYMBOLS = {
    "B": "batch_size",
    "S": "seq_len",
    "H": "hidden",
    "N": "heads",
    "G": "kv_heads",
    "D": "d_k",
    "F": "ffn",
    "E": "experts",
    "K": "top_k",
    "V": "vocab_size",
    "L": "layers",
}
"""Symbols of sizes and the names labels give them. G, where given, makes attention grouped-query."""


class ModelError(ValueError):
    """The text describes no model."""


@dataclass(frozen=True, slots=True)
class Model:
    """What the layers are made of. Sizes stand apart, as symbols."""

    ffn: str = "dense"
    """``dense``: one MLP per layer; ``moe``: E experts of which each token takes K."""
    activation: str = "gelu"
    gated: bool = False
    """Whether the MLP multiplies an activated gate with a second projection (SwiGLU, GeGLU)."""
    norm: str = "layer"
    """``layer`` or ``rms``."""
    embedding: str = "token"
    """``token``, ``token+position`` (one node), ``token,position`` (two nodes and their sum), ``none``."""

    def __post_init__(self) -> None:
        choices = {
            "ffn": ("dense", "moe"),
            "norm": ("layer", "rms"),
            "embedding": ("token", "token+position", "token,position", "none"),
            "activation": ("gelu", "relu", "silu"),
        }
        if not isinstance(self.gated, bool):
            raise ModelError(f"model gated is {self.gated!r}; known: true, false")
        for name, known in choices.items():
            if getattr(self, name) not in known:  # an unhashable or odd value is simply not among them
                raise ModelError(f"model {name} is {getattr(self, name)!r}; known: {', '.join(known)}")


def needed_sizes(model: Model) -> str:
    """The symbols of the sizes a model has."""
    return "BSHNDFVL" + ("EK" if model.ffn == "moe" else "")


def format_model(model: Model) -> str:
    """``ffn=moe activation=gelu …``, the graph attribute ``model``."""
    return " ".join(f"{f.name}={str(getattr(model, f.name)).lower()}" for f in fields(model))


def parse_model(text: str) -> Model:
    """Read the graph attribute ``model``. Raises ModelError."""
    values: dict[str, str | bool] = {}
    known = {f.name for f in fields(Model)}
    for part in text.split():
        name, equals, value = part.partition("=")
        if not equals or name not in known:
            raise ModelError(f"cannot read {part!r} in the description of the model")
        values[name] = value == "true" if name == "gated" else value
    return Model(**values)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ReferenceMatmul:
    """``count`` products [m, k] x [k, n] of the unsharded model, per layer or (``per_layer`` false) once."""

    part: str
    roles: tuple[str, ...]
    """The roles of the nodes that do it."""
    m: Size
    k: Size
    n: Size
    count: Size = ONE
    per_layer: bool = True
    beside: bool = False
    """Whether it runs beside another part, so that no path passes both."""

    @property
    def flops(self) -> Size:
        """2*m*k*n of all of them in one layer."""
        return self.m * self.k * self.n * self.count * 2


def reference_matmuls(model: Model, *, grouped: bool = False) -> tuple[ReferenceMatmul, ...]:
    """Every matrix product of the unsharded model, experts at K*B*S tokens in all.

    ``grouped``: G heads of keys and values serve N heads of queries.
    """

    def product(roles: str, m: str, k: str, n: str, count: str = "1", *, per_layer: bool = True) -> ReferenceMatmul:
        names = tuple(roles.split())
        sizes = [parse_size(text) for text in (m, k, n, count)]
        return ReferenceMatmul(names[0], names, sizes[0], sizes[1], sizes[2], sizes[3], per_layer)

    projections: tuple[ReferenceMatmul, ...]
    if grouped:
        keys = product("attention.kv attention.k attention.v", "B*S", "H", "2*G*D")
        projections = (product("attention.q", "B*S", "H", "N*D"), replace(keys, beside=True))
    else:
        projections = (product("attention.qkv attention.q attention.k attention.v", "B*S", "H", "3*N*D"),)
    attention = (
        *projections,
        product("attention.scores", "B*N*S", "D", "S"),
        product("attention.weighted", "B*N*S", "S", "D"),
        product("attention.out", "B*S", "N*D", "H"),
    )
    ups = "2*F" if model.gated else "F"
    ffn: tuple[ReferenceMatmul, ...]
    if model.ffn == "moe":
        ffn = (
            product("moe.gate", "B*S", "H", "E"),
            product("moe.up", "B*S*K/E", "H", ups, "E"),
            product("moe.down", "B*S*K/E", "F", "H", "E"),
        )
    else:
        ffn = (product("mlp.up", "B*S", "H", ups), product("mlp.down", "B*S", "F", "H"))
    return (*attention, *ffn, product("head.projection", "B*S", "H", "V", per_layer=False))


def reference_parameters(model: Model, *, grouped: bool = False) -> tuple[tuple[str, Size, bool], ...]:
    """(part, number of parameters, whether in each layer) of the unsharded model: matrices, gains, tables; no biases.

    Norms hold a gain [H] each, tables are [V, H] for tokens and [S, H] for positions.
    """
    ffn, up = ("moe", "2*E*H*F" if model.gated else "E*H*F") if model.ffn == "moe" else ("mlp", "H*F")
    if model.ffn != "moe" and model.gated:
        up = "2*H*F"
    layer = [
        ("attention.norm", "H"),
        ("attention.q", "H*N*D"),
        ("attention.kv", "2*H*G*D" if grouped else "2*H*N*D"),
        ("attention.out", "N*D*H"),
        (f"{ffn}.norm", "H"),
        (f"{ffn}.up", up),
        (f"{ffn}.down", "E*F*H" if model.ffn == "moe" else "F*H"),
        *([("moe.gate", "H*E")] if model.ffn == "moe" else []),
    ]
    once = [("head.norm", "H"), ("head.projection", "H*V")]
    once += [("embedding.tokens", "V*H")] if model.embedding != "none" else []
    once += [("embedding.positions", "S*H")] if "position" in model.embedding else []
    return (
        *((part, parse_size(text), True) for part, text in layer),
        *((part, parse_size(text), False) for part, text in once),
    )
