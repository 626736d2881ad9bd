"""Graphs of published models, run on simulated GPUs under every plan, against what published software computes.

A sample of (model, plan) in which every plan and every model occurs; all of them with DAGTOOL_ALL_PLANS=1.
"""

import os
from functools import cache

import pytest
from helpers.golden import NAMES, TOLERANCE, load, needs_golden, relative_error
from helpers.plans import PLANS, plans_of, situation_of
from helpers.published import CONFIGS
from published.deployed import deploy, logits_of, shared_out

from dagtool.execute.prove import compare, reference_run
from dagtool.execute.weights import RandomWeights
from dagtool.generators.phase import PHASES
from dagtool.model.families import read_config

EVERYTHING = bool(os.environ.get("DAGTOOL_ALL_PLANS"))
SEQUENCES, TOKENS, PROMPT = 2, 10, 6
CONTEXTS = range(PROMPT + 1, TOKENS + 1)
"""How many tokens each decode step sees."""
PHASE_NAMES = ("forward", "prefill", "decode")


def run_sizes(phase, context):
    """B, S and in decoding T."""
    if phase != "decode":
        return {"B": SEQUENCES, "S": context}
    return {"B": SEQUENCES, "S": 1, "T": context}


def contexts(phase):
    """How many tokens the model sees in each run of a phase."""
    return CONTEXTS if phase == "decode" else (TOKENS,)


def sample(models, phase, times):
    """(model, plan) that fit in some context: all, or each plan on some models."""
    fitting = frozenset(
        (name, plan)
        for name, published in models.items()
        for context in contexts(phase)
        for plan in plans_of(situation_of(published, phase, **run_sizes(phase, context)))
    )
    chosen = sorted(fitting) if EVERYTHING else shared_out(fitting, times)
    return [pytest.param(name, phase, plan, id=f"{name}-{phase}-{plan}") for name, plan in chosen]


def diagnosis(dag, run):
    """Where the graph and the unsharded model part: the node and what is wrong with it."""
    failure = compare(dag, run).failure
    return failure and (dag.ids[failure.node], failure.message)


# -- published software -------------------------------------------------------------------------


@cache
def golden_run(name, phase, context):
    published, weights, run = load(name)
    sizes = {**published.sizes, **run_sizes(phase, context)}
    tokens = run["tokens"][:, :context]
    return reference_run(published.model, PHASES[phase], sizes, weights, tokens=tokens)


def golden_logits(name, phase, context):
    """What published software computed."""
    run = load(name)[2]
    if phase == "decode":
        return run["decode_logits"][:, [context - PROMPT]]
    return run["logits"][:, -1:] if phase == "prefill" else run["logits"]


GOLDEN_MODELS = {name: load(name)[0] for name in NAMES}
GOLDEN_SAMPLE = [one for phase in PHASE_NAMES for one in sample(GOLDEN_MODELS, phase, times=2)]


@needs_golden
@pytest.mark.parametrize(("name", "phase", "plan"), GOLDEN_SAMPLE)
def test_logits_are_those_of_published_software(name, phase, plan):
    """Forward, prefill and each decode step with the cache of the tokens before it."""
    ran = 0
    for context in contexts(phase):
        document = plans_of(situation_of(GOLDEN_MODELS[name], phase, **run_sizes(phase, context))).get(plan)
        if document is None:
            continue  # this context cannot be cut so
        dag, run = deploy(document), golden_run(name, phase, context)
        error = relative_error(logits_of(dag, run), golden_logits(name, phase, context))
        assert error < TOLERANCE, diagnosis(dag, run)
        ran += 1
    assert ran


@needs_golden
def test_every_plan_and_model_is_tried():
    """The sample leaves none out, and every model runs in every phase."""
    tried = [one.values for one in GOLDEN_SAMPLE]
    assert {plan for _, _, plan in tried} == set(PLANS)
    assert {(name, phase) for name, phase, _ in tried} == {(name, phase) for name in NAMES for phase in PHASE_NAMES}


# -- small configurations, which every checkout has ---------------------------------------------

MODELS = {name: read_config(config) for name, config in CONFIGS.items()}
SMALL_CONTEXT = {"forward": 10, "prefill": 10, "decode": 12}


@cache
def small_run(name, phase):
    published = MODELS[name]
    sizes = {**published.sizes, **run_sizes(phase, SMALL_CONTEXT[phase])}
    return reference_run(published.model, PHASES[phase], sizes, RandomWeights(5))


def small_documents(name, phase):
    return plans_of(situation_of(MODELS[name], phase, **run_sizes(phase, SMALL_CONTEXT[phase])))


def small_sample(phase, times=1):
    fitting = frozenset((name, plan) for name in MODELS for plan in small_documents(name, phase))
    chosen = sorted(fitting) if EVERYTHING else shared_out(fitting, times)
    return [pytest.param(name, phase, plan, id=f"{name}-{phase}-{plan}") for name, plan in chosen]


SMALL_SAMPLE = [one for phase in PHASE_NAMES for one in small_sample(phase)]


@pytest.mark.parametrize(("name", "phase", "plan"), SMALL_SAMPLE)
def test_graphs_are_their_definition(name, phase, plan):
    """Random weights; the logits of the graph are those of the unsharded model, node by node where they are not."""
    dag, run = deploy(small_documents(name, phase)[plan]), small_run(name, phase)
    expected = run.reference.logits[:, -1:] if phase == "prefill" else run.reference.logits
    assert relative_error(logits_of(dag, run), expected) < 1e-10, diagnosis(dag, run)


def test_every_plan_fits_some_configuration():
    assert {one.values[2] for one in SMALL_SAMPLE} == set(PLANS)


@pytest.mark.parametrize(
    ("plan", "operators"),
    [
        ("cp2", {"all_gather"}),
        ("ulysses2", {"all_to_all"}),
        ("tp2", {"all_reduce"}),
        ("tp2_sp", {"all_gather", "reduce_scatter"}),
        ("keys_cut", {"parallel_softmax"}),
        ("ep2", {"dispatch", "combine"}),
        ("ep2_in_place", {"combine_reduce"}),
        ("pp3", {"send_recv"}),
        ("pp3_send_recv", {"send", "recv"}),
        ("apart_by_batch", {"redistribute"}),
        ("drawn_routing", {"route", "route_back"}),
    ],
)
def test_plans_are_what_they_are_called(plan, operators):
    """The collectives that make a plan are in its graph."""
    dag = deploy(small_documents("mixtral", "prefill")[plan])
    assert operators <= {kind.op for kind in dag.kinds}
