"""Schedules: from noise to data, and what they refuse."""

from __future__ import annotations

from itertools import pairwise

import pytest
from surrogate_training.diffusion import schedules
from surrogate_training.diffusion.schedules import Schedule

CUMPROD = [1 - (i + 1) / 11 for i in range(10)]


def test_karras_spans_its_range_evenly_in_the_root() -> None:
    schedule = schedules.karras(5, 0.01, 10.0, 3.0)
    assert schedule.sigmas[0] == pytest.approx(10.0)
    assert schedule.sigmas[4] == pytest.approx(0.01)
    roots = [s ** (1 / 3) for s in schedule.sigmas[:5]]
    gaps = [a - b for a, b in pairwise(roots)]
    assert gaps == pytest.approx([gaps[0]] * 4)
    assert schedule.times == schedule.sigmas
    assert schedules.karras(1, 0.01, 10.0).sigmas == pytest.approx((10.0, 0.0))


def test_uniform_joins_noise_and_data_by_a_straight_line() -> None:
    schedule = schedules.uniform(4)
    assert schedule.times == schedule.alphas == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert schedule.sigmas == (1.0, 0.75, 0.5, 0.25, 0.0)


def test_trailing_begins_at_the_noisiest_step_and_leading_ends_at_the_cleanest() -> None:
    assert schedules.vp(CUMPROD, 1).times == (9.0, -1.0)
    assert schedules.vp(CUMPROD, 4).times == (9.0, 7.0, 4.0, 1.0, -1.0)
    assert schedules.vp(CUMPROD, 4, "leading").times == (6.0, 4.0, 2.0, 0.0, -1.0)
    full = schedules.vp(CUMPROD, 10)
    assert full.times == schedules.vp(CUMPROD, 10, "leading").times
    squares = [a**2 + s**2 for a, s in zip(full.alphas, full.sigmas, strict=True)]
    assert squares == pytest.approx([1] * 11)


@pytest.mark.parametrize(
    ("times", "alphas", "sigmas", "message"),
    [
        ((0, 1), (0, 1), (1, 0.5, 0), "2 times, 2 alphas and 3 sigmas"),
        ((1,), (1,), (0,), "at least 2"),
        ((0, 1, 2), (0, 0, 1), (1, 1, 0), "must decrease"),
        ((0, 1), (0, 1), (1, 0.1), "must end at the data"),
    ],
)
def test_a_schedule_that_no_sampler_could_walk_is_refused(
    times: tuple, alphas: tuple, sigmas: tuple, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Schedule(times, alphas, sigmas)


def test_numbers_of_intervals_out_of_range_are_named() -> None:
    for make in (schedules.karras, schedules.uniform, lambda n: schedules.vp(CUMPROD, n)):
        with pytest.raises(ValueError, match="at least 1 interval, got 0"):
            make(0)
    with pytest.raises(ValueError, match="11 intervals of a noising process that has 10 steps"):
        schedules.vp(CUMPROD, 11)
