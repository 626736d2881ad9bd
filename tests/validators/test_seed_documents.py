"""What five deployment documents get wrong is found in their own DOT files, in words their authors would accept.

One row for each fault of the table at the end of the documents' description. A row of which the DOT files show
nothing says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from dagtool.report.finding import Finding
from dagtool.validators.engine import check_bytes

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
MA = "seed000_ma_separation.dot"
TP = "seed000_tensor_parallel.dot"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")


@dataclass(frozen=True)
class Row:
    """A fault: the file that shows it, the rule that finds it, how often, and what the message must say."""

    fault: str
    file: str
    code: str
    count: int
    words: tuple[str, ...]


ROWS = (
    Row(
        "4 of 32 heads are projected to 512 of 4096: an eighth",
        MA,
        "DIM220",
        32,
        ("cut both by rows and by columns", "512 of 4096 in, 512 of 4096 out", "8 GPUs"),
    ),
    Row(
        "an 8 x [512] concatenation is called an all-reduce",
        MA,
        "COM410",
        4,
        ("all-reduces with an output larger", "8×[512]", "4096"),
    ),
    Row("the same with tensor parallelism", TP, "DIM220", 32, ("cut both by rows and by columns",)),
    Row("the same with tensor parallelism", TP, "COM410", 8, ("8×[512]", "4096")),
    Row(
        "the all-gather of Q, K and V gets one GPU's heads only",
        MA,
        "COM415",
        96,
        ("all-gather on one GPU", "nothing of other GPUs is gathered"),
    ),
    Row("the scores use the GPU's own 4 heads", MA, "DIM221", 32, ("take 32 heads and give 4",)),
    Row(
        "an all-gather of 4 heads gives 4 heads", TP, "COM414", 96, ("output equal to the input", "nothing is gathered")
    ),
    Row("tensor parallelism with experts and no gate", TP, "MOD712", 4, ("layers 0-3", "no gate at all")),
    Row(
        "001 replicates the output projection on 8 GPUs",
        "seed001_ma_separation.dot",
        "SCH604",
        32,
        ("not cut at all", "on 8 GPUs: 8 copies"),
    ),
    Row(
        "each expert computes all B * 2048 tokens",
        "seed001_ma_separation.dot",
        "DIM219",
        64,
        ("all tokens (batch B, sequence 2048)", "few of the experts"),
    ),
    Row(
        "32 of its 374 nodes have no input", "seed001_ma_separation.dot", "GRF104", 32, ("32 of 374 nodes", "take none")
    ),
    Row(
        "its all-reduce turns 4 heads into the hidden size, on one GPU alone",
        "seed001_ma_separation.dot",
        "COM415",
        32,
        ("all-reduce on one GPU", "nothing of other GPUs is added"),
    ),
    Row(
        "q, k and v take [T,1024] to 1024 columns: an eighth of the FLOPs",
        "seed002_tensor_parallel.dot",
        "DIM220",
        3,
        ("1024 of 8192 in, 1024 of 8192 out", "64 parts", "8 GPUs can compute 8"),
    ),
    Row(
        "the partial products of q, k, v and the MLP are never summed",
        "seed002_tensor_parallel.dot",
        "COM412",
        4,
        ("slice of the hidden size (1024 of 8192)", "nothing adds up"),
    ),
    Row("layers 2-7 are missing", "seed002_tensor_parallel.dot", "GRF122", 6, ("missing: 2-7",)),
    Row("and layers 8-15 are one node each", "seed002_tensor_parallel.dot", "GRF124", 9, ("layers 1,8-15", "layer 0")),
    Row(
        "11,136 of 11,219 nodes are isolated, with 81 edges",
        "seed003_ep16_tp4.dot",
        "GRF102",
        11_136,
        ("11,136 of 11,219", "81 edges"),
    ),
    Row(
        "layer norm on a 128-wide slice",
        "seed003_ep16_tp4.dot",
        "DIM217",
        2112,
        ("slice of 128 of the 512", "needs all 512"),
    ),
    Row(
        "8 heads per tensor-parallel rank",
        "seed003_ep16_tp4.dot",
        "DIM218",
        1024,
        ("say column parallel", "8 heads of 64, all 512 columns"),
    ),
    Row(
        "batch 128 on every group",
        "seed003_ep16_tp4.dot",
        "SCH604",
        1024,
        ("for the whole batch", "64 GPUs: 16 copies", "batch_size=128"),
    ),
    Row(
        "row-parallel nodes without a reduction",
        "seed003_ep16_tp4.dot",
        "COM412",
        2048,
        ("row parallel", "nothing adds up"),
    ),
    Row("one all-to-all per layer", "seed003_ep16_tp4.dot", "COM416", 16, ("layers 0-15", "exchanged once", "combine")),
    Row("16 gates in all", "seed003_ep16_tp4.dot", "MOD712", 16, ("layers 0-15", "without a gate", "16 gates in all")),
    Row(
        "no node of the proposal has a dimension",
        "seed004_proposed.dot",
        "DIM210",
        105,
        ("none of the 105", "dimensions"),
    ),
    Row(
        "row-parallel output projections of the baseline have no all-reduce",
        "seed004_baseline.dot",
        "COM412",
        4,
        ("row parallel", "nothing adds up"),
    ),
)

TABLE = {
    "GT(2097152,4096,4096) on every attention GPU": ("DIM220", "COM410"),
    "All-Gather Q/K/V before the scores": ("COM415", "DIM221", "COM414"),
    "path skips the gate": "a path in the text; the DOT file has the gate and its edges",
    "m = 262144 in every matmul": "a number of the text; the labels keep batch and sequence",
    "pipeline q GT(2097152,4096,512)": "a number of the text; in the DOT file all 32 heads are on the GPU",
    "001 replicates the projection on 8 GPUs": ("SCH604",),
    "each expert computes all": ("DIM219",),
    "total = 4": "a sum of the text",
    "no cycles (confirmed)": ("GRF104",),
    "column-parallel q is": ("DIM220",),
    "layer time = max of its matmuls": "a sum of the text",
    "layers 2–7 are missing": ("GRF122",),
    "every box of its checklist ticked": ("GRF102",),
    "layer norm on a 128-wide slice": ("DIM217", "DIM218", "SCH604"),
    "one all-to-all per layer": ("COM416", "MOD712"),
    "8 experts per GPU, also 16": "numbers of the text; the labels say two per layer",
    "dimensional information preserved": ("DIM210",),
    "latency 8.3": "times of the text",
}
"""Every row of the table by some of its words: the rules that find it, or why the DOT files show nothing of it."""


@cache
def findings(file: str) -> tuple[Finding, ...]:
    return tuple(check_bytes((CORPUS / file).read_bytes(), file).findings)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.file[:7]}-{row.code}-{row.fault}")
def test_the_fault_is_found(row: Row) -> None:
    told = [found for found in findings(row.file) if found.code == row.code and found.count == row.count]
    assert any(all(word in found.message for word in row.words) for found in told), [
        (found.count, found.message) for found in findings(row.file) if found.code == row.code
    ]


def test_what_is_right_is_not_held_against_it() -> None:
    """The pipeline of 000 is right but for its experts, which take all tokens, and transfers that name one end."""
    assert {found.code for found in findings("seed000_pipeline_parallel.dot")} == {"DIM219", "COM417"}
    assert not {found.code for found in findings("seed001_ma_separation.dot")} & {"GRF101", "GRF102", "GRF103"}


def test_no_row_of_the_table_is_forgotten() -> None:
    page = (CORPUS.parent / "seed-systems.md").read_text(encoding="utf-8")
    rows = [line for line in page.rpartition("## What the documents get wrong")[2].splitlines() if line[:3] == "| 0"]
    assert [sum(words in line for words in TABLE) for line in rows] == [1] * len(TABLE)
    found = {row.code for row in ROWS}
    assert all(set(codes) <= found for codes in TABLE.values() if not isinstance(codes, str))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.file[:7]}-{row.code}-{row.fault}")
def test_no_rule_knows_the_file_by_name(row: Row) -> None:
    renamed = check_bytes((CORPUS / row.file).read_bytes(), "x.dot").findings
    assert [(found.code, found.message) for found in renamed] == [(f.code, f.message) for f in findings(row.file)]
