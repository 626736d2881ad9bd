"""What every operator is: a type rule, its work, and the family it belongs to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from dagtool.model.amount import Amount, Factor
from dagtool.model.size import ONE, Size, product
from dagtool.model.tensor import TensorType, parse_type
from dagtool.ops.attributes import TEXT, WEIGHT, Attribute
from dagtool.ops.errors import LayoutError

if TYPE_CHECKING:
    from dagtool.model.pairs import KeptPairs

__all__ = [
    "OPERATORS",
    "PARAM",
    "PARAMETER",
    "LayoutError",
    "Local",
    "Matmul",
    "Operator",
    "Params",
    "Types",
    "Values",
    "Work",
    "axes_param",
    "only",
    "require_no_partial",
    "require_whole",
    "stated_dtypes",
    "weight_type",
]

Params = Mapping[str, str]
Types = Mapping[str, TensorType]

T = TypeVar("T")

PARAMETER = Attribute("parameter", TEXT, doc="the name of the parameter that is the weight; absent: the node's role")
PARAM = Attribute(
    "param", WEIGHT, doc="the dimensions of the weight, the axes that cut them, its data type: `[H, F/tp]`"
)


@dataclass(frozen=True, slots=True)
class Matmul:
    """``[m, k] x [k, n]`` on one GPU."""

    m: Size
    k: Size
    n: Size

    @property
    def flops(self) -> Size:
        """2*m*k*n: a multiplication and an addition each."""
        return self.m * self.k * self.n * 2


@dataclass(frozen=True, slots=True)
class Work:
    """What one GPU does in one node: matrix products, elements read and written, elements sent."""

    matmuls: tuple[Matmul, ...] = ()
    elements_moved: tuple[Size, ...] = ()
    elements_sent: Size | None = None
    kept: KeptPairs | None = None
    """The pairs of query and key that its products are needed for; None where no mask hides any."""
    on_chip: tuple[Size, ...] = ()
    """Those of ``elements_moved`` that never leave the chip where attention is one fused kernel."""
    keyed: tuple[int, ...] = ()
    """Which of ``elements_moved``, by index, are keys or values: a fused kernel reads only what some query sees."""
    dtypes: tuple[str, ...] = ()
    """The data types of ``elements_moved`` in order; empty where all have the default one."""
    sent_dtype: str = ""
    """The data type of ``elements_sent``; empty for the default one."""

    @property
    def moved(self) -> tuple[tuple[Size, str], ...]:
        """Elements read and written, each with its data type."""
        return tuple(zip(self.elements_moved, self.dtypes or ("",) * len(self.elements_moved), strict=True))


class Local(Protocol):
    """What a node knows on one GPU while it runs: its declared types, its parameters, its part of its weight."""

    @property
    def types(self) -> Types:
        """Declared input types by slot."""

    @property
    def params(self) -> Params:
        """The node's parameters."""

    @property
    def expert(self) -> int:
        """Which expert it is, -1 for none."""

    def weight(self) -> Any:
        """The GPU's part of the weight."""

    def parameter(self, role: str, tensor: TensorType) -> Any:
        """The GPU's part of the parameter ``role``, which is of this type."""

    @property
    def role(self) -> str:
        """The node's role."""

    def amount(self, amount: Amount) -> int:
        """The number that a sum of sizes is."""

    def factor(self, factor: Factor) -> float:
        """The number that a factor is."""

    def part(self, tensor: TensorType) -> tuple[slice, ...]:
        """Which part of the whole tensor of this type the GPU holds."""

    def count(self, symbol: str) -> int:
        """The value of a size."""

    def replica(self, expert: int) -> tuple[int, int, int]:
        """Return the model's expert that a physical expert holds, its number among the replicas, and their count."""


Values = Mapping[str, list[Any]]
"""What edges brought to a node on one GPU, by slot."""


def only(values: Values, slot: str) -> Any:
    """The one value of a slot. Raises LayoutError where an edge brought none, or several did."""
    held = values.get(slot, [])
    if len(held) != 1:
        raise LayoutError(
            f"{'nothing' if not held else f'{len(held)} values'} arrived for its input {slot!r} on this GPU"
        )
    return held[0]


OPERATORS: dict[str, Operator] = {}
"""Every operator by name; filled by the classes themselves."""


