"""Whatever is done to a graph, ``prove`` answers: equal, a node that is at fault and why, or what cannot be run."""

import re
from collections import Counter
from functools import cache
from random import Random

import pytest
from mutation.draft import Draft
from mutation.subjects import subject

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.ops import OPERATORS

SMALL = ("tp8", "dp2_ep2_tp2_gated", "latent_decode", "windows", "pp2_dp2_ep2_send", "prefill_and_two_steps")
TRIES = 36
"""Damaged graphs of each kind of damage."""

_INTERNAL = re.compile(r"object|attribute '__|NoneType|numpy|ndarray|Traceback|\w+Error\b|Routing\(|\bdict\b|^'\w+'$")
"""Words of the program, which say nothing to who wrote the graph."""


@cache
def whole(name):
    """The statements of a small graph."""
    return Draft.read(subject(name))


# -- damage -----------------------------------------------------------------------------------


def another_operator(draft, random):
    """A node, or all of its role, gets the operator of another node, with its attributes or without."""
    node, other = (random.choice(list(draft.nodes)) for _ in range(2))
    for one in [node, *(draft.siblings(node) if random.random() < 0.5 else ())]:
        draft.nodes[one]["op"] = random.choice([draft.get(other, "op"), random.choice(list(OPERATORS))])


def operators_exchanged(draft, random):
    """Two nodes exchange their operators and all that these read, but not their types."""
    one, other = (draft.nodes[name] for name in random.sample(list(draft.nodes), 2))
    for key in {*one, *other} - {"role", "input", "output", "gpu", "layer_index", "expert", "phase"}:
        mine, theirs = one.pop(key, None), other.pop(key, None)
        one |= {} if theirs is None else {key: theirs}
        other |= {} if mine is None else {key: mine}


def attribute_dropped(draft, random):
    """An attribute of a node, of all nodes of its role, of an edge or of the graph."""
    if random.random() < 0.1:
        draft.header.pop(random.choice(list(draft.header)))
        return
    if random.random() < 0.2 and (edge := draft.pick_edge(random, lambda edge: edge.facts)):
        edge.facts.pop(random.choice(list(edge.facts)))
        return
    node = draft.pick(random, lambda _: True)
    name = random.choice(list(draft.nodes[node]))
    for one in [node, *(draft.siblings(node) if random.random() < 0.5 else ())]:
        draft.nodes[one].pop(name, None)


def attribute_changed(draft, random):
    """An attribute gets the value that another node has, a number, an axis, or what cannot be read."""
    node = draft.pick(random, lambda _: True)
    name = random.choice(list(draft.nodes[node]))
    values = [facts[name] for facts in draft.nodes.values() if name in facts]
    values += ["0", "1", "5", "-3", "tp", "E/7", "[B]", "", "ü", "9" * 17, "B*S*H", "[H, 0] @all", "no"]
    draft.nodes[node][name] = random.choice(values)


def inputs_swapped(draft, random):
    """Edges into a node fill each other's inputs, or its types do."""
    node = draft.pick(random, lambda name: len({str(edge.facts) for edge in draft.into(name)}) > 1)
    one = random.choice(draft.into(node))
    if random.random() < 0.6:
        other = random.choice([edge for edge in draft.into(node) if edge.facts != one.facts])
        one.facts, other.facts = other.facts, one.facts
    else:
        ports = draft.ports(node, "input")
        types = [tensor for _, tensor in ports]
        random.shuffle(types)
        draft.set_ports(node, "input", [(slot, tensor) for (slot, _), tensor in zip(ports, types, strict=True)])


def edge_led_elsewhere(draft, random):
    """An edge begins or ends at another node, fills another input, or is there twice or not at all."""
    edge = draft.pick_edge(random)
    match random.randrange(5):
        case 0:
            edge.tail = random.choice(list(draft.nodes))
        case 1:
            edge.head = random.choice(list(draft.nodes))
        case 2:
            edge.facts["arg"] = random.choice(["x", "y", "route", "tokens", "k", "w", "none"])
        case 3:
            draft.edges.append(edge)
        case _:
            draft.edges.remove(edge)


def size_changed(draft, random):
    """A size of the graph, or the axes of a mesh, are others."""
    name = random.choice(["sizes", "sizes", "sizes", "meshes"])
    numbers = list(re.finditer(r"(?<==)\d+", draft.header[name]))
    at = random.choice(numbers)
    text = draft.header[name]
    draft.header[name] = text[: at.start()] + str(random.choice([1, 2, 3, 5, 7, 10**6, 10**17])) + text[at.end() :]


def node_removed(draft, random):
    """A node with its edges, or all of its role on all ranks."""
    node = draft.pick(random, lambda _: True)
    for one in [node, *(draft.siblings(node) if random.random() < 0.5 else ())]:
        draft.remove(one)


DAMAGE = (
    another_operator, operators_exchanged, attribute_dropped, attribute_changed, inputs_swapped, edge_led_elsewhere,
    size_changed, node_removed,
)  # fmt: skip


def damaged(damage, number):
    """A small graph with one or two such faults; the same for the same number."""
    random = Random(f"{damage.__name__} {number}")
    draft = whole(random.choice(SMALL)).copy()
    for _ in range(random.choice((1, 1, 2))):
        damage(draft, random)
    return draft.text()


# -- answers ----------------------------------------------------------------------------------


def answer(text):
    """``equal``, ``fault`` or ``refused``; the message says what a reader of the graph understands."""
    dag = to_dag(parse(text.encode())[0])
    outcome, message = _outcome(dag)
    assert (outcome == "equal") == (message == "")
    assert not _INTERNAL.search(message), message
    return outcome


def _outcome(dag):
    try:
        failure = prove(dag, seeds=(0,)).failure
    except DagtoolError as error:
        return "refused", error.message
    if failure is None:
        return "equal", ""
    return ("fault" if 0 <= failure.node < len(dag.ids) else "fault nowhere"), failure.message


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_every_damage_has_an_answer(damage):
    """No exception but DagtoolError; much of it is a fault."""
    answers = Counter(answer(damaged(damage, number)) for number in range(TRIES))
    assert answers.keys() <= {"equal", "fault", "refused"}, answers
    assert answers["fault"] + answers["refused"] > TRIES / 4, answers
