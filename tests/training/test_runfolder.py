"""Run folders: one a run, named by time; the newest is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from surrogate_training.runfolder import latest_run, new_run, open_run


def test_runs_of_an_experiment_lie_beside_each_other_and_latest_is_the_newest(
    tmp_path: Path,
) -> None:
    first, second = new_run(tmp_path / "flow"), new_run(tmp_path / "flow")
    assert first.path != second.path
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", first.path.name)
    assert latest_run(tmp_path / "flow").path == second.path
    assert (tmp_path / "flow" / "latest").readlink() == Path(second.path.name)


def test_no_run_to_resume_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no run to resume"):
        latest_run(tmp_path)


def test_an_experiment_opens_as_its_newest_run(tmp_path: Path) -> None:
    run = new_run(tmp_path / "flow")
    with pytest.raises(FileNotFoundError, match=f"{run.path.name} is not a run folder"):
        open_run(tmp_path / "flow")
