"""The model card of a bundle: what it is for, how good it is, where it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from surrogate.bundle.folder import check_bundle, write_bundle
from surrogate.bundle.manifest import FieldSpec, Manifest
from surrogate.bundle.names import GUIDANCE
from surrogate.facts import quantity_text

CARD = "card.md"


def write_card(manifest: Manifest) -> str:
    """Markdown from the manifest alone, so that card and manifest cannot disagree."""
    parts = [
        f"# {manifest.name}",
        manifest.description,
        "## What it does",
        f"Maps the state at t1 to t2 = t1 + {quantity_text(manifest.time.step, manifest.time.unit)}. "
        f"{_grid(manifest)} {_locality(manifest)}",
        _inputs(manifest),
        _sampler(manifest),
        "| field | unit | staggering | trained range |\n|---|---|---|---|\n"
        + "\n".join(_field(f) for f in manifest.fields),
        _scaling(manifest),
        "## What it is for",
        "To be called inside a simulation in place of the solver's own steps from t1 to t2, by a code that steps "
        "itself where a frame is refused; states must come from the same equations, grid and range as the data "
        "below. It is not for forecasts that nobody checks, nor for states that training did not hold.",
        _data(manifest.provenance.get("recipe", {}).get("data", {})),
        "## How good it is",
        _metrics(manifest.metrics),
        "## Where it ends",
        "It knows the family of states that it was trained on: other resolutions, boundary conditions, jumps or "
        "parameters are outside it. Its guards refuse states unlike those of training (values, mean and deviation of "
        "every field) and frames that change by an unlikely amount; they cannot tell a wrong frame from a right one "
        "among those that pass. Integrals of conserved fields are restored where the policy of the guard is "
        f"'project'; other integrals are conserved only as well as the error above.{_potentials(manifest)}",
        "## How it was made",
        _provenance(manifest.provenance),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _grid(manifest: Manifest) -> str:
    grid = manifest.grid
    rule = f"any multiple of {grid.multiple_of} cells from {grid.minimum_shape} on"
    if grid.fixed_shape is not None:
        rule = f"{grid.fixed_shape} cells and no other"
    return f"Grid: {rule}, at spacing {_numbers(grid.spacing)}, {' and '.join(grid.boundary)}."


def _locality(manifest: Manifest) -> str:
    locality = manifest.locality
    if locality.reduces_over_space:
        return (
            "A cell may depend on the whole domain, so a frame is predicted whole: of a domain that MPI ranks share, "
            "its blocks are gathered."
        )
    return (
        f"A cell depends on {locality.receptive_field} cells to each side; translations by {locality.stride} cells "
        "commute with it."
    )


def _inputs(manifest: Manifest) -> str:
    """What it reads besides the fields that it predicts."""
    parts = []
    if conditions := [f.name for f in manifest.fields if f.prediction is None]:
        parts.append(f"Read and never predicted: {', '.join(conditions)}.")
    for parameter in manifest.parameters:
        if parameter.name == GUIDANCE:  # no number of the training
            continue
        low, high = (f"{end:.4g}" for end in parameter.range)
        span = quantity_text(f"{low} … {high}", parameter.unit)
        parts.append(
            f"Parameter {parameter.name}: {span} in training, preset {parameter.preset:.4g}."
        )
    if manifest.noise:
        parts.append("It is stochastic: a frame is one draw, by seed, step and member.")
    if manifest.text is not None:
        parts.append(
            f"A caption of at most {manifest.text.length} words may be given; it knows "
            f"{len(manifest.text.vocabulary) - 2} of them."
        )
    return " ".join(parts)


def _sampler(manifest: Manifest) -> str:
    """How a generative model draws."""
    sampler = manifest.sampler
    if sampler is None:
        return ""
    *first, last = [str(steps) for steps in sampler.steps]
    steps = f"{', '.join(first)} or {last} evaluations" if first else f"{last} evaluations"
    text = (
        f"Trained by {sampler.method}; a frame is drawn by the sampler {sampler.kind} in {steps} of its net (preset "
        f"{sampler.preset}). An evaluation costs about what one frame of a deterministic model with that net does"
        f"{', twice with guidance' if sampler.guidance is not None else ''}. "
        f"A call may ask for at most {sampler.members} members."
    )
    if 1 in sampler.steps:
        text += (
            " With a single evaluation members differ little, and lack small scales, unless the net was tuned for it: "
            "what one evaluation at pure noise says is near the mean over all frames that may follow."
        )
    if sampler.guidance is not None:
        text += (
            f" Guidance weighs the condition: 0 draws without it, 1 (preset) as trained, at most {sampler.guidance:g}; "
            "above 1 members are more alike than the frames that may follow."
        )
    return text


def _scaling(manifest: Manifest) -> str:
    """What the net sees of values and of missing cells."""
    parts = [
        f"The net sees asinh({f.name} / {quantity_text(f.scaling.softening, f.unit)})."
        for f in manifest.fields
        if f.scaling is not None and f.scaling.kind == "asinh"
    ]
    missing = manifest.provenance.get("recipe", {}).get("data", {}).get("missing")
    if missing == "mask":
        parts.append(
            "Cells without data were filled in what the net sees, and had no weight in loss and scores."
        )
    return " ".join(parts)


def _data(data: dict[str, Any]) -> str:
    """Where the training data comes from and how it was split."""
    if not data:
        return ""
    lists, split = data.get("pairs"), data.get("split", {})
    if lists:
        return f"Trained on the pairs of `{lists['train']}`, tested on those of `{lists['test']}`, split by region."
    return (
        f"Trained on `{data['path']}/{data['pattern']}`; of whole trajectories {split.get('validation')} were held out "
        f"for validation and {split.get('test')} for the test."
    )


def _field(field: FieldSpec) -> str:
    ranges = "; ".join(f"{low:.4g} … {high:.4g}" for low, high in field.trained_range)
    return f"| {field.name} | {field.unit} | {field.staggering} | {ranges or 'not stated'} |"


_ROWS = ("rmse", "relative_l2", "vrmse", "correlation", "ssim", "spectrum_error")


def _potentials(manifest: Manifest) -> str:
    features = manifest.provenance.get("recipe", {}).get("model", {}).get("features", [])
    if not any(isinstance(feature, dict) for feature in features):
        return ""
    return " div B stays at round-off, because the potential is predicted."


def _metrics(metrics: dict[str, Any]) -> str:
    """Scores beside the baselines, then field by field; older bundles have the latter alone."""
    if "error" not in metrics:
        return "Not evaluated."
    rows = [
        f"| {name} | {e['error']:.4f} | {e['persistence']:.4f} | {e['ratio']:.3f} |"
        for name, e in metrics["fields"].items()
    ]
    total = f"| **mean of {', '.join(metrics['counted_fields'])}** | {metrics['error']:.4f} | "
    total += f"{metrics['persistence_error']:.4f} | {metrics['error_over_persistence']:.3f} |"
    head = (
        f"On {metrics['pairs']} pairs of {metrics['trajectories']} trajectories that training has not seen; "
        f"error: {metrics['definition']}.\n\n| field | error | persistence | ratio |\n|---|---|---|---|\n"
    )
    return head + "\n".join([*rows, total]) + _comparison(metrics) + _ensemble(metrics)


def _ensemble(metrics: dict[str, Any]) -> str:
    """What the scores above are of, where frames are draws, and those of ensembles."""
    if not metrics.get("stochastic"):
        return ""
    text = "\n\nThese scores are of one member of each pair's ensemble"
    found = metrics.get("ensemble")
    if found is None:
        return f"{text}."
    of = found["all"]
    return (
        f"{text}. Of {found['members']} members together, means over the fields: fair CRPS {_score(of['crps'])} "
        f"(persistence {_score(of['mae_persistence'])}), spread / skill {_score(of['spread_skill'])}, RMSE of the mean "
        f"{_score(of['rmse_of_mean'])} and of a member {_score(of['rmse_of_member'])}, spectrum error of a member "
        f"{_score(of['spectrum_error_of_member'])}."
    )


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _comparison(metrics: dict[str, Any]) -> str:
    columns = metrics.get("methods", [])
    if not columns:
        return ""
    lines = [f"| | {' | '.join(name.replace('_', ' ') for name in columns)} |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for row in _ROWS:
        values = (metrics[name][row] for name in columns)
        shown = " | ".join("–" if value is None else f"{value:.4g}" for value in values)
        lines.append(f"| {row.replace('_', ' ')} | {shown} |")
    worst = metrics["extremes"]["worst"]
    said = [f"Unit of rmse: {metrics['unit']}.", *(f"{note}." for note in metrics["notes"])]
    said.append(f"Worst pair: {worst['file']}, frame {worst['frame']}, error {worst['error']:.3g}.")
    return "\n\n" + "\n".join(lines) + "\n\n" + " ".join(said) + _cost(metrics.get("cost", {}))


def _cost(cost: dict[str, Any]) -> str:
    parts = []
    if (seconds := cost.get("training_seconds")) is not None:
        kwh = cost.get("training_kwh")
        parts.append(
            f"Training took {seconds:.4g} s{'' if kwh is None else f' and {kwh:.3g} kWh'}."
        )
    if "surrogate_seconds_per_jump" in cost:
        parts.append(
            f"A jump takes {cost['surrogate_seconds_per_jump']:.3g} s on {cost['machine']}."
        )
    return "".join(f" {part}" for part in parts)


def _provenance(provenance: dict[str, Any]) -> str:
    made, exported = provenance.get("environment", {}), provenance.get("export_environment", {})
    resumed = "".join(f", resumed at {stop['commit']}" for stop in made.get("resumed", []))
    return (
        f"Recipe `{provenance.get('recipe', {}).get('name', '?')}`, seed {provenance.get('seed')}, "
        f"{provenance.get('steps')} steps on {provenance.get('training_pairs')} pairs, "
        f"trained at commit {made.get('commit')}{resumed}, exported at {exported.get('commit')}, "
        f"torch {made.get('torch')}, {made.get('cpu')}. The whole recipe is in the manifest."
    )


def refresh_card(bundle: Path, metrics: dict[str, Any]) -> Manifest:
    """Replace a bundle's metrics, and the card that tells them; programs stay as they are.

    Parameters
    ----------
    bundle : Path
        Rewritten as a whole, or not at all.
    metrics : dict
        Summary of an evaluation.
    """
    manifest = check_bundle(bundle)
    body = {**manifest.model_dump(mode="json", exclude={"files"}), "metrics": metrics}
    files: dict[str, bytes | Path] = {
        name: (bundle / name).read_bytes() for name in manifest.files if name != CARD
    }
    files[CARD] = write_card(Manifest.model_validate({**body, "files": manifest.files})).encode()
    return write_bundle(bundle, files, **body)


def _numbers(values: list[float] | None) -> str:
    return "any" if values is None else str([float(f"{v:.6g}") for v in values])
