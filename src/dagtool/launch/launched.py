"""A launch line after reading: its plan, its run, and how each flag was treated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from dagtool.errors import CollectedError, DagtoolError
from dagtool.generators.plans.document import Run
from dagtool.generators.plans.plan import Plan
from dagtool.model.families import PublishedModel
from dagtool.model.zoo import FoundModel

__all__ = ["Checks", "Facts", "Launched", "deal_layers"]


@dataclass(frozen=True, slots=True)
class Launched:
    """A launch line, understood."""

    framework: str
    plan: Plan
    run: Run
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    memory_share: float = 1.0
    """The part of a GPU's memory that the line gives to the model (``--gpu-memory-utilization``)."""
    static_share: float | None = None
    """The part that it gives to weights and cache (``--mem-fraction-static``)."""
    trains: bool = False
    """Whether it trains, so that the forward pass is a part of it."""


@dataclass(frozen=True)
class Facts:
    """Properties of a model that the checks of frameworks need."""

    found: FoundModel

    @property
    def published(self) -> PublishedModel:
        """The model as its configuration describes it."""
        return self.found.published

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.found.name

    @property
    def model_type(self) -> str:
        """The field ``model_type``."""
        return self.published.model_type

    def size(self, symbol: str) -> int:
        """Return a size, 0 where the model has none of that name."""
        return int(self.published.sizes.get(symbol, 0))

    @cached_property
    def kinds(self) -> list[dict[str, object]]:
        """The options of each kind of layer."""
        model = self.published.model
        return [dict(model.options_of(kind)) for kind in model.kind_names]

    @property
    def latent(self) -> bool:
        """Whether attention is latent, so that its cache is not made of heads."""
        return any(kind.get("attention") == "mla" for kind in self.kinds)

    @property
    def heads(self) -> int:
        """Heads of queries."""
        return self.size("N")

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.size("G") or self.heads

    @property
    def layers(self) -> int:
        """Layers."""
        return self.size("L")

    @property
    def experts(self) -> int:
        """Routed experts of a layer; 0 for a dense model."""
        return self.size("E")

    @property
    def tied(self) -> bool:
        """Whether the head is the embedding's table."""
        return bool(self.published.model.options.get("tied"))

    def widths(self, *, moe: bool) -> list[int]:
        """Return the hidden dimensions of dense networks, or of experts."""
        names = {str(kind.get("width", "F")) for kind in self.kinds if (kind.get("ffn") == "moe") == moe}
        return sorted(self.size(name) for name in names)

    @property
    def shared_width(self) -> int:
        """The hidden dimension of the shared experts together; 0 without."""
        return next((self.size(str(kind["shared"])) for kind in self.kinds if kind.get("shared")), 0)

    def quantized(self, role: str) -> str:
        """Return the data type in which a role's weights are stored; empty for that of all others."""
        return self.published.weight_dtypes.get(role, "")


class Checks:
    """Collects the reasons for which a framework refuses a line; ``end`` raises them all."""

    def __init__(self, framework: str) -> None:
        self.framework = framework
        self.errors: list[DagtoolError] = []

    def require(self, holds: bool, message: str, hint: str = "") -> None:
        """Note a refusal where a condition does not hold."""
        if not holds:
            self.errors.append(DagtoolError(f"{self.framework} refuses this line: {message}", hint))

    def divide(self, size: int, what: str, degree: int, degree_name: str) -> None:
        """Require that a degree divides a size."""
        self.require(
            degree > 0 and size % degree == 0,
            f"{size} {what} do not divide by {degree_name} {degree}",
            f"choose a divisor of {size}",
        )

    def end(self) -> None:
        """Raise what was found: nothing, one DagtoolError, or a CollectedError."""
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise CollectedError(self.errors)


def deal_layers(text: str, name: str, layers: int, stages: int) -> tuple[int, ...]:
    """Read a list of layers by stage, like ``15,16,15,15``. Raises DagtoolError where it does not add up."""
    parts: Sequence[str] = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts) or len(parts) != stages or sum(map(int, parts)) != layers:
        hint = f"{stages} numbers that add up to {layers}"
        raise DagtoolError(f"{name} is {text!r}", hint)
    return tuple(map(int, parts))
