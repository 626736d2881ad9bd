"""A fixed sample of random combinations of model, layout and phase: proved, or refused with reason and hint."""

import pytest
from published.draw import BENDS, WAYS, Combination, draw
from published.draw_regions import WAY, draw_regions
from published.judge import features_of, judge, template_of
from published.study import PAGE, Study, failures, page, run

from dagtool.errors import DagtoolError

SAMPLE, FILES, SEED = 80, 40, 3


@pytest.fixture(scope="module")
def study():
    """The sample, run once."""
    return run(SEED, SAMPLE)


def test_combinations_go_as_they_must(study):
    """What is accepted is right in every respect, what is refused says why and what to do."""
    assert study.faults == [], failures(study)
    assert len(study.proved) > SAMPLE / 3
    assert len(study.refused) > SAMPLE / 10


def test_all_ways_are_drawn(study):
    """Each way occurs, and combinations of it are proved; whatever fits is proved."""
    assert {one.combination.way for one in study.verdicts} == set(WAYS)
    assert {one.combination.way for one in study.proved} >= {"fitting", "bent"}


@pytest.fixture(scope="module")
def files():
    """Some strategy files of regions, run once."""
    return run(SEED, FILES, drawn=draw_regions)


def test_strategy_files_go_as_they_must(files):
    """Any meshes, regions and ways to draw: proved and without a finding, or refused with a reason."""
    assert files.faults == [], failures(files)
    assert {one.combination.way for one in files.verdicts} == {WAY}
    assert len(files.proved) > FILES / 3
    assert len(files.refused) > FILES / 10


def test_features_of_strategy_files_occur(files):
    """Experts over ranks, in nodes of their own or not; several meshes; all phases."""
    found = frozenset().union(*(one.features for one in files.proved))
    assert {"experts: E cut", "drawn: routing nodes", "[mesh]", "axes: 2", "phase decode", "pipeline"} <= found
    drawn = [draw_regions(SEED, number).document for number in range(FILES)]
    assert {len(document.get("mesh", {})) for document in drawn} == {0, 1, 2}
    assert any("first_gpu" in document for document in drawn)
    assert any("regions" in document.get("decode", {}) for document in drawn)


def test_features_occur(study):
    """The sample is a mixed one."""
    found = frozenset().union(*(one.features for one in study.proved))
    assert len(found) > 80
    assert {"attention mla", "ffn moe", "window", "pipeline", "phase decode", "E cut", "T cut", "[mesh]"} <= found
    further = {"phase prefill decode*2", "phase loss", "[decode.layout]", "[store]", "[dtypes]", "physical experts"}
    assert further <= found


def test_a_number_is_one_combination():
    """The same each time, and another one for another number or seed."""
    assert draw(1, 3) == draw(1, 3)
    assert draw(1, 3).document != draw(1, 4).document != draw(2, 4).document
    assert draw_regions(1, 3) == draw_regions(1, 3)
    assert draw_regions(1, 3).document != draw_regions(1, 4).document != draw_regions(2, 4).document


@pytest.mark.parametrize("bend", BENDS, ids=lambda bend: bend.__name__)
def test_bends_change_something(bend):
    """None of the bends is dead."""
    from copy import deepcopy
    from random import Random

    documents = [draw(1, number).document for number in range(40)]
    for number, document in enumerate(documents):
        before = deepcopy(document)
        bend(Random(number), document)
        if document != before:
            return
    pytest.fail("no document is changed")


DOCUMENT = draw(1, 0).document


def verdict(monkeypatch, *, generated=None, **changes):
    """Of a document that is judged with something exchanged."""
    if generated:
        monkeypatch.setattr("published.judge._generated", generated)
    return judge(Combination(1, 0, changes.pop("way", "bent"), {**DOCUMENT, **changes}))


def raising(error):
    """A generator that raises."""

    def generate(document):
        raise error

    return generate


@pytest.mark.parametrize(
    ("error", "way", "fault"),
    [
        (DagtoolError("no", "do this"), "bent", ""),
        (DagtoolError("no"), "bent", "refused without hint"),
        (DagtoolError("", "do this"), "bent", "refused without message"),
        (DagtoolError("KeyError: 'x'", "do this"), "bent", "in words of the program"),
        (DagtoolError("no", "do this"), "fitting", "refused though it fits"),
        (DagtoolError("no", "it can with [operators] qkv = 'fused'"), "bent", "misleading hint: no; it can with"),
        (KeyError("x"), "bent", "generating: KeyError"),
    ],
)
def test_judgement_of_refusals(monkeypatch, error, way, fault):
    """The judge is not content with any refusal."""
    found = verdict(monkeypatch, generated=raising(error), way=way)
    assert found.fault.startswith(fault) if not fault else fault in found.fault
    assert not found.proved


def test_judgement_of_graphs(monkeypatch):
    """A graph that is not the model's is a fault: another one, and one of which a part is missing."""
    import published.judge as module

    document = {**DOCUMENT, "model": {"ffn": "dense"}, "layout": {}, "operators": {}, "degrees": {}}
    document["sizes"] = {"B": 2, "S": 4, "H": 8, "N": 2, "D": 4, "F": 8, "V": 8, "L": 2}
    for key in ("stages", "mesh", "groups", "replicate"):
        document.pop(key, None)
    document["phase"] = "forward"
    assert judge(Combination(1, 0, "fitting", document)).proved
    generate = module._generated

    def half(given):
        return generate({**given, "sizes": {**given["sizes"], "F": 4}} if "layout" in given else given)

    monkeypatch.setattr(module, "_generated", half)
    assert judge(Combination(1, 0, "bent", document)).fault.startswith("FLOPs")


def test_templates_leave_out_what_is_of_one_combination():
    """Messages are counted by what they have in common."""
    assert template_of("tp=2 does not divide heads N=7") == template_of("ep=3 does not divide heads N=8")
    assert template_of("layout 'a' cuts B twice") == template_of("layout 'b.c' cuts B twice")


def test_the_page_is_of_the_study():
    """docs/combinations.md was made by the command; it shows no fault."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("faults: none") == 2
    assert text.startswith(page(Study(1), 2000, Study(1)).partition("```\n")[0])
    assert [name for name in features_of(DOCUMENT) if f"| {name} |" not in text] == []
