"""Files of measurements: recognised by their header, refused with file and line."""

import pytest

from dagtool.accuracy.measured import UnpredictableError, in_unit, read_measured
from dagtool.accuracy.precision import dtype_of
from dagtool.accuracy.software import software_of
from dagtool.errors import DagtoolError


@pytest.fixture
def written(tmp_path):
    """A function that writes a file and gives its path."""

    def write(text):
        file = tmp_path / "rows.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(file)

    return write


def test_a_file_is_known_by_its_columns_whatever_their_order(written):
    """More columns than needed are kept."""
    found = read_measured(written("unit,value,kind,gpu,more\nus,1,gemm,h100,x\n\nus,2,gemm,h100,y\n"))
    assert found.kind == "operators"
    assert [(row.line, row.text("more")) for row in found.rows] == [(2, "x"), (4, "y")]
    header = "model,hidden,layers,gpu,metric,value,unit"
    assert read_measured(written(header + "\n")).kind == "end_to_end"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpu,knd,value,unit\n", "rows.csv:1: its columns are those of no known file"),
        ("gpu,kind,value,unit\nh100,gemm,1\n", "rows.csv:2: 3 cells, but the header has 4"),
        ("", "rows.csv:1"),
        (b"gpu,kind,value,unit\n\xff\xff\n", "not UTF-8"),
        ('gpu,kind,value,unit\n"h100', "not CSV"),
    ],
)
def test_what_is_no_such_file_is_refused_where_it_is_not(written, text, said):
    """One line, no traceback."""
    with pytest.raises(DagtoolError) as caught:
        read_measured(written(text))
    assert said in caught.value.message


def test_a_misspelt_column_is_answered_with_the_right_one(written):
    """Did you mean."""
    with pytest.raises(DagtoolError) as caught:
        read_measured(written("gpu,knd,value,unit\n"))
    assert "'kind'" in caught.value.hint


def test_a_missing_file_is_an_error():
    """Exit 2."""
    with pytest.raises(DagtoolError, match="cannot read"):
        read_measured("nowhere.csv")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"hidden": ""}, "states no hidden"),
        ({"hidden": "MLA"}, "no number"),
        ({"hidden": "-1"}, "no measurement"),
        ({"hidden": "nan"}, "no measurement"),
        ({"hidden": "1.5"}, "no whole number"),
        ({"hidden": "0"}, "hidden is 0"),
    ],
)
def test_a_cell_that_is_no_size_says_so(llama, columns, said):
    """So that the row is listed with the reason."""
    with pytest.raises(UnpredictableError, match=said):
        llama(**columns).size("hidden")


def test_units_of_time_are_converted_and_others_refused(llama):
    """A file may measure in us, ms or s."""
    assert in_unit(0.002, llama(unit="us")) == pytest.approx(2000)
    with pytest.raises(UnpredictableError, match="fortnight"):
        in_unit(1, llama(unit="fortnight"))


@pytest.mark.parametrize(
    ("columns", "dtype"),
    [
        ({"notes": "amp_bf16"}, "bf16"),
        ({"notes": "MFU 40%; amp_fp8; grad-accum 2"}, "fp8"),
        ({"notes": "FP8; CP=1"}, "fp8"),
        ({"notes": "MXFP8, dropless"}, "fp8"),
        ({"notes": "NVFP4; CP=1"}, "fp4"),
        ({"notes": "FT fp16; output length 8"}, "fp16"),
        ({"notes": ""}, "bf16"),
        ({"dtype": "bfloat16", "notes": "FP8"}, "bf16"),
        ({"dtype": "half"}, "fp16"),
    ],
)
def test_the_data_type_is_the_columns_or_the_notes(llama, columns, dtype):
    """The column says more than the notes."""
    assert dtype_of(llama(**columns)) == dtype


def test_software_is_known_by_what_its_authors_state(llama):
    """ZeRO-3 gathers when needed, FSDP ahead of time, also where both are named; FSDP=0 is none."""
    plain, zero = software_of(llama()), software_of(llama(notes="ZeRO-3; model-parallel size 1"))
    both, none, two = (software_of(llama(notes=one)) for one in ("FSDP FULL_SHARD (ZeRO-3)", "FP8; FSDP=0", "FSDP=64"))
    assert not plain.sharded_weights
    assert zero.sharded_weights
    assert not zero.prefetched
    assert both.sharded_weights
    assert both.prefetched
    assert not none.sharded_weights
    assert two.sharded_weights
    assert software_of(llama(source="PrincetonUniversity/LLMCompass:ae")).harness_s == 21e-6
