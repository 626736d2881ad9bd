"""Groups factored into axes: each group has the ranks that its list says; what cannot be nested is refused."""

from itertools import pairwise, product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.generators.groups import Group, factor_groups, parse_group
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings
from dagtool.model.mesh import Mesh

SIZES = {"B": 32, "S": 16, "H": 32, "N": 8, "D": 8, "F": 64, "V": 128, "L": 2, "E": 16, "K": 2}


def ways(**texts):
    """``attention="dp=4 tp=8"`` as lists of groups."""
    return {name: tuple(map(parse_group, text.split())) for name, text in texts.items()}


def rank_groups(groups, name):
    """The sets of ranks that differ only along one group of a list, by counting: the last group runs fastest."""
    members = {}
    for rank, position in enumerate(product(*(range(group.ranks) for group in groups))):
        rest = tuple(at for at, group in zip(position, groups, strict=True) if group.name != name)
        members.setdefault(rest, []).append(rank)
    return sorted(map(tuple, members.values()))


def mesh_groups(mesh, axes):
    """The same over axes of a mesh, in order."""
    rest = [axis for axis, _ in mesh.axes if axis not in axes]
    return sorted(mesh.group(axes, at) for at in mesh.coordinates(rest))


@st.composite
def nested(draw):
    """Several ways to number the same ranks, each bounded by divisors of one chain, so that they can be nested."""
    factors = draw(st.lists(st.sampled_from([1, 2, 2, 3, 4]), min_size=1, max_size=4))
    found = {}
    for way in range(draw(st.integers(1, 3))):
        groups, product_ = [], 1
        for index, factor in enumerate(factors):
            product_ *= factor
            if index == len(factors) - 1 or draw(st.booleans()):
                groups.append(Group(f"g{way}{chr(97 + index)}", product_))
                product_ = 1
        found[f"way{way}"] = tuple(groups)
    return found


@given(nested())
def test_groups_have_their_ranks(given_ways):
    """Of every list every group, member by member in order; axes multiply to all ranks."""
    found = factor_groups(given_ways)
    total = prod(size for _, size in found.axes)
    mesh = Mesh("m", found.axes, tuple(range(total)))
    for groups in given_ways.values():
        assert total == prod(group.ranks for group in groups)
        for group in groups:
            axes = found.groups[group.name]
            assert prod(mesh.sizes[axis] for axis in axes) == group.ranks
            assert mesh_groups(mesh, axes) == rank_groups(groups, group.name)


@st.composite
def factorings(draw):
    """Several ordered factorings of one number."""
    total, rows = draw(st.sampled_from([8, 12, 24, 36])), []
    for _ in range(draw(st.integers(2, 3))):
        row, rest = [], total
        for _ in range(draw(st.integers(0, 2))):
            row.append(draw(st.sampled_from([one for one in range(1, rest + 1) if rest % one == 0])))
            rest //= row[-1]
        rows.append([*row, rest])
    return rows


@given(factorings())
def test_any_groups_are_factored_or_refused(lists):
    """Whatever the numbers: right, or a reason; refused exactly where a border divides no other."""
    given_ways = {
        f"w{number}": tuple(Group(f"g{number}{chr(97 + at)}", ranks) for at, ranks in enumerate(row))
        for number, row in enumerate(lists)
    }
    ends = sorted({prod(row[at:]) for row in lists for at in range(len(row))})
    if any(other % one for one, other in pairwise(ends)):
        with pytest.raises(DagtoolError, match="cannot be nested"):
            factor_groups(given_ways)
        return
    found = factor_groups(given_ways)
    mesh = Mesh("m", found.axes, tuple(range(prod(size for _, size in found.axes))))
    for groups in given_ways.values():
        for group in groups:
            assert mesh_groups(mesh, found.groups[group.name]) == rank_groups(groups, group.name)


def test_the_example_of_the_page():
    """tp=8 is an axis shared with ep, and etp=2."""
    found = factor_groups(ways(attention="dp=4 tp=8", experts="ep=16 etp=2"))
    assert found.axes == (("dp", 4), ("tp_ep", 4), ("etp", 2))
    expected = {"dp": ("dp",), "tp": ("tp_ep", "etp"), "ep": ("dp", "tp_ep"), "etp": ("etp",)}
    assert {name: found.groups[name] for name in expected} == expected
    assert found.groups["tp_ep"] == ("tp_ep",)
    assert found.groups["dp_etp"] == ()


