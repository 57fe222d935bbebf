"""The report of an evaluation: whole, by itself, and with the worst pair in it."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
from moving import moving_bundle, write_frames
from PIL import Image
from surrogate_training.card import write_card
from surrogate_training.cli.evaluate import evaluate
from surrogate_training.evaluation.evaluate import Options
from surrogate_training.report.collage import draw
from surrogate_training.report.contents import verdict
from surrogate_training.report.evaluation import Evaluation, evaluate_subject
from surrogate_training.report.figures import boxes, training
from surrogate_training.report.ledger import Ledger
from surrogate_training.report.style import scale_of
from surrogate_training.report.tables import overall_table
from surrogate_training.runfolder import RunFolder
from typer.testing import CliRunner

from surrogate.bundle.folder import check_bundle


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_frames(tmp_path_factory.mktemp("moving"))


@pytest.fixture(scope="module")
def found(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """A model that moves fields the right way, and too weak; stochastic, so that every section is there."""
    made = moving_bundle(
        tmp_path_factory.mktemp("bundle"),
        scale=0.9,
        noise=[{"name": "xi", "channels": 1}],
        program={"noise": 0.1},
    )
    return evaluate_subject(made, data, options=Options(members=3), solver_seconds=1e-9)


@pytest.fixture(scope="module")
def printed(
    found: Evaluation, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The report that the command writes of the same, and what it prints."""
    app = typer.Typer()
    app.command()(evaluate)
    out = tmp_path_factory.mktemp("report")
    options = ["--members", "3", "--solver-seconds", "1e-9", "--out", str(out)]
    done = CliRunner().invoke(app, [str(found.subject), str(data), *options])
    assert done.exit_code == 0, done.output
    return out, done.output


@pytest.fixture(scope="module")
def folder(printed: tuple[Path, str]) -> Path:
    return printed[0]


def test_the_folder_holds_page_pdf_table_and_summary(folder: Path, found: Evaluation) -> None:
    assert sorted(p.name for p in folder.iterdir()) == [
        "metrics.csv",
        "report.html",
        "report.pdf",
        "summary.json",
    ]
    told = json.loads((folder / "summary.json").read_text())
    for summary in (told, expected := copy.deepcopy(found.summary)):
        del summary["cost"], summary["ensemble"]["seconds"]  # timings
    assert told == expected
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_page_needs_nothing_else(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert not re.findall(r"<script|<link|https?://|url\(", page)
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert len(sources) == 8
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "prefers-color-scheme: dark" in page


def test_the_page_tells_the_numbers_beside_the_baselines(folder: Path, found: Evaluation) -> None:
    page = (folder / "report.html").read_text()
    for method in ("model", "persistence", "linear_extrapolation", "mean"):
        assert f"{found.summary[method]['rmse']:.4g}</td>" in page, method
    for title in ("Rollouts", "Ensembles", "Spectra", "Values", "Cost", "Definitions"):
        assert title in page
    worst = found.summary["extremes"]["worst"]
    assert f"worst: {worst['file']}, t1 = {worst['time']:g} s, t2 = t1 + 0.5 s" in page
    assert "linear_extrapolation: 6 of 8 pairs" in page
    assert "jumps to break even</td><td>never" in re.sub(r">\s+<", "><", page)


def test_the_worst_pair_is_drawn_last_and_is_the_worst(found: Evaluation) -> None:
    labels = [example.title.split(":")[0] for example in found.result.examples]
    assert labels == ["best", "median", "worst"]
    _, truth, predicted = found.result.examples[-1].fields["u"]
    error = np.sqrt(np.mean((predicted - truth) ** 2)) / truth.std()
    assert error == pytest.approx(found.result.errors().max())


def test_break_even_is_the_cost_over_what_a_jump_saves() -> None:
    costs = Ledger(600.0, 1400.0, 0.5, 0.5, (0.4, 0.6), 2.5, None, "a machine")
    assert costs.break_even == 1000
    assert Ledger(1.0, 1.0, None, 3.0, (3, 3), 2.5, None, "").break_even == "never"
    assert Ledger(None, 1.0, None, 1.0, (1, 1), 2.5, None, "").break_even is None
    assert Ledger(1.0, 1.0, None, 1.0, (1, 1), None, None, "").break_even is None


def test_training_time_is_that_of_its_resources_or_its_steps(
    found: Evaluation, tmp_path: Path
) -> None:
    from surrogate_training.report.ledger import make_ledger

    lines = [
        {"kind": "train", "step": 10, "loss": 1.0, "s/step": 0.5},
        {"kind": "validation", "step": 10, "error": 0.5},
        {"kind": "train", "step": 30, "loss": 0.5, "s/step": 0.25},
    ]
    run = RunFolder(tmp_path)
    run.metrics_file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "generated.json").write_text(json.dumps({"command": [], "seconds": 30.0}))
    costs = make_ledger(found.result, run=run, data=tmp_path, solver_seconds=100.0)
    assert costs.training_seconds == 10.0
    assert costs.data_seconds == 30.0
    assert costs.break_even == 1
    assert training(lines) is not None
    assert training([]) is None
    (tmp_path / "resources.json").write_text(json.dumps({"seconds": 12.0, "kwh": 0.25}))
    costs = make_ledger(found.result, run=run)
    assert (costs.training_seconds, costs.training_kwh) == (12.0, 0.25)
    costs = make_ledger(found.result, run=run, data_seconds=88.0, solver_seconds=100.0)
    assert costs.data_seconds == 88.0
    assert costs.break_even == 2


