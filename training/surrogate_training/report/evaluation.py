"""From a bundle or a run to its report: what ``surrogate evaluate`` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surrogate.bundle.folder import MANIFEST, check_bundle
from surrogate.facts import quantity_text
from surrogate.whole import write_json
from surrogate_training.card import refresh_card
from surrogate_training.config import Recipe
from surrogate_training.evaluation.collect import Done
from surrogate_training.evaluation.evaluate import Options, evaluate_bundle, evaluate_model
from surrogate_training.evaluation.result import Result
from surrogate_training.evaluation.summary import Summary, summarise
from surrogate_training.report.collage import draw
from surrogate_training.report.ledger import make_ledger, read_metrics
from surrogate_training.report.write import write_report
from surrogate_training.repository import find_root
from surrogate_training.runfolder import RunFolder, open_run, set_threads


@dataclass(frozen=True)
class Evaluation:
    """A result with its summary, ready to be written.

    Attributes
    ----------
    subject : Path
        The bundle, or the run folder.
    run : RunFolder, optional
        The training.
    facts : dict of str to str
        What was evaluated, on what.
    """

    subject: Path
    run: RunFolder | None
    result: Result
    summary: Summary
    facts: dict[str, str]

    def write(self, out: Path) -> Path:
        """Write the report and return its page."""
        records = None if self.run is None else read_metrics(self.run)
        return write_report(self.result, self.summary, out, facts=self.facts, records=records)

    def draw(self, path: Path) -> None:
        """Draw the worst pair."""
        worst = self.result.examples[-1]
        system = self.result.system
        units = {f.name: f.unit for f in system.fields}
        draw(worst.fields, path, title=worst.title, units=units, softening=system.softening)

    def write_card(self) -> None:
        """Write the scores into the bundle's manifest and card.

        Raises
        ------
        ValueError
            If a run was evaluated.
        """
        if not (self.subject / MANIFEST).is_file():
            raise ValueError(f"--card: {self.subject} is no bundle; export the run first")
        refresh_card(self.subject, self.summary)


def evaluate_subject(
    subject: Path,
    data: Path | None = None,
    *,
    run: Path | None = None,
    part: str = "test",
    root: Path | None = None,
    options: Options | None = None,
    data_seconds: float | None = None,
    solver_seconds: float | None = None,
    done: Done = lambda count, total: None,
) -> Evaluation:
    """Evaluate a bundle through the run time, or a run's trained model.

    Parameters
    ----------
    subject : Path
        Bundle or run folder.
    data, part, options, done
        As of :func:`evaluate_bundle`.
    run : Path, optional
        The run folder that a bundle comes from.
    root : Path, optional
        Folder that the recipe's paths are relative to; default: the repository around.
    data_seconds, solver_seconds : float, optional
        Cost of the training data, and of a jump of the solver, where the files do not tell them.

    Raises
    ------
    FileNotFoundError
        If there is no such bundle or run.
    ValueError
        If data is named for a run, whose own test data is used.
    """
    wanted = Options() if options is None else options
    if (subject / MANIFEST).is_file():
        folder = None if run is None else open_run(run)
        base = root or find_root(Path.cwd())
        result = evaluate_bundle(subject, data, root=base, part=part, options=wanted, done=done)
        first: Summary = {}
    else:
        if not subject.exists():
            raise FileNotFoundError(f"{subject}: no such bundle or run folder")
        if data is not None:
            raise ValueError(
                f"{subject} is a run, evaluated on its own data; export it to evaluate a bundle on {data}"
            )
        folder = open_run(subject)
        set_threads(folder.recipe().run.threads)
        base = root or folder.root()
        result = evaluate_model(folder, root=base, part=part, options=wanted, done=done)
        first = {"step": folder.model()[1]}
    recipe = result.system.recipe
    source = None if recipe is None else base / recipe.data.path
    ledger = make_ledger(
        result, run=folder, data=source, data_seconds=data_seconds, solver_seconds=solver_seconds
    )
    used = part if data is None else str(data)
    summary = {**first, **summarise(result), "part": used, "cost": ledger.as_json()}
    if first and part == "test" and wanted.pairs == 0:
        assert folder is not None
        write_json(folder.evaluation_file, summary)
    return Evaluation(subject, folder, result, summary, _facts(subject, result, used, recipe))


def _facts(subject: Path, result: Result, used: str, recipe: Recipe | None) -> dict[str, str]:
    system = result.system
    facts: dict[str, Any] = {
        "model": subject.name,
        "data": f"{used}: {len(result.pairs)} pairs of {result.trajectories} trajectories or regions",
        "jump": quantity_text(system.jump, system.time_unit),
        "predicted": ", ".join(
            f"{f.name} [{f.unit}]" if f.unit != "1" else f.name for f in system.fields
        ),
    }
    if result.steps is not None:
        facts["sampler"] = f"{result.steps} evaluations of the net a frame"
    if recipe is not None:
        conditions = [f.name for f in recipe.data.fields if f.condition]
        facts["conditions"] = ", ".join(conditions) or "none"
        facts["method"] = f"{recipe.method.kind}, net {recipe.model.kind}"
        facts["missing cells"] = recipe.data.missing
        if recipe.evaluation.coarse is not None:
            facts["coarse solver"] = recipe.evaluation.coarse_label
    if (subject / MANIFEST).is_file():
        provenance = check_bundle(subject).provenance
        made = provenance.get("environment", {})
        facts["trained"] = f"{provenance.get('steps')} steps at commit {made.get('commit')}"
    return {key: str(value) for key, value in facts.items()}
