"""The commands: the whole road on the smoke recipe, and errors as one line with exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
import yaml
from surrogate_training.cli.evaluate import evaluate
from surrogate_training.cli.export import export
from surrogate_training.cli.guards import guards
from surrogate_training.cli.train import train
from surrogate_training.config import Data, FieldSpec, Generate
from surrogate_training.generate import GenerationError, ensure_data
from surrogate_training.repository import find_root
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "training" / "recipes" / "smoke.yaml"


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    for command in (train, evaluate, export, guards):
        made.command()(command)
    return made


def test_the_whole_road_on_the_smoke_recipe(app: typer.Typer, tmp_path: Path) -> None:
    run, bundle, root = tmp_path / "run", tmp_path / "smoke.surrogate", ["--root", str(tmp_path)]
    settings = (
        "optimiser.steps=20",
        "run.validate_every=10",
        "run.threads=1",
        "model.widths=[8]",
        "model.encoder_blocks=[1]",
        "model.decoder_blocks=[]",
    )
    small = [text for setting in settings for text in ("--set", setting)]

    def call(*args: str) -> str:
        done = CliRunner().invoke(app, [*args, *root])
        assert done.exit_code == 0, done.output
        return done.output

    shown = call("train", str(SMOKE), "--out", str(run), *small)
    assert "step 20/20" in shown
    assert "validation at 10" in shown
    assert (
        json.loads((tmp_path / ".data" / "smoke" / "generated.json").read_text())["command"][-1]
        == "4"
    )
    assert (
        "already holds a run"
        in CliRunner().invoke(app, ["train", str(SMOKE), "--out", str(run), *root]).output
    )
    call("train", str(SMOKE), "--out", str(run), "--resume", *small)
    picture = tmp_path / "one.png"
    found = json.loads(call("evaluate", str(run), "--json", "--picture", str(picture)))
    assert found["counted_fields"] == ["bx", "by", "p", "rho", "vx", "vy"]
    assert picture.stat().st_size > 10_000
    assert "persistence" in call("evaluate", str(run), "--out", str(tmp_path / "report"))
    assert "receptive field" in call("export", str(run), "--out", str(bundle))
    assert '"statistics"' in call("guards", str(run), str(bundle))
    again = json.loads(call("evaluate", str(bundle), "--json"))
    assert again["error"] == pytest.approx(found["error"], rel=1e-4)


def test_a_bad_recipe_is_one_line_and_status_one(app: typer.Typer, tmp_path: Path) -> None:
    tree = yaml.safe_load(SMOKE.read_text()) | {"optimizer": {}}
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(tree))
    done = CliRunner().invoke(
        app, ["train", str(tmp_path / "bad.yaml"), "--out", str(tmp_path / "r")]
    )
    assert done.exit_code == 2
    assert "did you mean 'optimiser'" in done.output
    assert not (tmp_path / "r").exists()


def test_a_missing_solver_is_named_with_what_to_do(tmp_path: Path) -> None:
    generate = Generate(
        command=("{MHD2D}",), requires={"MHD2D": "{root}/none"}, hint="build it with make"
    )
    with pytest.raises(GenerationError, match=r"none does not exist: build it with make.*MHD2D"):
        ensure_data(_data(generate), root=tmp_path)


def test_a_generator_that_fails_is_said(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="status 3"):
        ensure_data(
            _data(Generate(command=("{python}", "-c", "raise SystemExit(3)"))), root=tmp_path
        )


def test_data_of_another_command_is_not_used(tmp_path: Path) -> None:
    code = "open(r'{path}/trajectory_0.h5', 'w')"
    first = Generate(command=("{python}", "-c", code))
    assert ensure_data(_data(first), root=tmp_path)
    assert not ensure_data(_data(first), root=tmp_path)
    with pytest.raises(GenerationError, match="another command"):
        ensure_data(_data(Generate(command=("{python}", "-c", code + ";1"))), root=tmp_path)


def test_no_data_and_no_command_is_said(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match=r"no data\.generate"):
        ensure_data(_data(None), root=tmp_path)


def _data(generate: Generate | None) -> Data:
    return Data(path="d", fields=(FieldSpec(name="u"),), generate=generate)


def test_paths_of_a_recipe_are_relative_to_the_repository_around_it(tmp_path: Path) -> None:
    assert find_root(SMOKE.parent) == ROOT
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_root(tmp_path / "a" / "b") == tmp_path
