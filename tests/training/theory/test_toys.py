"""Distributions in the plane and textures: what trained methods draw is near the truth, measured by a distance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from generative import toys

COIN = toys.Toy(
    ("u",),
    (1, 2),
    lambda rng, n: rng.choice([-1.0, 1.0], (n, 1)) + 0.1 * rng.standard_normal((n, 1)),
)
QUICK = toys.Learner(
    {
        "model": {"kind": "dit", "patch": 1, "width": 32, "depth": 1, "heads": 2},
        "method": {"kind": "flow"},
        "sampler": {"kind": "dpmpp_2m", "steps": [12], "preset": 12},
        "optimiser": {
            "steps": 150,
            "batch": 128,
            "learning_rate": 1e-2,
            "warmup": 10,
            "ema": 0.9,
        },
    }
)
PAIRS = [(name, toy) for name, learner in toys.LEARNERS.items() for toy in learner.toys]
BOUND = 0.2
"""Of the distance: 0 is the truth, give or take 0.05 by chance, 1 a Gaussian of its mean and covariance."""


@pytest.mark.parametrize("name", ["two_moons", "waves"])
def test_the_distance_is_zero_for_the_truth_one_for_its_gaussian_and_more_for_its_mean(
    name: str,
) -> None:
    toy = toys.TOYS[name]
    rng = np.random.default_rng(1)
    count = toys.WHOLE_DRAWS if toy.whole else toys.DRAWS // toy.cells
    truth = toy.rows(toy.frames(rng, count).astype(np.float64))
    gaussian = rng.multivariate_normal(truth.mean(0), np.cov(truth.T), len(truth), method="eigh")
    assert abs(toys.relative_distance(toy, truth)) < BOUND / 2
    assert toys.relative_distance(toy, gaussian) == pytest.approx(1, abs=0.3)
    assert toys.relative_distance(toy, np.zeros_like(truth)) > 10


def test_flow_with_a_transformer_learns_in_seconds_that_a_coin_has_two_sides(
    tmp_path: Path,
) -> None:
    untrained = toys.learn(COIN, QUICK, tmp_path / "untrained", frames=4096, steps=1, threads=1)
    assert toys.relative_distance(COIN, toys.sample(COIN, untrained)) > 0.7
    run = toys.learn(COIN, QUICK, tmp_path / "trained", frames=4096, threads=1)
    assert toys.relative_distance(COIN, toys.sample(COIN, run)) < 0.3


@pytest.mark.full
@pytest.mark.parametrize(("name", "toy"), PAIRS)
def test_a_method_learns_a_distribution_and_not_its_two_first_moments(
    name: str, toy: str, tmp_path: Path
) -> None:
    learner = toys.LEARNERS[name]
    shown = learner.toy(toy)
    untrained = toys.learn(shown, learner, tmp_path / "untrained", steps=1)
    assert toys.relative_distance(shown, toys.sample(shown, untrained)) > 0.7
    run = toys.learn(shown, learner, tmp_path / "trained")
    assert toys.relative_distance(shown, toys.sample(shown, run)) < BOUND
