"""The autoencoder and its training: local, of any grid, scored by the frame that went in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from magnetic import magnetic_recipe
from surrogate_training.config import AutoencoderConfig
from surrogate_training.evaluation.evaluate import evaluate_run
from surrogate_training.export import export_run
from surrogate_training.methods.vae import divergence, steepness
from surrogate_training.models.autoencoder import Autoencoder
from surrogate_training.recipe import RecipeError, parse_recipe
from surrogate_training.runfolder import RunFolder


def net(factor: int = 4, boundary: str = "periodic") -> Autoencoder:
    torch.manual_seed(0)
    shape = {"factor": factor, "channels": 3, "width": 8}
    config = AutoencoderConfig(latents=shape, boundary=(boundary, boundary))  # type: ignore[arg-type]
    return Autoencoder(2, 2, config).double().requires_grad_(False)


def frame(ny: int = 16, nx: int = 32) -> torch.Tensor:
    return torch.randn(2, 2, ny, nx, dtype=torch.float64)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_latents_are_so_many_times_coarser_and_frames_come_back_whole(factor: int) -> None:
    made, x = net(factor), frame()
    mean, log_variance = made.encode(x)
    assert mean.shape == log_variance.shape == (2, 3, 16 // factor, 32 // factor)
    assert made(x).shape == x.shape


def test_translations_by_the_factor_commute_where_the_domain_is_periodic() -> None:
    made, x = net(), frame()
    torch.testing.assert_close(made(x.roll((4, -8), (2, 3))), made(x).roll((4, -8), (2, 3)))
    assert not torch.allclose(made(x.roll(1, 2)), made(x).roll(1, 2))


def test_walls_do_not_see_the_far_side() -> None:
    x = frame(16, 96)
    x[..., -1] = torch.nan
    assert torch.isfinite(net(boundary="replicate")(x)[..., :16]).all()
    assert not torch.isfinite(net()(x)[..., :16]).all()


def test_the_divergence_of_normals_is_the_closed_form() -> None:
    mean, variance = torch.tensor([0.0, 2.0]), torch.tensor([1.0, 0.25])
    p, q = torch.distributions.Normal(mean, variance.sqrt()), torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(p, q).mean()
    torch.testing.assert_close(divergence(mean, variance.log()), expected)
    assert float(divergence(torch.zeros(3), torch.zeros(3))) == 0


def test_steepness_counts_the_step_across_the_boundary_only_where_it_is_periodic() -> None:
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)  # along x
    assert float(steepness(ramp, ("replicate", "replicate"))) == pytest.approx(0.5 * 3 / 4)
    assert float(steepness(ramp, ("replicate", "periodic"))) == pytest.approx(0.5 * (3 + 9) / 4)


def test_training_lowers_the_error_of_the_frame_that_goes_in(
    vae_run: RunFolder, data_root: Path
) -> None:
    records = [json.loads(line) for line in vae_run.metrics_file.read_text().splitlines()]
    errors = [r["error"] for r in records if r["kind"] == "validation"]
    assert errors[-1] < 0.7 * errors[0]
    found = evaluate_run(vae_run, root=data_root)
    # as in validation: the frame at t1 against itself
    assert found["error"] == pytest.approx(errors[-1], rel=0.3)
    assert found["persistence_error"] is None
    assert found["fields"]["vx"]["error"] < 1


def test_an_autoencoder_is_no_surrogate(
    vae_run: RunFolder, data_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="predicts no frame"):
        export_run(vae_run, tmp_path / "vae.surrogate", root=data_root)


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"method": {"kind": "vae"}}, "model.kind: residual_unet with method.kind: vae"),
        ({"model": {"kind": "autoencoder"}}, "with method.kind: regression"),
    ],
)
def test_a_recipe_must_name_net_and_method_together(sections: dict[str, Any], said: str) -> None:
    tree = magnetic_recipe().model_dump(mode="json", exclude_unset=True) | sections
    with pytest.raises(RecipeError, match=said):
        parse_recipe(tree)
