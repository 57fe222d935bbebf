"""A run that was killed ends in the bits of one that was not; checkpoints are whole or not there."""

from __future__ import annotations

import random
import resource
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from surrogate_training import checkpoint
from surrogate_training.checkpoint import CheckpointError
from surrogate_training.config import Recipe
from surrogate_training.recipe import parse_recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

Make = Callable[..., Any]
HERE = Path(__file__).resolve().parent
PIX2PIX = HERE.parents[1] / "training" / "recipes" / "smoke_pix2pix.yaml"
STEPS, EVERY = 12, 3


def regression(make_recipe: Make, **run: int) -> Recipe:
    model = {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []}
    return make_recipe(model=model, optimiser={"steps": STEPS, "warmup": 2}, run=often() | run)


def pix2pix() -> Recipe:
    """Two networks with batch norm and dropout."""
    tree = yaml.safe_load(PIX2PIX.read_text())
    del tree["data"]["generate"]
    tree["model"] |= {"dropout": "training", "base": 4}
    tree["optimiser"] |= {"steps": STEPS, "warmup": 2}
    tree["run"] = often()
    return parse_recipe(tree)


def often() -> dict[str, int]:
    return {"threads": 1, "log_every": 1, "validate_every": 4, "checkpoint_every": EVERY}


def interrupt(recipe: Recipe, run: RunFolder, root: Path, *what: str) -> None:
    run.path.mkdir(parents=True)
    file = run.path / "given.json"
    file.write_text(recipe.model_dump_json())
    done = subprocess.run(
        [sys.executable, HERE / "interrupted.py", file, run.path, root, *what],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def final(run: RunFolder) -> checkpoint.State:
    return checkpoint.load(run.final_checkpoint)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


@pytest.mark.parametrize("method", ["regression", "pix2pix"])
def test_killed_at_any_step_and_resumed_a_run_ends_in_the_same_bits(
    make_recipe: Make, data_root: Path, tmp_path: Path, method: str
) -> None:
    recipe = regression(make_recipe) if method == "regression" else pix2pix()
    step = random.Random(method).randrange(EVERY + 1, STEPS)
    whole, killed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "killed")
    Trainer(recipe, whole, root=data_root).train()
    interrupt(recipe, killed, data_root, "step", str(step))
    assert checkpoint.load(killed.last_checkpoint).step == (step - 1) // EVERY * EVERY
    torch.manual_seed(99)  # the global generator must not matter
    Trainer(recipe, killed, root=data_root, resume=True).train()
    assert same(vars(final(killed)), vars(final(whole))), f"killed after step {step}"
    assert metrics(killed) == metrics(whole), f"killed after step {step}"


@pytest.mark.full
def test_killed_while_it_writes_a_checkpoint_a_run_resumes_from_the_one_before(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = regression(make_recipe)
    whole, killed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "killed")
    Trainer(recipe, whole, root=data_root).train()
    interrupt(recipe, killed, data_root, "checkpoint", "3")  # last, best, last
    assert [p.name for p in killed.path.rglob("*.partial")] == ["last.pt.partial"]
    assert checkpoint.load(killed.last_checkpoint).step == EVERY
    Trainer(recipe, killed, root=data_root, resume=True).train()
    assert same(vars(final(killed)), vars(final(whole)))


def metrics(run: RunFolder) -> list[dict[str, Any]]:
    lines = [yaml.safe_load(line) for line in run.metrics_file.read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "s/step"} for line in lines]


def test_a_full_disk_keeps_the_old_checkpoint_and_says_what_to_do(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    recipe = regression(make_recipe, validate_every=STEPS)  # no best.pt before
    trainer = Trainer(recipe, run, root=data_root)
    trainer.train(until=EVERY)
    before = run.last_checkpoint.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # the kernel then refuses to write more to a file, as it does on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(
            CheckpointError, match=r"last\.pt cannot be written: .*File too large.*Free"
        ):
            trainer.train(until=EVERY + 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert run.last_checkpoint.read_bytes() == before
    assert not list(tmp_path.rglob("*.partial"))
    Trainer(recipe, run, root=data_root, resume=True).train()
    assert final(run).step == STEPS


@pytest.mark.parametrize("harm", ["cut", "changed"])
def test_a_damaged_checkpoint_is_named_and_nothing_is_trained(
    make_recipe: Make, data_root: Path, tmp_path: Path, harm: str
) -> None:
    run = RunFolder(tmp_path)
    Trainer(regression(make_recipe), run, root=data_root).train(until=EVERY)
    path = run.last_checkpoint
    data = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        with zipfile.ZipFile(path) as archive:
            largest = max(archive.infolist(), key=lambda entry: entry.file_size)
        data[largest.header_offset + 200] ^= 1  # one bit of a tensor
        path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"last\.pt is damaged .*Copy it from a backup"):
        Trainer(regression(make_recipe), run, root=data_root, resume=True)


def test_a_checkpoint_of_another_version_is_said(tmp_path: Path) -> None:
    torch.save({"step": 1, "model": {}}, tmp_path / "last.pt")
    with pytest.raises(CheckpointError, match="another version"):
        checkpoint.load(tmp_path / "last.pt")


def test_a_checkpoint_of_the_first_version_is_read(tmp_path: Path) -> None:
    weights = {"w": torch.ones(2)}
    first = {"step": 3, "model": weights, "average": weights, "optimiser": {"state": {}}}
    torch.save(first, tmp_path / "final.pt")
    state = checkpoint.load(tmp_path / "final.pt")
    assert (state.step, state.optimisers) == (3, {"generator": {"state": {}}})
    assert torch.equal(state.networks["generator"]["w"], state.average["w"])
