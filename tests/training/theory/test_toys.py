"""Distributions in the plane and textures: what trained methods draw is near the truth, measured by a distance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from generative import toys

COIN = toys.Toy(
    ("u",),
    8,
    lambda rng, n: rng.choice([-1.0, 1.0], (n, 1)) + 0.1 * rng.standard_normal((n, 1)),
)
PAIRS = [(name, toy) for name, learner in toys.LEARNERS.items() for toy in learner.toys]


def test_the_distance_is_zero_for_the_truth_one_for_its_gaussian_and_more_for_its_mean() -> None:
    toy = toys.TOYS["two_moons"]
    truth = toy.rows(toy.frames(np.random.default_rng(0), 8).astype(np.float64))
    rng = np.random.default_rng(1)
    gaussian = rng.multivariate_normal(truth.mean(0), np.cov(truth.T), len(truth))
    assert abs(toys.relative_distance(toy, truth)) < 0.2
    assert toys.relative_distance(toy, gaussian) == pytest.approx(1, abs=0.3)
    assert toys.relative_distance(toy, np.zeros_like(truth)) > 10


@pytest.mark.full
def test_flow_learns_that_a_coin_has_two_sides(tmp_path: Path) -> None:
    flow = toys.LEARNERS["flow"].changes
    quick = flow | {
        "model": flow["model"] | {"widths": [16], "encoder_blocks": [1]},
        "optimiser": flow["optimiser"] | {"learning_rate": 5e-3, "ema": 0.95},
    }
    learner = replace(toys.LEARNERS["flow"], changes=quick)
    untrained = toys.learn(COIN, learner, tmp_path / "untrained", steps=1, threads=1)
    assert toys.relative_distance(COIN, toys.sample(COIN, untrained)) > 0.7
    run = toys.learn(COIN, learner, tmp_path / "trained", steps=1000, threads=1)
    assert toys.relative_distance(COIN, toys.sample(COIN, run)) < 0.5


@pytest.mark.full
@pytest.mark.parametrize(("name", "toy"), PAIRS)
def test_a_method_learns_a_distribution_and_not_its_two_first_moments(
    name: str, toy: str, tmp_path: Path
) -> None:
    run = toys.learn(toys.TOYS[toy], toys.LEARNERS[name], tmp_path)
    assert toys.relative_distance(toys.TOYS[toy], toys.sample(toys.TOYS[toy], run)) < 0.2
