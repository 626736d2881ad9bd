"""The terms add up, and say what they should."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import pytest

from dagtool.analysis.polynomial import Polynomial
from dagtool.analysis.terms import TermName, chain_terms, gpu_terms
from dagtool.analysis.why import Why, whys
from dagtool.generators.presets import preset_names
from dagtool.model.size import parse_size

PAIRS = [("moe_tp8_pp2", "ep16"), ("ma_separation", "tp8"), ("tp8", "pp2"), ("pp2", "ep16_tp4")]


@pytest.mark.parametrize("name", preset_names())
def test_terms_of_the_chain_are_the_makespan(name, priced):
    one = priced(name)
    total = sum(chain_terms(one.dag, one.priced).values())
    assert float(total) == pytest.approx(one.priced.plan.makespan_s, rel=1e-9)


@pytest.mark.parametrize("name", preset_names())
def test_terms_of_the_mean_gpu_are_the_makespan_too(name, priced):
    """Exactly those of the chain, up to waiting that is only rounding."""
    one = priced(name)
    terms = gpu_terms(one.dag, one.priced)
    assert float(sum(terms.values())) == pytest.approx(one.priced.plan.makespan_s, rel=1e-9)
    assert terms[TermName("waiting and idle")] >= 0
    assert terms[TermName("done at once")] <= 0
    busy = sum(gpu.compute.busy_s + gpu.communication.busy_s for gpu in one.priced.plan.gpus)
    parts = [time for name, time in terms.items() if name.part not in ("waiting and idle", "done at once")]
    assert float(sum(parts)) * len(one.gpus) == pytest.approx(busy, rel=1e-9)


@pytest.mark.parametrize("names", PAIRS, ids="-".join)
def test_terms_sum_up_exactly_to_the_difference(names, priced):
    subjects = [priced(name) for name in names]
    (why,) = whys(subjects)
    sums = [sum(chain_terms(one.dag, one.priced).values(), Fraction(0)) for one in subjects]
    assert sum(why.terms.values(), Fraction(0)) == why.difference == max(sums) - min(sums)
    spans = [one.priced.plan.makespan_s for one in subjects]
    assert float(why.difference) == pytest.approx(max(spans) - min(spans), rel=1e-9)
    assert why.best == names[spans.index(min(spans))]
    amounts = [abs(amount) for amount in why.terms.values()]
    assert amounts == sorted(amounts, reverse=True)
    assert all(amounts)


def test_the_order_in_which_they_are_named_changes_nothing(priced):
    subjects = [priced(name) for name in ("ma_separation", "tp8", "pp2")]
    found = {
        frozenset((why.best, why.other, why.difference) for why in whys([*some])) for some in permutations(subjects)
    }
    assert len(found) == 1


def test_without_a_cluster_flops_of_the_critical_path_are_compared(subject):
    (why,) = whys([subject("tp8"), subject("pp2")])
    assert (why.best, why.unit) == ("tp8", "FLOP")
    totals = [sum(term.flops.value for term in subject(name).path.terms) for name in ("tp8", "pp2")]
    assert why.difference == totals[1] - totals[0] == sum(why.terms.values())
    assert set(why.terms) == {"attention", "head"}
    assert whys([subject("tp8", B="B"), subject("pp2")]) == []


def test_a_node_that_is_dearer_is_the_term(priced):
    """The same deployment with one kind slower: that kind alone is the difference."""
    one = priced("pp2")
    roles = [kind.role for kind in one.dag.kinds]
    slower = [
        time * 2 if roles[kind] == "pipeline.send_recv" else time
        for time, kind in zip(one.priced.times.time_s, one.dag.kind_of, strict=True)
    ]
    from dagtool.cost.schedule import schedule

    times = replace(one.priced.times, time_s=slower)
    other = replace(one, name="slow", priced=replace(one.priced, times=times, plan=schedule(one.dag, slower)))
    (why,) = whys([other, one])
    assert (why.best, why.other) == ("pp2", "slow")
    assert set(why.terms) == {"send-recv to the next stage"}
    assert "less send-recv to the next stage" in why.sentence


def test_what_is_alike_wins_nothing(priced):
    one = priced("pp2")
    (why,) = whys([one, replace(one, name="again")])
    assert (why.difference, dict(why.terms), dict(why.gpu_terms)) == (0, {}, {})
    assert why.sentence == "pp2 and again take the same time."


def test_the_sentence_names_the_largest_and_counts_the_rest():
    terms = {f"t{number}": Fraction(10 - number) for number in range(6)} | {"less": Fraction(-1)}
    text = Why("a", "b", 2.0, terms, {}, "s").sentence
    assert text == (
        "a wins by 44.0 s against b, 2.00 times as fast: 10.0 s less t0, 9.00 s less t1, 8.00 s less t2, 7.00 s less t3"
        " and 2 smaller terms; against that 1.00 s more less."
    )


def test_sums_of_flops_keep_symbols_apart():
    total = Polynomial.of(parse_size("2*B*S")) + Polynomial.of(parse_size("3*B*S")) + Polynomial.of(parse_size("7"))
    assert total - Polynomial.of(parse_size("5*B*S")) == Polynomial.of(parse_size("7"))
    assert total.number is None
    assert (total - total).number == 0
    assert total.words() == "5.00 FLOP·B·S + 7.00 FLOP"
