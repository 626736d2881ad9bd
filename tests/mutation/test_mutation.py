"""A fixed sample of the mutation study: the rules report what the executor finds harmful, and nothing else."""

import pytest
from mutation.catalogue import mutations
from mutation.draft import Draft
from mutation.forms import FORMS
from mutation.study import ALARMS, NEAR, PAGE, run
from mutation.subjects import SUBJECTS, subject
from mutation.verdict import Key, findings_of, judge, mutant, read

SAMPLE = 300


@pytest.fixture(scope="module")
def study():
    """The sample, run once."""
    return run(seed=2, count=SAMPLE)


def test_harmful_mutants_are_reported(study):
    """All but at most one, each by an error on or beside the damage."""
    assert study.total.harmful >= SAMPLE // 2
    missed = [f"{one.key}: {one.harm_at}: {one.harm}" for one in study.verdicts if one.missed]
    assert len(missed) <= 1, missed
    assert study.total.near >= NEAR * study.total.harmful


def test_harmless_mutants_are_let_be(study):
    """No error where neither a value nor a declaration is wrong."""
    alarms = [f"{one.key}: {one.errors}" for one in study.verdicts if one.false_alarm]
    assert study.total.harmless >= SAMPLE // 20
    assert len(alarms) <= ALARMS * study.total.harmless, alarms


def test_no_damage_is_unseen_where_the_header_lost_a_part(study):
    """Each form: nothing passes as if all had been checked, and nearly all is found all the same."""
    assert {row.form.name for row in study.by_form.values() if row.harmful} == {form.name for form in FORMS}
    for row in study.by_form.values():
        assert row.reported == row.harmful or not row.form.lost, row.form.name
        assert row.error + row.warning >= (row.form.wanted - 0.04) * row.harmful, row.form.name


def test_neither_executor_nor_rules_break(study):
    """Whatever is done to a graph, both answer."""
    assert [f"{one.key}: {one.crash}" for one in study.verdicts if one.crash] == []


@pytest.mark.parametrize("name", SUBJECTS)
def test_nothing_is_found_in_what_is_damaged(name):
    """The correct DAGs raise nothing, as generated and as the study writes them."""
    for text in (subject(name), Draft.read(subject(name)).text()):
        assert [(one.code, one.message) for one in findings_of(read(text))] == []


def test_every_mutation_applies_somewhere():
    """None is dead; together they are many, and each says in a line what it does."""
    assert len(mutations()) >= 200
    for name, mutation in mutations().items():
        assert mutation.__doc__, name
        keys = (Key(name, one, number, 1) for number in range(3) for one in SUBJECTS)
        assert any(mutant(key) for key in keys), name


def test_a_key_names_one_mutant():
    """The same text each time, and another one for another number."""
    texts = [mutant(Key("edges.drop_edge", "tp8", number, 1))[1].text() for number in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]


def test_the_verdict_on_two_known_ones():
    """A forgotten edge is harm reported there; nodes in another order are none."""
    verdict = judge(Key("edges.drop_edge", "tp8", 0, 1))
    assert (bool(verdict.harm), bool(verdict.errors), verdict.near) == (True, True, True)
    verdict = judge(Key("harmless.statements_shuffled", "tp8", 0, 1))
    assert (verdict.harm, verdict.errors) == ("", ())


def test_the_page_lists_every_mutation():
    """docs/mutation.md was made with all of them: ``study.py --write-docs`` writes it."""
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in mutations() if f"| `{name}` |" not in page] == []
