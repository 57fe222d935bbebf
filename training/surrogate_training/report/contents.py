"""What a report holds, in order, before it is HTML or PDF."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from surrogate_training.evaluation.result import MODEL, Result
from surrogate_training.report import figures
from surrogate_training.report.collage import collage
from surrogate_training.report.style import png
from surrogate_training.report.tables import (
    Table,
    cost_table,
    ensemble_table,
    extremes_table,
    facts_table,
    field_tables,
    overall_table,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Summary = dict[str, Any]


@dataclass(frozen=True)
class Picture:
    """A figure drawn once for HTML and PDF: PNG, and its height over its width."""

    caption: str
    png: bytes
    aspect: float

    @classmethod
    def of(cls, caption: str, figure: Figure) -> Picture:
        """Draw a figure."""
        width, height = figure.get_size_inches()
        return cls(caption, png(figure), float(height / width))


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it: text, tables, pictures."""

    title: str
    text: str = ""
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """A title, a sentence that says how it went, and sections."""

    title: str
    verdict: str
    made: str
    sections: list[Section]
    definitions: dict[str, str]


def make_report(
    result: Result,
    summary: Summary,
    *,
    facts: dict[str, str],
    records: list[dict[str, Any]] | None = None,
) -> Report:
    """Draw the figures and fill the tables.

    Parameters
    ----------
    result : Result
    summary : dict
        Of the result, with ``cost``.
    facts : dict of str to str
        What was evaluated, on what.
    records : list of dict, optional
        Of the training's ``metrics.jsonl``.
    """
    sections = [
        _scores(result, summary),
        _examples(result, summary),
        Section(
            "Spectra",
            "Power by wavenumber: median of all pairs, with the band from 16 to 84 %. The spectrum error counts the "
            "shaded third.",
            pictures=[Picture.of("Isotropic spectra", figures.spectra(result))],
        ),
        Section(
            "Values",
            "All cells of all pairs; what lies outside the training's range counts in the outermost bins.",
            pictures=[Picture.of("Histograms of values", figures.histograms(result))],
        ),
        *_rollout(result, summary),
        *_ensemble(result, summary),
        *_training(records),
        Section("Cost", tables=[cost_table(summary["cost"])]),
        Section("What was evaluated", notes(summary), tables=[facts_table(facts)]),
    ]
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Report(
        result.system.name, verdict(summary), made, sections, dict(summary["definitions"])
    )


def verdict(summary: Summary) -> str:
    """How the model does beside the best of what it must beat, in one or two sentences."""
    rivals = {
        name: summary[name]["rmse"]
        for name in summary["methods"]
        if name != MODEL and summary[name]["rmse"] is not None
    }
    nearest = min(rivals, key=lambda name: rivals[name])
    ours = summary[MODEL]["rmse"]
    ratio = ours / rivals[nearest] if rivals[nearest] > 0 else float("inf")
    judged = "below" if ratio < 1 else "not below"
    worst = summary["extremes"]["worst"]["error"]
    return (
        f"RMSE {ours:.4g}: {judged} the best baseline, {nearest.replace('_', ' ')} with {rivals[nearest]:.4g} "
        f"(ratio {ratio:.3g}). Spectrum error {_text(summary[MODEL]['spectrum_error'])} against "
        f"{_text(summary['persistence']['spectrum_error'])} of persistence. Worst of {summary['pairs']} pairs: "
        f"an error of {worst:.3g} of the truth's deviation."
    )


def _scores(result: Result, summary: Summary) -> Section:
    return Section(
        "Scores",
        f"Means over pairs, of the model and of all that it must beat; bold: nearest to a perfect prediction. Of the "
        f"model: {summary['model_frames']}.",
        tables=[overall_table(summary), *field_tables(summary)],
        pictures=[
            Picture.of(
                "All pairs, by method: quartiles, whiskers from 5 to 95 %", figures.boxes(result)
            )
        ],
    )


def _examples(result: Result, summary: Summary) -> Section:
    softening = result.system.softening
    units = {f.name: f.unit for f in result.system.fields}
    return Section(
        "Best, median and worst pair",
        "Colours are shared within a row; errors have the same span, so that a step of colour is the same number.",
        tables=[extremes_table(summary, result.system.time_unit)],
        pictures=[
            Picture.of(
                example.title,
                collage(example.fields, title=example.title, units=units, softening=softening),
            )
            for example in result.examples
        ],
    )


def _rollout(result: Result, summary: Summary) -> list[Section]:
    figure = figures.rollout(result)
    if figure is None:
        return []
    found = summary["rollout"]
    unit = result.system.time_unit
    told = []
    for method in (MODEL, "persistence"):
        time = found[method]["time_to_correlation_0.8"]
        text = f"not within {found['times'][-1]:g}" if time is None else f"after {time:.4g}"
        told.append(f"{method}: {text}{'' if unit == '1' else ' ' + unit}")
    return [
        Section(
            "Rollouts",
            f"{found['windows']} windows of {found['jumps']} jumps, each frame predicted from the one before. "
            f"Correlation falls below 0.8: {'; '.join(told)}.",
            pictures=[Picture.of("Errors over lead time", figure)],
        )
    ]


def _ensemble(result: Result, summary: Summary) -> list[Section]:
    table, figure = ensemble_table(summary), figures.ranks(result)
    if table is None or figure is None:
        return []
    return [Section("Ensembles", tables=[table], pictures=[Picture.of("Rank histograms", figure)])]


def _training(records: list[dict[str, Any]] | None) -> list[Section]:
    figure = figures.training(records or [])
    return (
        []
        if figure is None
        else [Section("Training", pictures=[Picture.of("Training curves", figure)])]
    )


def notes(summary: Summary) -> str:
    """What could not be done, and what the guards would have refused."""
    refused = summary["refused"]
    parts = list(summary["notes"])
    if refused["pairs"]:
        reasons = ", ".join(f"{name} {count}" for name, count in refused["by"].items())
        parts.append(
            f"The guards would refuse {refused['pairs']} of {summary['pairs']} pairs ({reasons}); they are scored too"
        )
    else:
        parts.append("No guard would refuse a pair")
    return ". ".join(parts) + "."


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
