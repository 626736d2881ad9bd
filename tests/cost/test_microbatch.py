"""A batch cut into micro-batches."""

import pytest

from dagtool.cost.memory import Assumptions, memory
from dagtool.cost.microbatch import every_microbatch, one_microbatch
from dagtool.cost.schedule import schedule
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


def at_the_schedule(dag, microbatches, discipline="gpipe"):
    """The memory of each GPU where micro-batches go through one after the other."""
    part = one_microbatch(dag, microbatches)
    plan = schedule(part, [1.0] * len(part.ids), microbatches=microbatches, discipline=discipline, backward=0.0)
    return memory(every_microbatch(part, microbatches), plan.start_s, Assumptions(), end_s=plan.end_s)


def test_copies_are_the_instances_of_a_schedule():
    """Numbered alike, with the edges of each micro-batch within it."""
    part = one_microbatch(generate("pp2"), 4)
    copies, count = every_microbatch(part, 4), len(part.ids)
    plan = schedule(part, [1.0] * count, microbatches=4)
    assert len(copies.ids) == len(plan.start_s)
    for index in (0, count - 1, count, 4 * count - 1):
        assert copies.ids[index] == part.ids[plan.instance(index).node]
    assert all(tail // count == head // count for tail, head in zip(copies.tails, copies.heads, strict=True))
    assert all(plan.end_s[tail] <= plan.start_s[head] for tail, head in zip(copies.tails, copies.heads, strict=True))


@pytest.mark.parametrize("name", ["pp2", "ma_separation", "moe_tp8_pp2", "ep16_tp4"])
def test_micro_batches_share_weights_and_fill_the_whole_cache(name):
    """What is in flight shrinks; what stays does not. Two at a time hold no less than one."""
    dag = generate(name)
    whole, parts, pairs = (at_the_schedule(dag, *one) for one in ((1,), (8,), (8, "overlap")))
    for one, other, two in zip(whole.groups, parts.groups, pairs.groups, strict=True):
        assert (one.gpus, one.weights_bytes) == (other.gpus, other.weights_bytes)
        assert one.kv_cache_bytes == other.kv_cache_bytes == two.kv_cache_bytes
        assert one.live_bytes / 8 <= other.live_bytes < one.live_bytes
        assert two.live_bytes >= one.live_bytes / 8
