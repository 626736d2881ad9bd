"""Typed attributes: what is read, what is refused, and that every operator declares exactly what it reads."""

import numpy as np
import pytest
from ops.test_type_rules import ACCEPTED
from oracle.ranks import ROLE, SIZES, Node, mesh_of
from pydot.core import NODE_ATTRIBUTES

from dagtool.dot.dialect import NODE_FACTS
from dagtool.model.amount import Amount, Factor, parse_amount
from dagtool.model.size import parse_size
from dagtool.model.tensor import Dim, parse_type
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.attributes import (
    AMOUNT,
    AXES,
    COUNT,
    DIM,
    EINSUM,
    FACTOR,
    FLAG,
    MESH,
    NUMBER,
    REARRANGEMENT,
    SIZE,
    TEXT,
    WEIGHT,
    Attribute,
    choice,
)
from dagtool.ops.collective import OVER, Collective
from dagtool.ops.factors import Rearrangement, Spec
from dagtool.ops.linear import FUSED
from dagtool.ops.transfer import Transfer

CHOICE = choice("layer", "rms")

READ = [
    (AXES, "dp, ep", ("dp", "ep"), "dp,ep"),
    (DIM, "0", 0, "0"),
    (SIZE, "B*S/2", parse_size("B*S/2"), "B*S/2"),
    (COUNT, "3", 3, "3"),
    (CHOICE, "rms", "rms", "rms"),
    (FLAG, "yes", True, "yes"),
    (FLAG, "no", False, "no"),
    (NUMBER, "1e-5", 1e-5, "1e-05"),
    (WEIGHT, "[H,N/dp/tp]", (Dim(parse_size("H")), Dim(parse_size("N"), ("dp", "tp"))), "[H, N/dp/tp]"),
    (EINSUM, "ab, bc -> ac", Spec(("ab", "bc"), "ac"), "ab,bc->ac"),
    (REARRANGEMENT, "bs(nd)->bnsd", Rearrangement(("b", "s", "nd"), ("b", "n", "s", "d")), "bs(nd)->bnsd"),
    (AMOUNT, "T - S", Amount(((1, parse_size("T")), (-1, parse_size("S")))), "T-S"),
    (AMOUNT, "0", Amount(((1, parse_size("0")),)), "0"),
    (FACTOR, "0.125", Factor(0.125), "0.125"),
    (FACTOR, "rsqrt(D+Dr)", Factor(power=-0.5, amount=parse_amount("D+Dr")), "rsqrt(D+Dr)"),
    (FACTOR, "1.5 * sqrt(H)", Factor(1.5, 0.5, parse_amount("H")), "1.5*sqrt(H)"),
    (MESH, "s1", "s1", "s1"),
    (TEXT, "as it is", "as it is", "as it is"),
]

REFUSED = [
    (AXES, "TP", "mesh axes, comma-separated"),
    (AXES, "tp;ep", "mesh axes, comma-separated"),
    (AXES, "tp,tp", "each axis once, not tp twice"),
    (DIM, "-1", "counted from 0"),
    (DIM, "last", "counted from 0"),
    (DIM, "1000", "counted from 0"),
    (SIZE, "e", "a size, like E"),
    (SIZE, "B+1", "a size, like E"),
    (SIZE, "B/0", "divided by zero"),
    (COUNT, "0", "at least 1"),
    (COUNT, "2.5", "at least 1"),
    (COUNT, "²", "at least 1"),
    (CHOICE, "batch", "expected layer or rms"),
    (FLAG, "true", "yes or no"),
    (NUMBER, "half", "a number"),
    (NUMBER, "nan", "a number"),
    (NUMBER, "inf", "a number"),
    (WEIGHT, "H, N", r"like \[H, F/tp\]"),
    (WEIGHT, "[H/tp, N/tp]", "'tp' occurs twice"),
    (WEIGHT, "[H, n]", "capital symbol"),
    (WEIGHT, "[H] sum(tp)", "a weight is whole or cut"),
    (EINSUM, "ab,bc", "as an einsum"),
    (EINSUM, "ab->ac", "output letter that no input has"),
    (EINSUM, "aa->a", "twice in one tensor"),
    (REARRANGEMENT, "bsnd", "as a layout change"),
    (REARRANGEMENT, "bs[nd]->bsnd", "as a layout change"),
    (REARRANGEMENT, "bsnd->bsn", "loses or doubles"),
    (REARRANGEMENT, "bsnn->bsnn", "loses or doubles"),
    (AMOUNT, "T-", "a sum of sizes, like T-S"),
    (AMOUNT, "T S", "a sum of sizes, like T-S"),
    (AMOUNT, "t", "a sum of sizes, like T-S"),
    (FACTOR, "cbrt(H)", r"a number, sqrt\(H\) or rsqrt"),
    (FACTOR, "sqrt()", r"a number, sqrt\(H\) or rsqrt"),
    (FACTOR, "2*", r"a number, sqrt\(H\) or rsqrt"),
    (FACTOR, "*sqrt(H)", r"a number, sqrt\(H\) or rsqrt"),
    (FACTOR, "1.2.3", r"a number, sqrt\(H\) or rsqrt"),
    (FACTOR, "1e999", r"a number, sqrt\(H\) or rsqrt"),
    (MESH, "s 1", "name of a mesh"),
]


@pytest.mark.parametrize(("kind", "text", "value", "written"), READ)
def test_text_is_read_and_written(kind, text, value, written):
    assert kind.parse(text) == value
    assert kind.format(value) == written
    assert kind.parse(written) == value


