"""Bundles of generative models: a program for each number of steps, weights once, draws as the model's."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

import numpy as np
import pytest
import torch
from exporting import OFF, Exported, export
from surrogate_training.locality import measure_locality
from surrogate_training.models.generative import GenerativeModel
from surrogate_training.predictor import Predictor
from surrogate_training.programs import load_portable, load_torchscript
from torch import Tensor

from surrogate import Surrogate
from surrogate.bundle.folder import check_bundle
from surrogate.bundle.tensors import read_tensors
from surrogate.errors import ParameterError

NET = {
    "stem": 1,
    "widths": [4],
    "encoder_blocks": [1],
    "decoder_blocks": [],
    "boundary": ["periodic"] * 2,
}
ANCESTRAL = {"kind": "ddpm", "steps": [1, 2], "preset": 2, "members": 5, "guidance": 3.0}

CAPTIONS = {
    "length": 3,
    "rule": [{"field": "br", "edges": [1.0], "words": ["quiet sun", "a spot"]}],
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A diffusion model that draws noise at every step, with dt, guidance and captions."""
    return export(
        tmp_path_factory.mktemp("drawn"),
        NET,
        cells=8,
        dt=True,
        method={"kind": "ddpm", "condition_dropout": 0.1},
        sampler=ANCESTRAL,
        captions=CAPTIONS,
    )


def variant(made: Exported, steps: int) -> GenerativeModel:
    assert isinstance(made.model, GenerativeModel)
    return made.model.variant(steps)