def test_equal_groups_are_one_axis():
    """By the first name; both mean it."""
    found = factor_groups(ways(attention="dp=2 tp=4", experts="dp=2 ep=4"))
    assert found.axes == (("dp", 2), ("tp", 4))
    assert found.groups["ep"] == ("tp",)


@pytest.mark.parametrize(
    ("given_ways", "parts"),
    [
        ({"attention": "dp=4 tp=6", "experts": "ep=6 etp=4"}, ["cannot be nested", "etp=4", "tp=6"]),
        ({"attention": "dp=4 cp=2 tp=3", "experts": "ep=6 etp=4"}, ["cannot be nested", "tp=3", "etp=4"]),
        ({"attention": "dp=4 tp=8", "experts": "ep=16"}, ["different numbers of ranks", "= 32", "= 16"]),
        ({"attention": "dp=4 tp=8", "experts": "dp=2 ep=16"}, ["'dp' has other ranks", "another name"]),
        ({"attention": "tp=4 tp=8"}, ["'tp' is given twice"]),
    ],
)
def test_what_cannot_be_nested(given_ways, parts):
    """Says which two groups, and what to do."""
    with pytest.raises(DagtoolError) as caught:
        factor_groups(ways(**given_ways))
    for part in parts:
        assert part in f"{caught.value.message} {caught.value.hint}"


def strategy_of(settings=None, **document):
    """A mixture of experts, attention dp=4 x tp=2, experts ep=4 x etp=2 or as given."""
    document = {
        "sizes": SIZES,
        "model": {"ffn": "moe"},
        "groups": {"attention": ["dp=4", "tp=4"], "experts": ["ep=8", "etp=2"]},
        "layout": {
            "stream": "B/dp S/tp",
            "attention": "B/dp N/tp",
            "router": "B/dp S/tp_ep",
            "experts": "E/ep F/etp",
            "head": "B/dp V/tp",
        },
        **document,
    }
    return apply_settings("mine", document, settings or {})


@pytest.mark.parametrize("settings", [{}, {"etp": "1", "ep": "16"}, {"etp": "4", "ep": "4"}, {"pp": "2"}])
def test_layouts_name_groups(settings):
    """Generated and equal to the model; --set changes a group."""
    strategy = strategy_of(settings)
    dag = to_dag(parse(partition(strategy).to_dot().encode())[0])
    assert [one for one in dag.validate() if one.severity == "error"] == []
    assert prove(dag, seeds=(0,)).failure is None
    mesh = next(iter(dag.meshes.values()))
    ranks = {"etp": int(settings.get("etp", 2)), "tp": 4, "dp": 4}
    for name, count in ranks.items():
        assert prod(mesh.sizes[axis] for axis in strategy.declared.groups[name]) == count


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        ({"groups": {"attention": "tp=8"}}, ["[groups] attention is 'tp=8'", "['dp=4', 'tp=8']"]),
        ({"groups": {"attention": ["tp8"]}}, ["cannot read the group 'tp8'", "'tp=8'"]),
        ({"groups": {"attention": ["tp=0"]}}, ["cannot read the group 'tp=0'"]),
        ({"groups": {"attention": ["pp=2"]}}, ["pp is no group", "[degrees] pp"]),
        ({"degrees": {"tp": 4}}, ["degree 'tp' beside [groups]"]),
        ({"mesh": {"all": ["tp"]}}, ["[mesh] and [groups] both"]),
        ({"layout": {"stream": "B/dpp"}}, ["no axis 'dpp'", "did you mean 'dp'"]),
        ({"layout": {"stream": "B/dp/ep"}}, ["cuts twice along dp"]),
        ({"layout": {"stream": "B/dp"}}, ["cuts nothing"]),
    ],
)
def test_mistakes(document, parts):
    """Each says what, and what to do."""
    with pytest.raises(DagtoolError) as caught:
        strategy_of(**document)
    text = " ".join(f"{error.message} {error.hint}" for error in caught.value.errors)
    for part in parts:
        assert part in text


def test_a_setting_of_no_group():
    """The groups are among what is known."""
    with pytest.raises(DagtoolError, match="no such size or degree") as caught:
        strategy_of({"ett": "2"})
    assert "'etp'" in caught.value.hint
