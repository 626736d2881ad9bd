"""Backends: found by name, told what they need; the table interpolates inside its range and refuses outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.cost.backends import Settings, backend_names, backend_summary, make_backend
from dagtool.cost.measured_table import MeasuredTable, OutsideError, Point
from dagtool.errors import DagtoolError
from dagtool.model.cluster import cluster

A100 = cluster("a100x8")


def work(m, k, n):
    """A model that knows nothing but the FLOPs."""
    return 2.0 * m * k * n / 1e14


SIZES = st.sampled_from([64, 256, 1024, 4096])
POINTS = st.lists(
    st.tuples(SIZES, SIZES, SIZES, st.floats(0.1, 1.0)), min_size=2, max_size=12, unique_by=lambda p: p[:3]
)


@given(POINTS)
def test_a_measured_product_has_its_measured_time(points):
    """The table says what its rows say."""
    table = MeasuredTable([Point(m, k, n, work(m, k, n) / share) for m, k, n, share in points], work, "t")
    for m, k, n, share in points:
        price = table.get_time(m, k, n)
        assert price.time_s == pytest.approx(work(m, k, n) / share)
        assert price.source == "table: measured"


@given(POINTS, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_between_rows_utilisation_lies_between_theirs(points, x, y, z):
    """Interpolation does not overshoot."""
    table = MeasuredTable([Point(m, k, n, work(m, k, n) / share) for m, k, n, share in points], work, "t")
    ranges = [(min(sizes), max(sizes)) for sizes in list(zip(*points, strict=True))[:3]]
    m, k, n = (low + part * (high - low) for (low, high), part in zip(ranges, (x, y, z), strict=True))
    share = work(m, k, n) / table.get_time(m, k, n).time_s
    shares = [point[3] for point in points]
    assert min(shares) * 0.999 <= share <= max(shares) * 1.001


@pytest.mark.parametrize(("shape", "said"), [((32, 128, 128), "m=32, measured 64 to 256"), ((64, 128, 999), "n=999")])
def test_outside_its_range_the_table_refuses(shape, said):
    """And names the size and the range."""
    table = MeasuredTable([Point(64, 64, 64, 1e-5), Point(256, 256, 256, 1e-4)], work, "mine.csv")
    with pytest.raises(OutsideError, match=said) as caught:
        table.get_time(*shape)
    assert "mine.csv" in caught.value.message
    assert "--outside roofline" in caught.value.hint


def settings(file, **others):
    """Settings for a table."""
    return Settings(cluster=A100, table=str(file), **others)


@pytest.fixture
def rows(tmp_path):
    """A function that writes a table."""

    def write(text):
        file = tmp_path / "rows.csv"
        file.write_text(text)
        return file

    return write


def test_a_table_file_prices_products(rows):
    """In the plain form, and what lies outside by another backend if wanted."""
    file = rows("m,k,n,dtype,us\n64,64,64,bf16,10\n256,256,256,bfloat16,20\n64,64,64,fp8,1\n")
    get_time = make_backend("table", settings(file))
    assert get_time(64, 64, 64).time_s == pytest.approx(10e-6)
    with pytest.raises(OutsideError):
        get_time(1, 64, 64)
    lenient = make_backend("table", settings(file, outside="roofline"))
    assert lenient(1, 64, 64).source.startswith("roofline")
    assert lenient(64, 64, 64).source == "table: measured"


def test_rows_of_other_gpus_are_left_out(rows):
    """A file of measurements, as `accuracy` reads it, is a table too."""
    file = rows(
        "gpu,kind,dtype,m,n,k,value,unit\nH100-SXM,gemm,bf16,64,64,64,1,us\nA100-SXM (x),gemm,bf16,64,64,64,10,us\n"
        "tpu,gemm,bf16,64,64,64,3,us\nA100-SXM,gemm_peak,bf16,64,64,64,300,TFLOP/s\nA100-SXM,collective,bf16,,,,9,us\n"
    )
    assert make_backend("table", settings(file))(64, 64, 64).time_s == pytest.approx(10e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("m,k,n,type,us\n1,1,1,bf16,1\n", "no column dtype"),
        ("m,k,n,dtype,us\n1,1,1,fp8,1\n", "no row for a100-80 in bf16"),
        ("m,k,n,dtype,us\n1,one,1,bf16,1\n", ":2: k is 'one'"),
        ("m,k,n,dtype,us\n1,1,1,bf16,0\n", ":2: us is '0'"),
        ("m,k,n,dtype,us\n1,1,1,bf16\n", ":2: us is ''"),
        ("m,k,n,dtype,us\n1,1,1,bf16,1e-320\n", ":2: us is '1e-320'"),
        ("m,k,n,dtype,us\n1e300,1,1,bf16,1\n", ":2: m is '1e300'"),
        ("m,k,n,dtype,us\n1,1,1,bf16,1\n,1,1,bf16,1\n", ":3: m is ''"),
        ("", "no column m, k, n, dtype, us"),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(rows, text, said):
    """Never a traceback."""
    with pytest.raises(DagtoolError, match=r"rows\.csv") as caught:
        make_backend("table", settings(rows(text)))
    assert said in caught.value.message


def test_a_table_as_a_spreadsheet_writes_it(rows):
    """With a byte order mark, capitals and blanks around the names."""
    file = rows("\ufeffM, K ,N, dtype, us\n64, 64, 64, bf16, 10\n")
    assert make_backend("table", settings(file))(64, 64, 64).time_s == pytest.approx(10e-6)


def test_what_lies_outside_the_table_is_not_looked_up_in_it(rows):
    """It would ask itself without end."""
    with pytest.raises(DagtoolError, match="--outside table"):
        make_backend("table", settings(rows("m,k,n,dtype,us\n64,64,64,bf16,10\n"), outside="table"))


def test_backends_are_found_and_say_what_they_need():
    """By their modules."""
    assert {"symbolic", "roofline", "table", "function"} <= set(backend_names())
    assert all(map(backend_summary, backend_names()))
    with pytest.raises(DagtoolError, match="no cost backend 'rofline'") as caught:
        make_backend("rofline", Settings())
    assert "'roofline'" in caught.value.hint
    with pytest.raises(DagtoolError, match="needs --cluster"):
        make_backend("roofline", Settings())
    with pytest.raises(DagtoolError, match="--cost function needs MODULE:FUNCTION"):
        make_backend("function", Settings(cluster=A100))
    with pytest.raises(DagtoolError, match="needs --table"):
        make_backend("table", Settings(cluster=A100))
    with pytest.raises(DagtoolError, match="no peak for 'fp8'"):
        make_backend("roofline", Settings(cluster=A100, dtype="fp8"))


def test_efficiency_replaces_the_fitted_share():
    """Half the share, twice the time of a large product."""
    whole, half = (make_backend("roofline", Settings(cluster=A100, efficiency=one)) for one in (0.8, 0.4))
    size = (8192, 8192, 8192)
    assert half(*size).time_s == pytest.approx(2 * whole(*size).time_s, rel=0.02)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A function that writes a module of the user's into the current folder."""
    monkeypatch.chdir(tmp_path)
    names = iter(f"mine_{tmp_path.name}_{number}".replace("-", "_") for number in range(9))

    def write(body):
        name = next(names)
        (tmp_path / f"{name}.py").write_text(f"def cost(m, k, n):\n    {body}\n")
        return f"{name}:cost"

    return write


