"""Where a part cannot be computed as it lies, the hint names a change that helps."""

import re

import pytest

from dagtool.errors import DagtoolError
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings

SIZES = {"B": 8, "S": 16, "H": 32, "N": 8, "D": 8, "F": 64, "V": 128, "L": 2}


def build(document):
    """A document as a DAG."""
    return partition(apply_settings("mine", document, {}))


def refusal(layout, **document):
    """The document, its error and the hint."""
    whole = {"sizes": SIZES, "degrees": {"tp": 2, "dp": 2}, "layout": layout, **document}
    with pytest.raises(DagtoolError) as caught:
        build(whole)
    return whole, caught.value


@pytest.mark.parametrize(
    ("layout", "hint"),
    [
        ({"stream": "B/dp H/tp"}, "it can with [layout] stream = 'all B/dp' and replicate = ['tp']"),
        ({"stream": "B/dp", "attention": "N/tp/dp"}, ""),
        (
            {"stream": "B/dp", "attention": "B/dp N/tp", "attention.keys": "N/tp"},
            "it can with [layout] attention.keys left out",
        ),
        (
            {"stream": "B/dp", "attention": "B/dp N/tp", "attention.core": "B/dp N/tp D/dp"},
            "it can with [layout] attention.core = 'all B/dp N/tp'",
        ),
        ({"stream": "B/dp", "mlp": "B/dp F/tp H/dp"}, "it can with [layout] mlp = 'all B/dp F/tp'"),
        ({"stream": "B/dp", "head": "B/dp V/dp/tp"}, "it can with [layout] head = 'all B/dp V/tp'"),
    ],
)
def test_the_nearest_layout_is_named(layout, hint):
    """One axis fewer, or a line left out."""
    if not hint:
        assert build({"sizes": SIZES, "degrees": {"tp": 2, "dp": 2}, "layout": layout}).ids
        return
    assert refusal(layout)[1].hint == hint


def test_the_layout_of_a_phase_is_changed_too():
    """The line stands in the table of its phase; written there it helps."""
    document, error = refusal(
        {"*": "B/dp", "attention": "B/dp N/tp"},
        phase="prefill decode",
        sizes={**SIZES, "Q": 1, "T": 20},
        decode={"layout": {"*": "B/dp", "attention": "B/dp N/tp", "mlp": "B/dp F/tp H/dp"}},
    )
    key, value = re.match(r"it can with \[decode.layout\] (\S+) = '(.*)'\Z", error.hint).groups()
    inner = {**document["decode"]["layout"], key: value}
    assert build({**document, "decode": {"layout": inner}}).ids


def test_an_operator_drawn_otherwise_is_nearer_than_another_layout():
    """Merged heads would be strided."""
    _, error = refusal(
        {"stream": "all", "attention": "G/dp N/tp"}, operators={"merge_heads": "yes"}, sizes={**SIZES, "G": 2}
    )
    assert error.hint == "it can with [operators] merge_heads = 'no'"


def test_the_change_that_is_named_helps():
    """Written into the document it is accepted."""
    document, error = refusal({"stream": "B/dp", "attention": "B/dp N/tp", "mlp": "B/dp F/tp H/dp"})
    key, value = re.fullmatch(r"it can with \[layout\] (\S+) = '(.*)'", error.hint).groups()
    assert build({**document, "layout": {**document["layout"], key: value}}).ids


def test_of_two_faults_the_first_is_named_with_what_remains():
    """No single change is enough."""
    _, error = refusal({"stream": "B/dp H/tp", "mlp": "B/dp F/dp"})
    assert "it can, but then mine: " in error.hint


def test_a_fault_of_the_model_is_none_of_the_layout():
    """It is said of the model, before any layout is looked at."""
    _, error = refusal({"stream": "B/dp", "attention": "B/dp N/tp"}, model={"query_scale": "cbrt(D)"})
    assert "[model] attention.scores: cannot read 'cbrt(D)'" in error.message
    assert error.hint == "change that option of the model"


@pytest.mark.parametrize(
    ("model", "sizes", "part"),
    [
        ({"groups": 3}, {}, "groups=3 does not divide experts E=8"),
        ({"groups": 4, "top_groups": 1}, {"K": 3}, "takes K=3 experts, but its groups have only 2"),
        ({"groups": 2, "top_groups": 3}, {}, "chooses from 3 groups of experts but has only 2"),
        ({"kind": 1}, {}, "the model has no option 'kind'"),
    ],
)
def test_what_does_not_go_together_in_a_model(model, sizes, part):
    """Groups of experts, options."""
    document = {"sizes": {**SIZES, "E": 8, "K": 2, **sizes}, "model": {"ffn": "moe", **model}}
    with pytest.raises(DagtoolError) as caught:
        build(document)
    assert part in caught.value.message
    assert caught.value.hint


def test_an_option_of_another_block_says_whose_it_is():
    """A gate in a dense model."""
    with pytest.raises(DagtoolError) as caught:
        build({"sizes": SIZES, "model": {"gate": "sigmoid"}})
    assert caught.value.hint == "gate is an option of ffn = 'moe'"


def test_an_axis_cannot_be_called_as_a_field_of_names():
    """{x} is the expert."""
    with pytest.raises(DagtoolError, match="an axis cannot be called 'x'") as caught:
        build({"sizes": SIZES, "degrees": {"x": 2}, "layout": {"stream": "B/x"}})
    assert "{x} stands for the expert" in caught.value.hint
