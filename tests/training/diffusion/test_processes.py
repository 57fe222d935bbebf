"""Noising processes: where their samplers begin."""

from __future__ import annotations

from surrogate_training.config import DDPMConfig
from surrogate_training.diffusion.processes import make_process


def test_a_net_that_answers_with_the_noise_is_first_asked_where_some_signal_is_left() -> None:
    def first(**config: str) -> float:
        return make_process(DDPMConfig(**config)).schedule(8).alphas[0]

    assert first(prediction="v") < 1e-3
    assert 0.1 <= first(prediction="epsilon") < 0.11
    assert 0.1 <= first(prediction="epsilon", schedule="linear") < 0.11