def inputs(made: Exported, *, batch: int, ny: int, nx: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    channels = (3, *made.model.noise_inputs.values())
    x, *noise = (torch.randn(batch, c, ny, nx, generator=generator) for c in channels)
    return (x, torch.tensor([[3.0, 1.5, 2.0, 3.0, 0.0]] * batch), *noise)  # dt, guidance, words


def test_the_manifest_lists_the_steps_the_preset_first(drawn: Exported) -> None:
    manifest = check_bundle(drawn.bundle)
    assert manifest.sampler is not None
    assert manifest.sampler.model_dump() == {
        "method": "ddpm", "kind": "ddpm", "steps": [1, 2], "preset": 2, "members": 5, "guidance": 3.0,
    }  # fmt: skip
    assert [(p.name, p.file, p.steps, p.method) for p in manifest.programs] == [
        ("portable_2", "programs/portable_2.pt2", 2, ""),
        ("torchscript_2", "programs/torchscript.pt", 2, "steps_2"),
        ("portable_1", "programs/portable_1.pt2", 1, ""),
        ("torchscript_1", "programs/torchscript.pt", 1, "steps_1"),
    ]
    # as many as the largest number of steps takes
    assert [(n.name, n.channels) for n in manifest.noise] == [("initial", 1), ("later", 1)]
    assert [p.name for p in manifest.parameters] == ["dt", "guidance"]
    assert manifest.text is not None
    assert manifest.text.length == 3
    assert manifest.text.vocabulary[2:] == ["a", "quiet", "spot", "sun"]


def test_programs_are_their_variants_for_any_batch_and_grid(drawn: Exported) -> None:
    script = load_torchscript(drawn.bundle / "programs/torchscript.pt")
    programs = [
        (1, script.steps_1),
        (2, script.steps_2),
        (2, load_portable(drawn.bundle / "programs/portable_2.pt2")),
    ]
    for batch, ny, nx in ((1, 8, 8), (3, 6, 11)):
        given = inputs(drawn, batch=batch, ny=ny, nx=nx)
        for steps, program in programs:
            expected = variant(drawn, steps)(*given)
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
    assert given[-1].shape == (1, 1, 8, 8)
    expected = torch.from_numpy(np.array(example["expected"]))
    torch.testing.assert_close(variant(drawn, 2)(*given), expected, rtol=0, atol=1e-5)
    assert (variant(drawn, 1)(*given) - expected).abs().max() > 1e-2


def test_every_variant_was_compared_with_the_float64_reference(drawn: Exported) -> None:
    parity = drawn.manifest.provenance["parity"]
    assert sorted(parity["reference"]) == ["br, 1 steps", "br, 2 steps"]
    assert sorted(parity["programs"]) == sorted(p.name for p in drawn.manifest.programs)


def program_of(made: Exported, steps: int) -> Callable[[Tensor], Tensor]:
    """State → output of a variant, without noise."""
    model, given = variant(made, steps), torch.tensor([[3.0, 1.0, 2.0, 3.0, 0.0]])

    def program(x: Tensor) -> Tensor:
        noise = [x.new_zeros(1, n, *x.shape[2:]) for n in made.model.noise_inputs.values()]
        out: Tensor = model(x, given, *noise)
        return out

    return program


def test_a_sampler_sees_no_farther_than_the_manifest_says(drawn: Exported) -> None:
    measured = measure_locality(program_of(drawn, 2), channels=3, multiple=1)
    locality = drawn.manifest.locality
    assert not locality.reduces_over_space
    # without coarser levels every evaluation adds its whole reach: the bound is exact
    assert locality.receptive_field == list(measured.receptive_field)
    one = measure_locality(program_of(drawn, 1), channels=3, multiple=1)
    assert locality.receptive_field[0] == 2 * one.receptive_field[0]


def test_guidance_is_the_last_parameter_and_weighs_the_condition(drawn: Exported) -> None:
    guidance = check_bundle(drawn.bundle).parameters[-1]
    assert (guidance.name, guidance.range, guidance.preset) == ("guidance", (0.0, 3.0), 1.0)
    program = load_torchscript(drawn.bundle / "programs/torchscript.pt").steps_1
    x, parameters, *noise = inputs(drawn, batch=2, ny=8, nx=8)

    def increment(g: float) -> Tensor:
        parameters[:, 1] = g
        y: Tensor = program(x, parameters, *noise)
        return y

    # of one evaluation the scaled increment is linear in the weight, and asinh of small increments nearly so
    without, as_trained, more = (increment(g) for g in (0.0, 1.0, 1.1))
    assert not torch.allclose(without, as_trained, atol=1e-2)
    line = as_trained + 0.1 * (as_trained - without)
    assert (more - line).abs().max() < 0.2 * (more - as_trained).abs().max()


def test_the_card_says_what_a_call_draws(drawn: Exported) -> None:
    card = (drawn.bundle / "card.md").read_text()
    assert "ddpm" in card
    assert "1 or 2 evaluations of its net (preset 2)" in card
    assert "at most 5 members" in card
    assert "Parameter dt" in card
    assert "Parameter guidance" not in card  # its range is none of the training


@pytest.mark.parametrize("steps", [1, 2])
def test_the_run_time_draws_the_members_that_the_model_draws(drawn: Exported, steps: int) -> None:
    state = np.array(drawn.test.pair(1)[:1])
    with Surrogate.open(drawn.bundle, engine="torch", threads=1, guards=OFF) as run_time:
        found = run_time.predict_members(
            state[0], 3, step=7, seed=11, steps=steps, parameters={"dt": 3.0}, caption="a spot"
        )
        other = run_time.predict(state[0], step=7, seed=11, steps=steps, parameters={"dt": 3.0})
    assert drawn.test.caption(1) == "a spot"
    given = drawn.test.parameters(1)
    assert given is not None
    given[0] = 3.0
    predictor = Predictor(variant(drawn, steps), drawn.recipe, drawn.statistics)
    expected = predictor.members(state, given, step=7, seed=11, members=3)
    scale = drawn.statistics.fields["br"].increment_std
    np.testing.assert_allclose(found[:, 1] / scale, expected[:, 0] / scale, rtol=0, atol=1e-3)
    assert np.abs(found[0, 1] - found[1, 1]).max() > 0.1 * scale
    assert not np.allclose(other, found[0])  # without a caption


def test_steps_and_members_that_the_bundle_does_not_hold_are_named_errors(drawn: Exported) -> None:
    state = np.array(drawn.test.pair(1)[0])
    with Surrogate.open(drawn.bundle, engine="torch", threads=1, guards=OFF) as run_time:
        with pytest.raises(ParameterError, match="steps"):
            run_time.predict(state, step=0, steps=3)
        with pytest.raises(ParameterError, match="members"):
            run_time.predict(state, step=0, members=6)


def test_guards_have_seen_frames_of_every_number_of_steps_and_their_spread(drawn: Exported) -> None:
    guards = drawn.manifest.guards
    assert guards.spread is not None
    assert guards.spread.upper > 0
