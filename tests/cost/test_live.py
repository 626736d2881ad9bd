"""The peak of live tensors, against trying every step."""

from hypothesis import given
from hypothesis import strategies as st

from dagtool.cost.live import Tensor, peak


def brute_force(tensors):
    """The sum at every step, from the definition."""
    steps = sorted({born for born, _, _ in tensors} | {last for _, last, _ in tensors})
    sums = [(sum(size for born, last, size in tensors if born <= step <= max(born, last)), step) for step in steps]
    return max(sums, key=lambda pair: (pair[0], -pair[1]), default=(0, -1))


lives = st.builds(Tensor, st.integers(0, 30), st.integers(0, 40), st.integers(0, 100))


@given(st.lists(lives, max_size=40))
def test_peak_is_the_largest_of_all_steps(tensors):
    """The same bytes; the step reached first."""
    most, at = peak(tensors)
    expected, first = brute_force(tensors)
    assert most == expected
    assert not most or at == first


def test_what_is_used_for_the_last_time_is_freed_after_the_step():
    """Input and output of a step are live together; two steps apart they are not."""
    assert peak([Tensor(0, 1, 8), Tensor(1, 2, 4), Tensor(2, 2, 5)]) == (12, 1)


def test_nothing_takes_nothing():
    """No tensors."""
    assert peak([]) == (0, -1)
