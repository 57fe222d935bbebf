"""Bundles of generative models: a program for each number of steps, weights once, draws as the model's."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exporting import Exported, export
from surrogate_training.locality import measure_locality
from surrogate_training.models.generative import GenerativeModel
from surrogate_training.programs import load_portable, load_torchscript
from torch import Tensor

from surrogate.bundle.folder import check_bundle
from surrogate.bundle.tensors import read_tensors

NET = {
    "stem": 1,
    "widths": [4],
    "encoder_blocks": [1],
    "decoder_blocks": [],
    "boundary": ["periodic"] * 2,
}
ANCESTRAL = {"kind": "ddpm", "steps": [1, 3], "preset": 3, "members": 5}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A diffusion model that draws noise at every step, with dt."""
    folder = tmp_path_factory.mktemp("drawn")
    return export(folder, NET, cells=8, dt=True, method={"kind": "ddpm"}, sampler=ANCESTRAL)


def variant(made: Exported, steps: int) -> GenerativeModel:
    assert isinstance(made.model, GenerativeModel)
    return made.model.variant(steps)


def inputs(made: Exported, *, batch: int, ny: int, nx: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    channels = (3, *made.model.noise_inputs.values())
    x, *noise = (torch.randn(batch, c, ny, nx, generator=generator) for c in channels)
    return (x, torch.full((batch, 1), 3.0), *noise)


def test_the_manifest_lists_the_steps_the_preset_first(drawn: Exported) -> None:
    manifest = check_bundle(drawn.bundle)
    assert manifest.sampler is not None
    assert manifest.sampler.model_dump() == {
        "method": "ddpm", "kind": "ddpm", "steps": [1, 3], "preset": 3, "members": 5, "guidance": None,
    }  # fmt: skip
    assert [(p.name, p.file, p.steps, p.method) for p in manifest.programs] == [
        ("portable_3", "programs/portable_3.pt2", 3, ""),
        ("torchscript_3", "programs/torchscript.pt", 3, "steps_3"),
        ("portable_1", "programs/portable_1.pt2", 1, ""),
        ("torchscript_1", "programs/torchscript.pt", 1, "steps_1"),
    ]
    # as many as the largest number of steps takes
    assert [(n.name, n.channels) for n in manifest.noise] == [("initial", 1), ("later", 2)]
    assert [p.name for p in manifest.parameters] == ["dt"]
    assert manifest.text is None


@pytest.mark.parametrize("steps", [1, 3])
def test_both_programs_of_a_number_of_steps_are_that_variant(drawn: Exported, steps: int) -> None:
    programs = [
        load_portable(drawn.bundle / f"programs/portable_{steps}.pt2"),
        getattr(load_torchscript(drawn.bundle / "programs/torchscript.pt"), f"steps_{steps}"),
    ]
    for shape in ((1, 8, 8), (3, 6, 11)):
        batch, ny, nx = shape
        given = inputs(drawn, batch=batch, ny=ny, nx=nx)
        expected = variant(drawn, steps)(*given)
        for program in programs:
            torch.testing.assert_close(program(*given), expected, rtol=0, atol=1e-4)


def test_the_variants_of_a_torchscript_file_share_their_weights(drawn: Exported) -> None:
    with zipfile.ZipFile(drawn.bundle / "programs/torchscript.pt") as archive:
        stored = sum(item.file_size for item in archive.infolist() if "/data/" in item.filename)
    weights = sum(4 * p.numel() for p in drawn.model.parameters())
    buffers = sum(b.element_size() * b.numel() for b in drawn.model.buffers())
    assert stored < 1.1 * (weights + buffers)


def test_the_example_is_of_the_preset_with_noise_for_every_step(drawn: Exported) -> None:
    example = read_tensors(drawn.bundle / "example.safetensors")
    names = ("input", "parameters", "noise.initial", "noise.later")
    given = [torch.from_numpy(np.array(example[name])) for name in names]
    assert given[-1].shape == (1, 2, 8, 8)
    expected = torch.from_numpy(np.array(example["expected"]))
    torch.testing.assert_close(variant(drawn, 3)(*given), expected, rtol=0, atol=1e-5)
    assert (variant(drawn, 1)(*given) - expected).abs().max() > 1e-2


def test_every_variant_was_compared_with_the_float64_reference(drawn: Exported) -> None:
    parity = drawn.manifest.provenance["parity"]
    assert sorted(parity["reference"]) == ["br, 1 steps", "br, 3 steps"]
    assert sorted(parity["programs"]) == sorted(p.name for p in drawn.manifest.programs)


def test_a_sampler_sees_no_farther_than_the_manifest_says(drawn: Exported) -> None:
    model, given = variant(drawn, 3), torch.full((1, 1), 3.0)

    def program(x: Tensor) -> Tensor:
        noise = [x.new_zeros(1, n, *x.shape[2:]) for n in drawn.model.noise_inputs.values()]
        out: Tensor = model(x, given, *noise)
        return out

    measured = measure_locality(program, channels=3, multiple=1)
    locality = drawn.manifest.locality
    assert not locality.reduces_over_space
    # without coarser levels every evaluation adds its whole reach: the bound is exact
    assert locality.receptive_field == list(measured.receptive_field)
    assert locality.receptive_field[0] > 8  # of a domain on fewer cells its ranks gather the blocks


def test_the_card_says_what_a_call_draws(drawn: Exported) -> None:
    card = (drawn.bundle / "card.md").read_text()
    assert "ddpm" in card
    assert "1 or 3 evaluations of its net (preset 3)" in card
    assert "at most 5 members" in card


def test_guards_have_seen_frames_of_every_number_of_steps_and_their_spread(drawn: Exported) -> None:
    guards = drawn.manifest.guards
    assert guards.spread is not None
    assert guards.spread.upper > 0


def test_a_manifest_without_a_sampler_has_none_of_its_keys(tmp_path: Path) -> None:
    made = export(tmp_path, NET, cells=8, dt=False)
    manifest: dict[str, Any] = json.loads((made.bundle / "manifest.json").read_text())
    assert {"sampler", "text"}.isdisjoint(manifest)
    assert all({"steps", "method"}.isdisjoint(program) for program in manifest["programs"])
    assert made.manifest.guards.spread is None
