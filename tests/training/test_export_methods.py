"""Bundles of methods with a generator of their own draw as the model does, by both programs and the run time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from exporting import Exported, check_run_time, export
from surrogate_training.extent import model_locality
from surrogate_training.locality import measure_locality
from surrogate_training.models.generative import GenerativeModel
from torch import Tensor

NET = {
    "stem": 1,
    "widths": [4],
    "encoder_blocks": [1],
    "decoder_blocks": [],
    "boundary": ["periodic"] * 2,
}
ONCE = {"steps": [1], "preset": 1}
CASES: dict[str, dict[str, Any]] = {
    "crps": {"method": {"kind": "crps"}},
    "interpolant": {"method": {"kind": "interpolant"}, "sampler": {"steps": [3], "preset": 3}},
    "consistency": {"method": {"kind": "consistency"}, "sampler": {"steps": [2], "preset": 2}},
    "residual-edm": {
        "method": {"kind": "residual-edm", "condition_dropout": 0.1},
        "sampler": ONCE | {"guidance": 3.0},
    },
}


def made(folder: Path, name: str) -> Exported:
    target = "frame" if name == "interpolant" else "increment"
    return export(folder, NET | {"target": target}, cells=8, dt=True, **CASES[name])


FULL = [
    pytest.param(name, marks=pytest.mark.full) for name in ("crps", "interpolant", "consistency")
]


@pytest.fixture(scope="module", params=["residual-edm", *FULL])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return made(tmp_path_factory.mktemp("made"), request.param)


def test_programs_reference_and_run_time_draw_as_the_model(exported: Exported) -> None:
    parity = exported.manifest.provenance["parity"]
    assert max(*parity["programs"].values(), *parity["reference"].values()) < 1e-3
    noise = {n.name: n.channels for n in exported.manifest.noise}
    kind = exported.recipe.method.kind
    assert noise == {
        "crps": {"noise": 4}, "interpolant": {"later": 2}, "residual-edm": {"initial": 1},
        "consistency": {"initial": 1, "later": 1},
    }[kind]  # fmt: skip
    names = [p.name for p in exported.manifest.parameters]
    assert names == (["dt", "guidance"] if kind == "residual-edm" else ["dt"])
    if kind != "residual-edm":
        check_run_time(exported, dt=3.0, step=2)


def test_it_sees_no_farther_than_the_manifest_says(exported: Exported) -> None:
    model, parameters = exported.model, torch.ones(1, len(exported.manifest.parameters))
    noises = list(model.noise_inputs.values())

    def of_state(x: Tensor) -> Tensor:
        return model(x, parameters, *(x.new_zeros(1, n, *x.shape[2:]) for n in noises))  # type: ignore[no-any-return]

    found = measure_locality(of_state, channels=3, multiple=1).receptive_field
    bound = model_locality(model, exported.recipe).receptive_field
    assert all(a <= b for a, b in zip(found, bound, strict=True))
    if isinstance(model, GenerativeModel):
        assert found == bound  # without coarser levels every evaluation adds its whole reach