@pytest.mark.parametrize(("kind", "text", "reason"), REFUSED)
def test_text_is_refused(kind, text, reason):
    attribute = Attribute("this", kind)
    with pytest.raises(LayoutError, match=reason):
        attribute.parse(text)
    with pytest.raises(LayoutError, match=r"\(attribute 'this'\)"):
        attribute.read({"this": text})


def test_a_long_text_is_cut_in_the_message():
    with pytest.raises(LayoutError) as caught:
        Attribute("this", COUNT).parse("x" * 5000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("params", [{}, {"over": ""}])
def test_what_is_not_stated_has_the_default_or_is_missed(params):
    assert not OVER.stated(params)
    assert Attribute("over", AXES, ()).read(params) == ()
    assert Attribute("over", DIM, 0).read(params) == 0
    with pytest.raises(LayoutError, match="states no 'over': the axes along which one group lies"):
        OVER.read(params)


def test_an_operator_reads_only_what_it_declares():
    assert OPERATORS["linear"].read({"fused": "3"}, FUSED) == 3
    with pytest.raises(KeyError, match="operator 'all_reduce' does not declare an attribute 'fused'"):
        OPERATORS["all_reduce"].read({"fused": "3"}, FUSED)


def test_default_text_is_that_of_the_declaration():
    assert OPERATORS["norm"].default_param("function") == "layer"
    assert OPERATORS["scores"].default_param("einsum") == "bsnd,btnd->bnst"
    assert [OPERATORS["norm"].default_param(name) for name in ("param", "over")] == ["", ""]


class Recorder(dict):
    """Parameters that remember which of them were asked for."""

    def __init__(self, given):
        super().__init__(given)
        self.asked = set()

    def get(self, key, default=None):
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key):
        self.asked.add(key)
        return super().__contains__(key)


FURTHER = [
    ("activation", "", {"x": "[B]"}),
    ("output", "", {"x": "[B]"}),
    ("input", "", {"x": "[B]"}),
    ("norm", "param=[H]", {"x": "[B, H]"}),
    ("expert_linear", "param=[H, F];experts=E;owner=ep", {"x": "[B, S, H]", "route": "[B, S, K]"}),
    *((op, "to=n", {"x": "[B]"}) for op in ("send", "recv", "send_recv", "broadcast")),
    ("reduce_broadcast", "to=n;over=tp", {"x": "[B] sum(tp)"}),
    ("parameter", "param=[H];parameter=embedding.tokens", {}),
    ("redistribute", "to=n;layout=[B/ep]", {"x": "[B/tp]"}),
    ("remote_dispatch", "to=n;experts=E;owner=ep", {"x": "[B, S, H]", "route": "[B, S, K]"}),
    ("remote_combine", "to=m;experts=E;owner=ep", {"tokens": "[B*S*K/E, H] vary(ep)", "route": "[B, S, K]"}),
]


AXES_OF_ROWS = ("dp", "ep", "tp", "cp")


def run_on_one_rank(operator, types, given):
    """Run an operator on random values, all axes of size 1."""
    mesh = mesh_of(**dict.fromkeys(AXES_OF_ROWS, 1))
    named = operator.named_weights(ROLE, given, "m")
    if operator.attribute("param") and not named:
        return
    wholes = {name: np.ones(shape_of(tensor)) for name, tensor in named}
    ids = {"targets"} if operator.name != "embedding" else {"x"}
    held = {slot: [np.ones(shape_of(tensor), int if slot in ids else float)] for slot, tensor in types.items()}
    if operator.many:
        held = {slot: each * int(dict.get(given, "count", "1")) for slot, each in held.items()}
    Node(operator, mesh, types, given, wholes).run({0: held})


def shape_of(tensor):
    """The shape of a whole tensor."""
    return tuple(dim.size.bind(SIZES).value for dim in tensor.dims)


def asked_by(op):
    """Every parameter that an operator reads in all that it does."""
    operator, sizes, asked = OPERATORS[op], dict.fromkeys(AXES_OF_ROWS, 2), set()
    for name, params, inputs, *_ in [*ACCEPTED, *FURTHER]:
        if name != op:
            continue
        given = Recorder(part.split("=", 1) for part in params.split(";") if part)
        types = {slot: parse_type(f"{text} @m") for slot, text in inputs.items()}
        outputs = operator.infer(types, given) if types else ()
        if isinstance(operator, Transfer):
            operator.work_between(types, outputs, given, mesh_of(**sizes), mesh_of(**sizes))
        else:
            operator.work(types, outputs, given, sizes)
        operator.named_weights(ROLE, given, "m")
        operator.held_values(given, sizes)
        if isinstance(operator, Collective):
            operator.group_axes(given)
        if not isinstance(operator, Transfer) and not {"route", "tokens"} & {*operator.slots}:
            run_on_one_rank(operator, types, given)
        asked |= given.asked
    return asked


@pytest.mark.parametrize("op", OPERATORS)
def test_an_operator_declares_exactly_what_it_reads(op):
    assert asked_by(op) == {attribute.name for attribute in OPERATORS[op].attributes}


@pytest.mark.parametrize("op", OPERATORS)
def test_declarations_are_whole(op):
    operator = OPERATORS[op]
    names = [attribute.name for attribute in operator.attributes]
    assert len(set(names)) == len(names)
    assert not set(names) & {*NODE_FACTS, *NODE_ATTRIBUTES}
    assert not names or "attributes" in vars(type(operator))  # what a base class has is written out
    for attribute in operator.attributes:
        assert attribute.doc
        assert attribute.default is None or attribute.type.parse(attribute.default_text) == attribute.default
