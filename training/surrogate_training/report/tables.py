"""The numbers of a report as tables of text, the same for HTML and PDF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from surrogate.facts import quantity_text
from surrogate_training.evaluation.scores import BEST
from surrogate_training.report.ledger import FORMULA
from surrogate_training.report.style import label

SHOWN = (
    "rmse",
    "relative_l2",
    "vrmse",
    "mae",
    "max_error",
    "correlation",
    "ssim",
    "spectrum_error",
    "spectrum_low",
    "spectrum_middle",
    "spectrum_high",
    "drift",
)


@dataclass(frozen=True)
class Table:
    """Text in rows; ``best`` are the cells (row, column) to mark."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: frozenset[tuple[int, int]] = frozenset()
    note: str = ""


def score_table(
    title: str, numbers: dict[str, dict[str, float | None]], *, note: str = ""
) -> Table:
    """A row a metric, a column a method; the number nearest to a perfect prediction's is marked."""
    methods = list(numbers)
    rows: list[tuple[str, ...]] = []
    best: set[tuple[int, int]] = set()
    for metric in SHOWN:
        values = [numbers[method][metric] for method in methods]
        distance = {
            k: abs(v - BEST.get(metric, 0.0)) for k, v in enumerate(values) if v is not None
        }
        # conservation by those that do not move is no merit
        if distance and metric != "drift":
            nearest = min(distance.values())
            best |= {(len(rows), k + 1) for k, d in distance.items() if d == nearest}
        rows.append((metric.replace("_", " "), *(number(v) for v in values)))
    if all("pairs" in n for n in numbers.values()):
        rows.append(("pairs", *(str(numbers[method]["pairs"]) for method in methods)))
    return Table(title, ("", *(label(m) for m in methods)), tuple(rows), frozenset(best), note)


def overall_table(summary: dict[str, Any]) -> Table:
    """Means over pairs and counted fields."""
    numbers = {method: summary[method] for method in summary["methods"]}
    return score_table(
        "All fields" if len(summary["counted_fields"]) > 1 else summary["counted_fields"][0],
        numbers,
        note=f"Unit of rmse, mae and max error: {summary['unit']}.",
    )


def field_tables(summary: dict[str, Any]) -> list[Table]:
    """A table a field, where there are several."""
    if len(summary["fields"]) == 1:
        return []
    return [
        score_table(
            f"{name}, in {field['unit']}" if field["unit"] != "1" else name, field["methods"]
        )
        for name, field in summary["fields"].items()
    ]


def ensemble_table(summary: dict[str, Any]) -> Table | None:
    """Scores of the members; the CRPS of persistence is its mean absolute error."""
    found = summary.get("ensemble")
    if found is None:
        return None
    columns = {
        "crps": "fair CRPS",
        "mae_persistence": "CRPS of persistence",
        "spread_skill": "spread / skill",
        "rmse_of_mean": "RMSE of the mean",
        "rmse_of_member": "of a member",
        "spectrum_error_of_mean": "spectrum error of the mean",
        "spectrum_error_of_member": "of a member",
    }
    rows = [
        (
            f"{name} [{summary['fields'][name]['unit']}]",
            *(number(e[key]) for key in columns),
        )
        for name, e in found["fields"].items()
    ]
    note, took = "", found["seconds"]
    if took["ratio"] is not None:
        note = (
            f"A member of such a call takes {took['member']:.3g} s, a frame predicted alone {took['single']:.3g} s: "
            f"ratio {took['ratio']:.2f}."
        )
    head = ("field", *columns.values())
    return Table(f"Ensembles of {found['members']} members", head, tuple(rows), note=note)


def cost_table(costs: dict[str, Any]) -> Table:
    """The ledger."""

    def seconds(key: str) -> str:
        value = costs[key]
        return "not recorded" if value is None else f"{value:.4g} s"

    kwh = costs["training_kwh"]
    low, high = costs["surrogate_quartiles"]
    jumps = costs["break_even_jumps"]
    rows = (
        ("training data", seconds("data_seconds")),
        (
            "training",
            seconds("training_seconds") + ("" if kwh is None else f", {kwh:.3g} kWh"),
        ),
        (
            "a jump of the surrogate",
            f"{seconds('surrogate_seconds_per_jump')} (quartiles {low:.4g} to {high:.4g}), {costs['machine']}",
        ),
        ("a jump of the solver", seconds("solver_seconds_per_jump")),
        ("a jump of the coarse solver", seconds("coarse_seconds_per_jump")),
        ("jumps to break even", "not known" if jumps is None else str(jumps)),
    )
    return Table("Cost", ("", ""), rows, note=f"{FORMULA}.")


def facts_table(facts: dict[str, str]) -> Table:
    """Names and values."""
    return Table("Model and data", ("", ""), tuple(facts.items()))


def extremes_table(summary: dict[str, Any], time_unit: str) -> Table:
    """Where the best, the median and the worst pair are."""
    rows = tuple(
        (
            name,
            found["file"] if found["run"] == found["file"] else f"{found['run']}: {found['file']}",
            str(found["frame"]),
            quantity_text(found["time"], time_unit),
            number(found["error"]),
        )
        for name, found in summary["extremes"].items()
    )
    return Table(
        "Best, median and worst pair",
        ("", "file", "frame", "t1", "error (VRMSE)"),
        rows,
    )


def number(value: float | None) -> str:
    """Four digits; a dash where a number has no meaning."""
    return "–" if value is None else f"{value:.4g}"
