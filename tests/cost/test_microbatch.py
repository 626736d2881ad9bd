"""A batch cut into micro-batches."""

import pytest

from dagtool.cost.microbatch import one_microbatch
from dagtool.cost.work import role_flops
from dagtool.errors import DagtoolError
from dagtool.generators import generate


@pytest.mark.parametrize("name", ["pp2", "ma_separation", "ep16_tp4"])
@pytest.mark.parametrize("count", [1, 2, 8])
def test_micro_batches_together_do_the_work_of_the_batch(name, count):
    dag = generate(name)
    whole = sum(row.executed.value for row in role_flops(dag))
    part = one_microbatch(dag, count)
    assert sum(row.executed.value for row in role_flops(part)) * count == whole
    assert dag.sizes["B"] == count * part.sizes["B"]
    assert part.ids is dag.ids


def test_every_rank_gets_whole_sequences():
    """128 sequences on 16 ranks are 8 each."""
    dag = generate("ep16")
    assert one_microbatch(dag, 8).sizes["B"] == 16
    with pytest.raises(DagtoolError, match="B=128 sequences on 16 data-parallel ranks") as refused:
        one_microbatch(dag, 10)
    assert refused.value.hint == "the next smaller number that fits is 8"


def test_no_batch_to_cut():
    dag = generate("pp2")
    del dag.sizes["B"]
    with pytest.raises(DagtoolError, match="is not among its sizes"):
        one_microbatch(dag, 2)