def test_signed_fields_have_a_scale_about_zero_and_others_their_range() -> None:
    signed = scale_of(np.array([[-3.0, 1.0]]), np.array([[np.nan, 2.0]]))
    assert (signed.low, signed.high, signed.diverging) == (-3.0, 3.0, True)
    density = scale_of(np.array([[1.0, 4.0]]))
    assert (density.low, density.high, density.diverging) == (1.0, 4.0, False)
    assert (density.error.low, density.error.high) == (-1.5, 1.5)
    assert signed.error == signed


def test_a_collage_shows_the_error_where_it_is(tmp_path: Path) -> None:
    truth = np.zeros((32, 32))
    truth[0, 0], truth[0, 1] = -1000.0, 1000.0
    predicted = truth.copy()
    predicted[10:20, 10:20] += 500
    path = tmp_path / "one.png"
    rows = {"br": (truth, truth, predicted)}
    draw(rows, path, title="a pair", units={"br": "G"}, softening={"br": 50.0})
    image = np.asarray(Image.open(path).convert("RGB"), np.int64)
    red = (image[..., 0] > 140) & (image[..., 2] < 110) & (image[..., 1] < 120)
    # in the last two of four panels: the block, beside its share of the colour bars
    assert red[:, : image.shape[1] // 3].mean() < 0.001
    assert red[:, image.shape[1] // 2 :].mean() > 0.02


def test_a_rival_of_any_name_stands_in_the_table_and_may_be_the_best(
    data: Path, tmp_path: Path
) -> None:
    options = Options(rollout=0, rivals={"other_model": lambda case: case.truth})
    found = evaluate_subject(moving_bundle(tmp_path, shift=(0, 0)), data, options=options)
    assert "not below the best baseline, other model with 0" in verdict(found.summary)
    table = overall_table(found.summary)
    assert table.head[-1] == "other model"
    assert (0, len(table.head) - 1) in table.best
    assert len(boxes(found.result).axes) == 4


def test_the_card_gets_the_scores_and_the_bundle_stays_whole(data: Path, tmp_path: Path) -> None:
    made = moving_bundle(tmp_path)
    before = check_bundle(made)
    assert "Not evaluated" in write_card(before)
    found = evaluate_subject(made, data, options=Options(pairs=3, rollout=0))
    found.write_card()
    after = check_bundle(made)
    assert after.metrics == found.summary
    assert after.files["programs/stub.json"] == before.files["programs/stub.json"]
    card = (made / "card.md").read_text()
    assert "| rmse | " in card
    assert "Worst pair: trajectory_" in card
    assert "linear_extrapolation: " in card


def test_the_command_prints_a_table_beside_the_baselines(printed: tuple[Path, str]) -> None:
    folder, output = printed
    assert "linear extrapolation" in output
    assert "below the best baseline" in output
    assert f"report: {folder}" in output.replace("\n", "")


def test_json_has_every_method_and_writes_no_report(data: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(evaluate)
    made, picture = moving_bundle(tmp_path, shift=(0, 0)), tmp_path / "worst.png"
    options = ["--pairs", "2", "--rollout", "2", "--json", "--picture", str(picture)]
    done = CliRunner().invoke(app, [str(made), str(data), *options])
    told = json.loads(done.output)
    for method in ("model", "persistence", "linear_extrapolation", "mean"):
        assert {"rmse", "relative_l2", "vrmse", "ssim", "spectrum_error"} <= told[method].keys()
    assert "not below the best baseline" in verdict(told)
    assert picture.stat().st_size > 5_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["moving.surrogate", "worst.png"]
    done = CliRunner().invoke(app, [str(made), str(tmp_path / "none"), "--json"])
    assert done.exit_code == 2
    assert "no such file" in done.output
