"""Metrics agree with other libraries or closed forms, and a mask is the same as a crop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scoringrules
import torch
import torchmetrics.functional as oracle
from skimage.metrics import structural_similarity
from surrogate_training.metrics import conservation, curves, ensemble, errors
from surrogate_training.metrics.spectrum import (
    Spectrum,
    band_ratios,
    isotropic_spectrum,
    spectrum_error,
)
from surrogate_training.metrics.ssim import ssim

SHAPE = (24, 30)
INSIDE = (slice(3, 20), slice(5, 29))
ERRORS = (
    errors.mse,
    errors.rmse,
    errors.relative_l2,
    errors.vrmse,
    errors.mae,
    errors.max_error,
    errors.correlation,
)


@pytest.fixture
def frames() -> tuple[np.ndarray, np.ndarray]:
    """A truth with a mean, and a prediction near it."""
    rng = np.random.default_rng(0)
    truth = 3.0 + rng.standard_normal(SHAPE)
    return truth + 0.3 * rng.standard_normal(SHAPE), truth


@pytest.fixture
def weight() -> np.ndarray:
    made = np.zeros(SHAPE)
    made[INSIDE] = 1
    return made


def test_errors_are_those_of_torchmetrics(frames: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, truth = frames
    p, t = (torch.from_numpy(u.ravel().copy()) for u in frames)
    expected = {
        errors.mse: oracle.mean_squared_error(p, t),
        errors.rmse: oracle.mean_squared_error(p, t, squared=False),
        errors.mae: oracle.mean_absolute_error(p, t),
        errors.correlation: oracle.pearson_corrcoef(p, t),
        # R² = 1 - VRMSE²
        errors.vrmse: (1 - oracle.r2_score(p, t)).sqrt(),
        errors.max_error: oracle.regression.minkowski_distance(p, t, p=200),
    }
    for metric, value in expected.items():
        rel = (
            0.05 if metric is errors.max_error else 1e-6
        )  # the norm of order 200 is near the maximum
        assert float(metric(predicted, truth)) == pytest.approx(float(value), rel=rel)
    exact = np.linalg.norm(predicted - truth) / np.linalg.norm(truth)
    assert float(errors.relative_l2(predicted, truth)) == pytest.approx(exact)
    assert float(errors.max_error(predicted, truth)) == np.abs(predicted - truth).max()


@pytest.mark.parametrize("metric", [*ERRORS, ssim])
def test_a_mask_is_the_same_as_a_crop_whatever_stands_behind_it(
    frames: tuple[np.ndarray, np.ndarray], weight: np.ndarray, metric: Callable[..., Any]
) -> None:
    predicted, truth = (u.copy() for u in frames)
    for u, junk in ((predicted, np.nan), (truth, 1e30)):
        u[weight == 0] = junk
    assert float(metric(predicted, truth, weight)) == pytest.approx(
        float(metric(predicted[INSIDE], truth[INSIDE])), rel=1e-12
    )


@pytest.mark.parametrize("metric", ERRORS)
def test_leading_axes_are_kept(
    frames: tuple[np.ndarray, np.ndarray], metric: Callable[..., Any]
) -> None:
    predicted, truth = frames
    both = metric(np.stack([predicted, truth + 1]), np.stack([truth, truth]))
    assert both.shape == (2,)
    assert both[0] == metric(predicted, truth)


def test_a_perfect_prediction_has_perfect_scores(frames: tuple[np.ndarray, np.ndarray]) -> None:
    _, truth = frames
    for metric in ERRORS[:-1]:
        assert float(metric(truth, truth)) == 0
    assert float(errors.correlation(truth, truth)) == pytest.approx(1)
    assert ssim(truth, truth) == pytest.approx(1)
    same = isotropic_spectrum(truth)
    assert spectrum_error(same, same) == 0
    assert set(band_ratios(same, same).values()) == {1.0}


def test_the_mean_of_the_truth_has_vrmse_one_and_no_correlation(
    frames: tuple[np.ndarray, np.ndarray],
) -> None:
    _, truth = frames
    flat = np.full(SHAPE, truth.mean() + 1e-3 * np.pi)
    assert float(errors.vrmse(flat, truth)) == pytest.approx(1, rel=1e-4)
    assert np.isnan(errors.correlation(flat, truth))
    assert np.isnan(errors.vrmse(truth, flat))


@pytest.mark.parametrize("data_range", [None, 8.0])
def test_ssim_is_that_of_scikit_image(
    frames: tuple[np.ndarray, np.ndarray], data_range: float | None
) -> None:
    predicted, truth = frames
    expected = structural_similarity(
        truth,
        predicted,
        data_range=np.ptp(truth) if data_range is None else data_range,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(predicted, truth, data_range=data_range) == pytest.approx(expected, abs=1e-9)


def test_ssim_is_not_defined_where_no_window_fits(frames: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, truth = frames
    assert np.isnan(ssim(predicted[:10], truth[:10]))
    assert np.isnan(ssim(predicted, truth, np.eye(*SHAPE)))
    assert np.isnan(ssim(predicted, np.ones(SHAPE)))


@pytest.mark.parametrize("mode", [(0, 3), (4, 0), (3, 4)])
def test_a_mode_sits_in_its_shell_with_its_variance(mode: tuple[int, int]) -> None:
    y, x = np.meshgrid(np.arange(32) / 32, np.arange(32) / 32, indexing="ij")
    u = 5 + 2 * np.cos(2 * np.pi * (mode[0] * y + mode[1] * x))
    found = isotropic_spectrum(u, spacing=(1 / 32, 1 / 32))
    shell = round(np.hypot(*mode))
    assert found.wavenumber[shell - 1] == pytest.approx(shell)
    assert found.power[shell - 1] == pytest.approx(2.0)
    assert np.delete(found.power, shell - 1).max() < 1e-20


def test_the_spectrum_adds_up_to_the_variance_on_any_grid() -> None:
    rng = np.random.default_rng(1)
    modes = np.fft.fft2(rng.standard_normal((48, 20)))
    ky, kx = np.fft.fftfreq(48, 0.5), np.fft.fftfreq(20, 1.0)
    modes[np.hypot(ky[:, None], kx[None, :]) > 0.4] = 0  # within the Nyquist wavenumber of x
    u = np.fft.ifft2(modes).real
    found = isotropic_spectrum(u, spacing=(0.5, 1.0))
    # Δk is 1/20; shell 0, of which only the mean is known to be empty, holds modes of y below Δk/2
    low = np.hypot(ky[:, None], kx[None, :]) < 0.025
    rest = np.fft.ifft2(np.where(low, 0, np.fft.fft2(u))).real
    assert found.power.sum() == pytest.approx(rest.var())
    assert len(found.power) == 10


def test_a_window_keeps_the_power_of_noise_and_stops_the_leak_of_a_ramp() -> None:
    noise = np.random.default_rng(2).standard_normal((128, 128))
    windowed, plain = (isotropic_spectrum(noise, periodic=(p, p)) for p in (False, True))
    assert windowed.power.sum() == pytest.approx(plain.power.sum(), rel=0.03)
    ramp = np.linspace(-1, 1, 64) * np.ones((64, 1))
    leak, stopped = (isotropic_spectrum(ramp, periodic=(True, p)).power for p in (True, False))
    assert stopped[-1] < 1e-5 * leak[-1]


def test_a_masked_spectrum_is_that_of_the_crop(weight: np.ndarray) -> None:
    u = np.random.default_rng(3).standard_normal(SHAPE)
    expected = isotropic_spectrum(u[INSIDE], periodic=(False, False))
    found = isotropic_spectrum(np.where(weight > 0, u, np.nan), weight=weight)
    np.testing.assert_allclose(found.power, expected.power, rtol=1e-12)


def test_a_frame_without_data_has_no_scores(frames: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, truth = frames
    nothing = np.zeros(SHAPE)
    for metric in [*ERRORS, ssim]:
        assert np.isnan(metric(predicted, truth, nothing))
    empty, full = isotropic_spectrum(truth, weight=nothing), isotropic_spectrum(truth)
    assert len(empty.power) == len(full.power)
    assert np.isnan(spectrum_error(empty, empty))
    assert np.isnan(list(band_ratios(empty, empty).values())).all()


def test_the_spectrum_error_sees_the_upper_third_only() -> None:
    k = np.arange(1.0, 13.0)
    truth = Spectrum(k, np.ones(12), 12.0)
    factor = np.where(k > 8, 1 / np.e, 1.0)
    assert spectrum_error(Spectrum(k, factor, 1.0), truth) == pytest.approx(1)
    assert spectrum_error(Spectrum(k, np.where(k > 8, 1.0, 9.0), 1.0), truth) == 0
    ratios = band_ratios(Spectrum(k, factor, 1.0), truth)
    assert ratios == pytest.approx({"low": 1, "middle": 1, "high": 1 / np.e})
    nothing = spectrum_error(Spectrum(k, np.zeros(12), 0.0), truth)
    assert nothing == pytest.approx(-np.log(12e-14))


def test_the_crps_is_that_of_scoringrules(frames: tuple[np.ndarray, np.ndarray]) -> None:
    _, truth = frames
    members = truth + np.random.default_rng(4).standard_normal((5, *SHAPE))
    expected = scoringrules.crps_ensemble(truth, members, m_axis=0, estimator="fair")
    assert float(ensemble.fair_crps(members, truth)) == pytest.approx(expected.mean(), rel=1e-12)


def test_the_crps_of_equal_members_is_the_absolute_error(
    frames: tuple[np.ndarray, np.ndarray], weight: np.ndarray
) -> None:
    predicted, truth = frames
    found = ensemble.fair_crps(np.stack([predicted] * 3), truth, weight)
    assert float(found) == pytest.approx(float(errors.mae(predicted, truth, weight)))


def test_members_like_the_truth_have_spread_skill_one_and_flat_ranks() -> None:
    drawn = np.random.default_rng(5).standard_normal((9, 100, 100))
    assert float(ensemble.spread_skill(drawn[1:], drawn[0])) == pytest.approx(1, abs=0.03)
    counts = ensemble.rank_histogram(drawn[1:], drawn[0])
    assert counts.sum() == 10_000
    assert counts == pytest.approx(np.full(9, 10_000 / 9), rel=0.15)
    narrow = ensemble.rank_histogram(0.2 * drawn[1:], drawn[0])
    assert narrow[0] + narrow[-1] > 0.6 * narrow.sum()


def test_ties_are_spread_over_the_ranks_between() -> None:
    counts = ensemble.rank_histogram(np.zeros((3, 50, 50)), np.zeros((50, 50)))
    assert counts == pytest.approx(np.full(4, 625), rel=0.2)


def test_one_member_is_no_ensemble() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        ensemble.fair_crps(np.zeros((1, 4, 4)), np.zeros((4, 4)))


def test_drift_is_the_relative_change_of_the_integral() -> None:
    before = np.array([[1.0, -1.0], [2.0, 0.0]])
    assert float(conservation.drift(before + 0.5, before)) == pytest.approx(0.5)
    assert float(conservation.drift(before[::-1], before)) == 0
    assert float(conservation.drift(before + 0.5, before, [[1, 1], [0, 0]])) == pytest.approx(0.5)


def test_time_to_correlation_lies_between_frames() -> None:
    assert curves.time_to_correlation([1, 2], [0.9, 0.7]) == pytest.approx(1.5)
    assert curves.time_to_correlation([1, 2], [0.6, 0.9]) == pytest.approx(0.5)
    assert curves.time_to_correlation([1, 2], [0.95, 0.9]) is None
    assert curves.time_to_correlation([1, 2], [0.95, np.nan]) == 2
