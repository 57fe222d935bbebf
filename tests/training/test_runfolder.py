"""Run folders: one a run, named by time; the newest is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from surrogate_training.cli.train import train
from surrogate_training.runfolder import latest_run, new_run, open_run
from typer.testing import CliRunner


def test_runs_of_an_experiment_lie_beside_each_other_and_latest_is_the_newest(
    tmp_path: Path,
) -> None:
    first, second = new_run(tmp_path / "flow"), new_run(tmp_path / "flow")
    assert first.path != second.path
    first.name_latest()
    second.name_latest()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", first.path.name)
    assert latest_run(tmp_path / "flow").path == second.path
    assert (tmp_path / "flow" / "latest").readlink() == Path(second.path.name)


def test_no_run_to_resume_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no run to resume"):
        latest_run(tmp_path)


def test_an_experiment_opens_as_its_newest_run(tmp_path: Path) -> None:
    run = new_run(tmp_path / "flow")
    run.name_latest()
    with pytest.raises(FileNotFoundError, match=f"{run.path.name} is not a run folder"):
        open_run(tmp_path / "flow")


def test_the_command_names_its_run_by_time_and_a_refused_one_leaves_nothing(
    make_recipe: Callable[..., Any], data_root: Path, tmp_path: Path
) -> None:
    app = typer.Typer()
    app.command()(train)
    recipe = make_recipe(
        data=make_recipe().data.model_dump() | {"path": str(data_root / ".data" / "smoke")},
        model={"widths": [8], "encoder_blocks": [1], "decoder_blocks": []},
        optimiser={"steps": 1},
    )
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe.model_dump_json())

    def call(*args: str) -> str:
        return CliRunner().invoke(app, [str(file), "--root", str(tmp_path), *args]).output

    assert "no run to resume" in call("--resume")
    assert "it has error, rho" in call("--set", "run.best=ssim")
    experiment = tmp_path / ".runs" / "smoke"
    assert not list(experiment.iterdir())
    assert "trained" in call()
    run = open_run(experiment)
    assert run.final_checkpoint.is_file()
    call("--resume")
    assert [p.name for p in experiment.iterdir() if not p.is_symlink()] == [run.path.name]
    assert len(run.environment()["resumed"]) == 1
