"""Seconds of kernels: bounds no kernel beats, steps of tiles and waves, and how constants enter."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.cost.dtypes import width_bytes
from dagtool.cost.fitted import kernel_fit
from dagtool.cost.kernels import attention_time, bare_roofline_s, matmul_bytes, matmul_time, memory_time
from dagtool.errors import DagtoolError
from dagtool.model.cluster import find_gpu, gpu_names

H100 = find_gpu("h100")
SIZES = st.integers(1, 1 << 17)
GPUS = st.sampled_from(gpu_names()).map(find_gpu)


def seconds(m, k, n, dtype="bf16", gpu=H100):
    """A product under the fitted constants."""
    return matmul_time(m, k, n, dtype=dtype, gpu=gpu, fit=kernel_fit(gpu)).time_s


@given(SIZES, SIZES, SIZES, GPUS)
def test_no_product_is_faster_than_the_bare_roofline(m, k, n, gpu):
    """Whatever the shape and the GPU."""
    assert seconds(m, k, n, gpu=gpu) >= bare_roofline_s(m, k, n, "bf16", gpu)


@given(SIZES, SIZES, SIZES)
def test_a_longer_sum_is_no_faster(m, k, n):
    """Twice the k takes at least as long."""
    assert seconds(m, 2 * k, n) >= seconds(m, k, n)


@given(SIZES, SIZES, SIZES)
def test_transposing_a_product_changes_nothing(m, k, n):
    """The output's two dimensions are cut into the same tiles."""
    assert seconds(m, k, n) == pytest.approx(seconds(n, k, m))


def test_large_products_reach_the_fitted_share_and_small_ones_do_not():
    """Efficiency grows with size."""
    rates = [2 * size**3 / seconds(size, size, size) / H100.flops_per_s["bf16"] for size in (256, 1024, 4096, 16384)]
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(kernel_fit(H100).compute, rel=0.05)
    assert rates[0] < 0.1


def test_one_tile_more_than_a_wave_costs_more_than_its_share():
    """132 multiprocessors: 132 tiles run at once, the 133rd after them (less where k is split among several)."""
    deep = 65536
    full, more = seconds(128 * 12, deep, 128 * 11), seconds(128 * 19, deep, 128 * 7)
    assert more > 1.15 * full


def test_one_token_is_bound_by_memory_and_many_by_arithmetic():
    """The two sides of the roofline, and the kernel's start below both."""

    def bound(m, k, n):
        return matmul_time(m, k, n, dtype="bf16", gpu=H100, fit=kernel_fit(H100)).bound

    assert bound(1, 16384, 16384) == "memory"
    assert bound(8192, 8192, 8192) == "compute"
    assert bound(1, 64, 64) == "launch"


def test_bytes_count_operands_narrow_and_results_wide():
    """fp8 products give 16-bit results."""
    assert matmul_bytes(2, 3, 5, "bf16") == 2 * (6 + 15 + 10)
    assert matmul_bytes(2, 3, 5, "fp8") == 6 + 15 + 2 * 10


def test_launch_time_is_added_to_everything():
    """It is the constant's, not another number hidden in the code."""
    fit = replace(kernel_fit(H100), launch_s=1.0)
    assert matmul_time(1, 1, 1, dtype="bf16", gpu=H100, fit=fit).time_s == pytest.approx(1.0)
    assert memory_time(0, gpu=H100, fit=fit).time_s == 1.0
    assert attention_time(0, 0, dtype="bf16", gpu=H100, fit=fit).time_s == 1.0


def test_a_gpu_without_rows_of_its_own_has_the_constants_of_all_or_of_its_like():
    """gh200 is an h100 in another package; nobody measured an l40s."""
    assert kernel_fit(find_gpu("gh200")) == kernel_fit(H100)
    assert kernel_fit(find_gpu("l40s")) == kernel_fit(find_gpu("rtx4090"))
    assert kernel_fit(find_gpu("l40s")) != kernel_fit(H100)


@pytest.mark.parametrize("gpu", gpu_names())
def test_fitted_shares_are_shares(gpu):
    """Nothing beats the vendor's figures."""
    fit = kernel_fit(find_gpu(gpu))
    assert 0 < fit.compute <= 1
    assert 0 < fit.memory <= 1
    assert 0 < fit.fp8 <= 1
    assert 0 < fit.launch_s < 1e-4


def test_unknown_data_types_are_refused_with_near_ones():
    """Did you mean."""
    with pytest.raises(DagtoolError, match="no data type 'bf61'") as caught:
        width_bytes("bf61")
    assert "'bf16'" in caught.value.hint