class Operator(ABC):
    """One operator type. Subclasses are stateless; one instance of each stands in OPERATORS."""

    name: ClassVar[str] = ""
    family: ClassVar[str] = "compute"
    """compute, norm, communication, routing or io."""
    algorithm: ClassVar[str] = ""
    """Which collective it runs (``all_reduce``, ``send``, ...); empty where no data moves between GPUs in this node."""
    slots: ClassVar[tuple[str, ...]] = ("x",)
    """The names of the inputs. An edge fills the first slot unless it says otherwise."""
    symmetric: ClassVar[bool] = False
    """Whether the inputs may be exchanged, so that no edge needs to name its slot."""
    needs_all: ClassVar[bool] = True
    """Whether every slot must be filled."""
    needs_every_gpu: ClassVar[bool] = True
    """Whether each of its GPUs needs the input, or one that has it is enough."""
    many: ClassVar[tuple[str, ...]] = ()
    """Slots that take several values on one GPU: the results of its experts."""
    computes: ClassVar[bool] = False
    """Whether a communication also works on the values of its GPU: the part of a softmax, of a loss."""
    spans_mesh: ClassVar[bool] = False
    """Whether one node stands for all GPUs of its mesh, unless its name tells them apart."""
    attributes: ClassVar[tuple[Attribute[Any], ...]] = ()
    """What a node may state, in the order in which it is written: all of it, also what a base class has."""
    cached: ClassVar[tuple[str, ...]] = ()
    """The inputs that a KV cache keeps from one token to the next."""
    source: ClassVar[str] = ""
    """Where the rule comes from."""

    def __init_subclass__(cls) -> None:
        if cls.name:
            OPERATORS[cls.name] = cls()

    @property
    def is_communication(self) -> bool:
        """Whether the node moves data between GPUs."""
        return self.family == "communication"

    @abstractmethod
    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """The output types. ``inputs`` has a type for each slot. Raises LayoutError."""

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """The work of one GPU; sizes stay symbolic. By default: reads its inputs, writes its outputs."""
        types = (*inputs.values(), *outputs)
        return Work(
            elements_moved=tuple(product(t.local_shape(axis_sizes)) for t in types), dtypes=stated_dtypes(types)
        )

    def weights(self, params: Params, mesh: str) -> tuple[TensorType, ...]:
        """The types of the weights a node holds. Raises LayoutError for what is no weight."""
        return (weight_type(params, mesh),) if self.attribute("param") and PARAM.stated(params) else ()

    def named_weights(self, role: str, params: Params, mesh: str) -> tuple[tuple[str, TensorType], ...]:
        """The weights a node of a role holds, each with the name of its parameter: the role, or ``parameter``."""
        shared = PARAMETER in self.attributes and PARAMETER.stated(params)
        first = self.read(params, PARAMETER) if shared else role
        return tuple(
            (first if index == 0 else f"{role}_{index}", w) for index, w in enumerate(self.weights(params, mesh))
        )

    def even_sizes(self, inputs: Types, params: Params) -> tuple[Size, ...]:
        """Local sizes that must be even, because the operator pairs elements."""
        return ()

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """How many values of its output type one GPU holds of a node: one, or one for each of its experts."""
        return ONE

    def read(self, params: Params, attribute: Attribute[T]) -> T:
        """The value of one of its attributes. Raises LayoutError, and KeyError for one that it does not declare."""
        if attribute not in self.attributes:
            raise KeyError(f"operator {self.name!r} does not declare an attribute {attribute.name!r}")
        return attribute.read(params)

    def stated(self, params: Params, attribute: Attribute[Any]) -> bool:
        """Whether a node states one of its attributes. Raises KeyError for one that it does not declare."""
        if attribute not in self.attributes:
            raise KeyError(f"operator {self.name!r} does not declare an attribute {attribute.name!r}")
        return attribute.stated(params)

    def attribute(self, name: str) -> Attribute[Any] | None:
        """The attribute of that name; None where it declares none."""
        return next((one for one in self.attributes if one.name == name), None)

    def default_param(self, name: str) -> str:
        """The text an attribute has where a node does not state it; empty where there is none."""
        declared = self.attribute(name)
        return declared.default_text if declared else ""

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """Run on one GPU, in numpy: one result per output. Raises LayoutError where a value is missing."""
        raise LayoutError(f"{self.name} does not run on one GPU alone")


WEIGHT_SLOT = "w"
"""The input of an operator that takes its weight from a node, because it is stored otherwise than used."""


def with_weight(inputs: Types, params: Params) -> tuple[Types, Params]:
    """Inputs without a weight that arrives as one, and attributes that state it. Raises LayoutError."""
    if WEIGHT_SLOT not in inputs:
        return inputs, params
    weight = inputs[WEIGHT_SLOT]
    if weight.partial or weight.varying:
        raise LayoutError(f"its weight {weight} is a partial sum or varies: a weight is whole or cut")
    rest = {slot: tensor for slot, tensor in inputs.items() if slot != WEIGHT_SLOT}
    return rest, {**params, "param": WEIGHT.format(weight.dims)}


def axes_param(params: Params, name: str) -> tuple[str, ...]:
    """The axes a node of any operator names, empty where it names none; unlike a typed reading it never raises."""
    return tuple(part.strip() for part in params.get(name, "").split(",") if part.strip())


def weight_type(params: Params, mesh: str) -> TensorType:
    """The ``param`` attribute as a type on ``mesh``. Raises LayoutError where it is missing or no weight."""
    PARAM.read(params)
    return parse_type(f"{params['param']} @{mesh}")


def stated_dtypes(types: Iterable[TensorType]) -> tuple[str, ...]:
    """The data types of values, in order; empty where all have the default one."""
    found = tuple(one.dtype for one in types)
    return found if any(found) else ()


def require_no_partial(tensor: TensorType, what: str) -> None:
    """Refuse a partial sum before an operator that is not linear."""
    if tensor.partial:
        axes = ",".join(tensor.partial)
        raise LayoutError(
            f"{what} is not linear but its input is a partial sum over {axes}: all_reduce over {axes} first"
        )


def require_whole(tensor: TensorType, index: int, what: str) -> None:
    """Refuse a cut dimension that the operator needs whole."""
    if not tensor.dims:
        raise LayoutError(f"{what} needs a dimension but gets {tensor}")
    dim = tensor.dims[index]
    if dim.axes:
        axes = ",".join(dim.axes)
        raise LayoutError(f"{what} needs all of {dim.size} but it is cut along {axes}: all_gather over {axes} first")
