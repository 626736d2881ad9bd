"""How much a run takes is known before: too much is refused at once, with the limit and what to do."""

import re
import time
import tracemalloc

import pytest
from mutation.subjects import subject

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute import room
from dagtool.execute.prove import prove, reference_run
from dagtool.execute.sizes import small_sizes
from dagtool.execute.weights import RandomWeights
from dagtool.generators.phase import parse_phases
from dagtool.model.tree import parse_model


def changed(name, old, new):
    """A small graph with a text replaced."""
    text, times = re.subn(old, new, subject(name), count=1)
    assert times
    return to_dag(parse(text.encode())[0])


@pytest.mark.parametrize(
    ("name", "old", "new", "parts"),
    [
        ("tp8", r'(sizes=".*?)L=\d+', r"\1L=999999999999", ["L=999,999,999,999 layers", "at most 10,000"]),
        ("latent_prefill", r'(sizes=".*?)L=\d+', r"\1L=999999999999", ["999,999,999,999 layers"]),
        ("tp8", r'(sizes=".*?)E=\d+', r"\1E=999999999", ["E=999,999,999", "GiB of arrays", "at most 4 GiB"]),
        ("tp8", r"tp=4 gpus=0-3", "tp=1000000 gpus=0-999999", ["1,000,000 GPUs", "at most 65,536"]),
    ],
)
def test_too_much_is_refused_at_once(name, old, new, parts):
    """In a second and in little memory."""
    dag = changed(name, old, new)
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(DagtoolError) as caught:
        prove(dag, seeds=(0,))
    assert time.process_time() - began < 5
    assert tracemalloc.get_traced_memory()[1] < 100 << 20
    tracemalloc.stop()
    assert "prove a smaller plan" in caught.value.hint
    for part in parts:
        assert part in caught.value.message


def test_runs_are_counted_on_every_gpu(monkeypatch):
    """Many nodes, each on many GPUs."""
    dag = changed("tp8", "tp8", "tp8")
    monkeypatch.setattr(room, "MOST_RUNS", len(dag.ids))
    with pytest.raises(DagtoolError, match=f"runs, and at most {len(dag.ids)} are made"):
        prove(dag, seeds=(0,))


@pytest.mark.parametrize("name", ["tp8", "ep16", "latent_decode", "windows", "prefill_and_two_steps"])
def test_bytes_are_about_those_of_the_run(name):
    """What is counted before is what the arrays of the unsharded model take, to a third."""
    dag = to_dag(parse(subject(name).encode())[0])
    model, phases = parse_model(dag.facts["model"]), parse_phases(dag.facts.get("phase", "forward"))
    sizes, weights = small_sizes(dag), RandomWeights(0)
    run = reference_run(model, phases, sizes, weights)
    arrays = {id(one): one for held in run.references.values() for values in held.values.values() for one in values}
    taken = sum(getattr(one, "nbytes", 0) for one in [*arrays.values(), *weights._made.values()])
    assert taken / 1.5 < room.bytes_held(dag, model, phases, sizes) < 3 * taken
