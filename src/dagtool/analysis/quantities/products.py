"""Matrix products: Get_Time terms, weights, shapes on one GPU, the critical path."""

from __future__ import annotations

from math import prod

from dagtool.analysis.quantities import NotDerivableError
from dagtool.analysis.subject import Subject
from dagtool.cost.critical import Term, expression
from dagtool.cost.work import matmuls_of
from dagtool.dag.graph import Kind
from dagtool.model.tensor import TensorType
from dagtool.ops import Matmul

__all__ = [
    "input_shape",
    "layer_sum",
    "output_shape",
    "path_sum",
    "product",
    "products_of_layer",
    "shapes",
    "share_of_gpu",
    "weight",
]


def product(subject: Subject, role: str) -> str:
    """``Get_Time(m,k,n)`` of one node of a role."""
    one = _matmul(subject, role)
    return str(Term(one.m, one.k, one.n))


def weight(subject: Subject, role: str) -> str:
    """The part of the weight on one GPU, ``[k, n]`` of its product."""
    one = _matmul(subject, role)
    return f"[{one.k}, {one.n}]"


def shapes(subject: Subject, role: str) -> str:
    """``[m, k] × [k, n]``."""
    one = _matmul(subject, role)
    return f"[{one.m}, {one.k}] × [{one.k}, {one.n}]"


def input_shape(subject: Subject, role: str, slot: str = "") -> str:
    """The shape of an input on one GPU, the first one by default."""
    kind = _kind(subject, role)
    ports = [port for port in kind.inputs if not slot or port.name == slot]
    if not ports:
        raise NotDerivableError(f"{role} has no input {slot}")
    return _shape(subject, ports[0].type)


def output_shape(subject: Subject, role: str) -> str:
    """The shape of the output on one GPU."""
    return _shape(subject, _kind(subject, role).outputs[0].type)


def share_of_gpu(subject: Subject, role: str, symbol: str) -> str:
    """Which part of the output's dimension ``symbol`` one GPU has: ``1/8``."""
    kind = _kind(subject, role)
    tensor = kind.outputs[0].type
    sizes = subject.dag.meshes[tensor.mesh].sizes
    cuts = [prod(sizes[axis] for axis in dim.axes) for dim in tensor.dims if symbol in dim.size.symbols]
    return f"1/{cuts[0]}" if cuts else "all"


def path_sum(subject: Subject) -> str:
    """The critical path as a sum of Get_Time terms."""
    return subject.path.expression


def layer_sum(subject: Subject, layer: str = "0", part: str = "") -> str:
    """The part of the critical path within one layer, all of it or that of ``attention``, ``moe``, ``mlp``."""
    dag = subject.dag
    inside = [(dag.kind(node).role, one) for node, one in subject.path.products if dag.layer_of[node] == int(layer)]
    return expression([str(Term(one.m, one.k, one.n)) for role, one in inside if role.startswith(part)])


def products_of_layer(subject: Subject, part: str) -> str:
    """How many different matrix products a layer has in a part of the model, like ``attention``."""
    roles = [role for role in subject.kinds_of_role if role.startswith(f"{part}.")]
    return str(sum(bool(matmuls_of(subject.works[subject.kinds_of_role[role][0]], subject.dag)) for role in roles))


def _kind(subject: Subject, role: str) -> Kind:
    if role not in subject.kinds_of_role:
        raise NotDerivableError(f"there is no node of role {role}")
    return subject.dag.kinds[subject.kinds_of_role[role][0]]


def _matmul(subject: Subject, role: str) -> Matmul:
    found = {
        one for index in subject.kinds_of_role.get(role, ()) for one in matmuls_of(subject.works[index], subject.dag)
    }
    if len(found) != 1:
        raise NotDerivableError(f"the nodes of role {role} have {len(found)} different matrix products")
    return found.pop()


def _shape(subject: Subject, tensor: TensorType) -> str:
    mesh = subject.dag.meshes[tensor.mesh]
    return f"[{', '.join(str(one.bind(subject.dag.sizes)) for one in tensor.local_shape(mesh.sizes))}]"