def test_a_function_of_the_users_prices_products(mine):
    """From the current folder; its result is the time, its name the source."""
    name = mine("return m + k + n")
    price = make_backend(name, Settings())(1, 2, 3)
    assert (price.time_s, price.source) == (6.0, name)


@pytest.mark.parametrize(
    "body",
    [
        "return 'soon'",
        "return -1",
        "return float('nan')",
        "return True",
        "return None",
        "return 10**400",
        "return 1e308",
        "raise KeyError(m)",
        "raise SystemExit(5)",
        "return cost(m, k, n)",
    ],
)
def test_a_function_that_gives_no_seconds_is_refused(mine, body):
    """With its name and the shape."""
    get_time = make_backend(mine(body), Settings())
    with pytest.raises(DagtoolError, match=r"\(1, 2, 3\)"):
        get_time(1, 2, 3)


def test_what_a_function_says_of_its_failure_is_one_line(mine):
    """And cannot write to the terminal."""
    get_time = make_backend(mine("raise ValueError('a\\nb\\x1b[31m')"), Settings())
    with pytest.raises(DagtoolError) as caught:
        get_time(1, 2, 3)
    assert caught.value.message.endswith("failed: ValueError: a b·[31m")


def test_a_scalar_of_numpy_is_a_time(mine):
    """Measurements often are."""
    price = make_backend(mine("import numpy; return numpy.float32(0.5)"), Settings())(1, 2, 3)
    assert price.time_s == 0.5


def test_a_module_that_ends_the_process_is_refused(tmp_path, monkeypatch):
    """As one that cannot be imported."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script_of_mine.py").write_text("import sys\nsys.exit(7)\n")
    with pytest.raises(DagtoolError, match="cannot import 'script_of_mine': SystemExit: 7"):
        make_backend("script_of_mine:cost", Settings())


@pytest.mark.parametrize("name", ["nowhere_to_be_found:cost", "math:no_such", "math:pi"])
def test_a_function_that_is_not_there_is_refused(name):
    """Module or function."""
    with pytest.raises(DagtoolError, match=r"cannot import|has no function"):
        make_backend(name, Settings())
