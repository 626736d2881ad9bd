"""The report: what stands in it, of presets and of files of any origin."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dagtool.analysis.report import render_report
from dagtool.analysis.subject import Subject
from dagtool.cost.critical import Term
from dagtool.cost.work import matmuls_of
from dagtool.dot.dialect import to_dag
from dagtool.dot.reader import parse
from dagtool.dot.writer import write_dot
from dagtool.generators.presets import preset_names

SECTIONS = [
    *["Configuration", "GPUs", "Dimensional splits", "Matrix products", "Communication", "Longest path", "Memory"],
    "Validation",
]


def read(text: str, name: str = "some.dot") -> Subject:
    return Subject(name, to_dag(parse(text.encode())[0]))


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_has_every_section_every_product_and_no_finding(name, subject):
    one = subject(name)
    text = render_report(one)
    found = re.findall(r"^## (.*)", text, re.MULTILINE)
    documents = dict.fromkeys(row.document for row in one.strategy.stated)
    assert found == [
        *SECTIONS,
        *(f"What document {document} says" for document in documents),
        "Where the document errs or leaves things open",
    ]
    terms = {str(Term(p.m, p.k, p.n)) for work in one.works for p in matmuls_of(work, one.dag)}
    assert all(f"`{term}`" in text for term in terms)
    assert f"`time = {one.path.expression}`" in text
    assert "nothing is wrong" in text
    assert "without any parallelism has" in text
    assert "**not the same**" not in text
    assert all(row.says in text for row in one.strategy.stated)
    assert not re.search(r"\n\n\n|[ \t]\n|\bNone\b", text)


def test_flops_of_attention_are_those_that_the_mask_keeps(subject):
    """moe_tp8_pp2: scores of 128 x 4 heads x 10000 x 10001/2 pairs, 128 multiplications and additions each."""
    text = render_report(subject("moe_tp8_pp2"))
    assert "(of attention the pairs that the mask keeps)" in text
    assert 2 * 128 * 4 * 128 * 10_000 * 10_001 // 2 == 6_554_255_360_000
    row = next(line for line in text.splitlines() if line.startswith("| `attention.scores`"))
    assert "6.55 TFLOP" in row
    assert "that the mask keeps" not in render_report(subject("ma_separation", S="S"))


def test_tables_are_aligned(subject):
    for block in re.findall(r"(?:^\|.*\n)+", render_report(subject("ep16_tp4")), re.MULTILINE):
        lines = block.splitlines()
        inner = lines[0].count("|") - 2
        assert len({tuple(line.split("|", inner + 1)[at].__len__() for at in range(inner)) for line in lines}) == 1


def test_a_symbol_is_said_to_be_one(subject):
    text = render_report(subject("ma_separation", B="B"))
    assert "B, a symbol" in text
    assert "Not known: B is a symbol." in text
    assert "Sizes or degrees were changed: `B=B`." in text
    assert "4*(Get_Time(2048*B,4096,512)+Get_Time(8192*B,128,2048)" in text


def test_with_a_cluster_it_has_seconds_and_terms(priced):
    text = render_report(priced("moe_tp8_pp2", "2xh100x8"))
    assert "## Seconds\n\nOn 2xh100x8 in bf16: makespan " in text
    assert "It does not fit: the fullest GPU needs " in text
    assert "tokens/s of prompts (B·S tokens over the makespan)" in text
    rows = text.partition("## Seconds")[2].partition("## ")[0]
    assert rows.count("100.0 %") == 1
    shares = [float(number) for number in re.findall(r"([\d.]+) % \|", rows)]
    assert sum(shares[:-1]) == pytest.approx(100, abs=1)


def test_a_file_gives_the_report_of_its_preset_without_the_document(subject):
    one = subject("pp2")
    again = read("".join(write_dot(one.dag)), "pp2")
    text, whole = render_report(again), render_report(one)
    start = whole.index("## GPUs")
    assert text[text.index("## GPUs") :].rstrip() == whole[start : whole.index("## What document")].rstrip()


def test_of_a_file_of_other_origin_it_tells_what_labels_tell():
    text = render_report(
        read('digraph g { a [label="Q Projection\\nGPU: 0\\nInput: [8, 16]\\nOutput: [8, 16]"]; a -> b; b -> c }')
    )
    assert "3 nodes, 2 edges. The file declares no operators" in text
    assert re.search(r"\| `linear` *\| *1 \| *1 \| *1 \| *1 \|", text)
    assert "3 nodes follow one another on the longest path" in text
    assert "## What cannot be derived" in text
    assert "Get_Time" not in text


def test_a_cycle_has_no_longest_path(subject):
    assert "There is none: the graph has a cycle." in render_report(read("digraph { a -> b -> a }"))
    text = "".join(write_dot(subject("pp2").dag)).rstrip().removesuffix("}")
    found = render_report(read(f"{text} pp_output -> pp_input [] }}"))
    assert "has a cycle, so it has no critical path" in found
    assert "**error** GRF101" in found


def test_what_a_file_says_cannot_break_the_page():
    name = "a|b`c*<script>\\n# x"
    text = render_report(read(f'digraph "{name}" {{ "{name}" [label="{name}"]; "{name}" -> b -> "{name}" }}', name))
    assert "\n# x" not in text
    assert "<script>" not in re.sub(r"`[^`\n]*(?:`[^`\n]+`)?[^`\n]*`+|\\<", "", text)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") - line.count("\\|") for line in block.splitlines()}) == 1


def test_an_empty_graph_has_a_report():
    assert "0 nodes, 0 edges" in render_report(read("digraph { }"))


def test_templates_of_the_user_go_in_front(subject, tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.j2").write_text("{{ subject.name }}: {{ report.products.rows | length }} products")
    assert render_report(subject("pp2"), str(tmp_path)) == "pp2: 10 products\n"


def test_routed_tokens_that_go_once_to_each_host_are_fewer_bytes(priced):
    """ep16 on 4 hosts: 1.5 of 2 copies inside, and 3/4 of 4 (1 - C(12,2)/C(16,2)) over the network."""
    one = replace(priced("ep16", "4xh100x4"), dispatch="host")
    token_bytes = 8 * 10_000 * 4096 * 2
    sent = token_bytes * (1.5 + 3 * (1 - 66 / 120))
    assert f"{sent / 1e9:.2f} GB" in render_report(one)
    assert f"{token_bytes * 2 * 15 / 16 / 1e9:.2f} GB" in render_report(priced("ep16", "4xh100x4"))


def test_of_rules_that_could_not_be_asked_it_is_not_said_that_nothing_is_wrong():
    text = render_report(read("digraph { start -> work -> done; work -> start }"))
    assert "is a directed graph, not a deployment of a model: 3 nodes" in text
    assert re.search(r"Nothing is wrong in what could be checked; \d+ rules could not be asked\.", text)
    assert "Every usual rule was asked" not in text
