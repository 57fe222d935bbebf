"""Checks of a bundle on this machine: its files, its example pair, and libsurrogate against the float64 reference."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.bundle.folder import MANIFEST, check_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import read_tensors
from surrogate.errors import CorruptError, EngineError, NotFoundError, Rejected
from surrogate.model import Surrogate
from surrogate.paths import find_bundle
from surrogate.reference import predict_reference
from surrogate.reference_programs import choose_program, load_program
from surrogate.text import caption_of


@dataclass(frozen=True)
class Check:
    """One check: `passed` is None where it could not be made, and `text` says why."""

    name: str
    passed: bool | None
    text: str
    difference: float | None = None
    tolerance: float | None = None


def verify_bundle(bundle: str | os.PathLike[str], **options: Any) -> list[Check]:
    """Make every check that is possible here.

    Parameters
    ----------
    bundle : path or str
        A bundle's folder or name.
    **options
        Of :meth:`Surrogate.open`, for instance ``engine`` and ``program``.

    Returns
    -------
    list of Check
        ``files``, ``example``, ``reference``; the later ones only if the files are whole.

    Raises
    ------
    SurrogateError
        If there is no bundle, or no engine that can run it.
    """
    folder = find_bundle(bundle)
    if not (folder / MANIFEST).is_file():
        raise NotFoundError(f"{folder}: no bundle here (expected a folder with {MANIFEST})")
    try:
        manifest = check_bundle(folder)
    except (CorruptError, NotFoundError) as error:
        return [Check("files", False, str(error))]
    count = len(manifest.files)
    checks = [Check("files", True, f"{count} files have the size and SHA-256 of the manifest")]
    with Surrogate.open(folder, **options) as model:
        if manifest.example is None:
            why = "the bundle has no example pair"
            return [*checks, Check("example", None, why), Check("reference", None, why)]
        if manifest.sampler and model.info.preset_steps != manifest.sampler.preset:
            why = (
                f"the example is of {manifest.sampler.preset} steps, program {model.info.program} makes "
                f"{model.info.preset_steps}"
            )
            return [*checks, Check("example", None, why), Check("reference", None, why)]
        example = _example_check(model)
        return [
            *checks,
            example,
            _reference_check(folder, manifest, model, example.tolerance or 0.0),
        ]


def _example_check(model: Surrogate) -> Check:
    result = model.verify()
    info = model.info
    text = (
        f"{info.engine}/{info.program} on {info.device}: largest difference from the expected output "
        f"{result.largest_difference:.3g}, allowed {result.tolerance:.3g} (normalised)"
    )
    return Check("example", result.passed, text, result.largest_difference, result.tolerance)


def _reference_check(folder: Path, manifest: Manifest, model: Surrogate, tolerance: float) -> Check:
    """The library's frame against the reference's, both from the example's input in physical units.

    `tolerance` is the program's own on the example; a lowered program has a wider one than the bundle's.
    """
    assert manifest.example is not None
    try:
        program = load_program(folder, manifest)
    except EngineError as error:
        return Check("reference", None, str(error))
    tensors = read_tensors(folder / manifest.example.file)
    state = physical_state(manifest, tensors["input"])  # (1, history * C, ny, nx)
    row = tensors["parameters"][0].tolist() if "parameters" in tensors else None
    scalars = None if row is None else row[: len(manifest.parameters)]
    caption = None
    if row is not None and manifest.text is not None:
        caption = caption_of(
            [int(token) for token in row[len(manifest.parameters) :]], manifest.text
        )
    state, *history = np.split(state, manifest.history, axis=1)  # newest first
    expected = predict_reference(manifest, program, state, parameters=row, history=history, step=0)
    try:
        frame = model.predict(
            state, parameters=scalars or None, caption=caption, history=history, step=0
        )
    except Rejected as refused:
        return Check("reference", False, f"the library refused the example: {refused}")
    difference = float(np.abs((frame - expected) / _scales(manifest, state.ndim)).max())
    # Each side may differ from the expected output by its tolerance, so they may differ by the sum.
    allowed = manifest.example.tolerance + tolerance
    text = (
        f"libsurrogate against {choose_program(manifest).name} in float64: largest difference {difference:.3g}, "
        f"allowed {allowed:.3g} (in units of each field's scale)"
    )
    return Check("reference", difference <= allowed, text, difference, allowed)


def physical_state(manifest: Manifest, x: NDArray[Any]) -> NDArray[np.float64]:
    """The state whose normalised form is `x`: ``u = mean + std * x``, shape (B, C, ...), float64."""
    shape = (1, -1, *[1] * (x.ndim - 2))  # (1, C, 1, 1)
    frames = x.shape[1] // manifest.input_channels
    mean = np.tile(
        np.concatenate([entry.normalisation.mean for entry in manifest.fields]), frames
    ).reshape(shape)
    std = np.tile(
        np.concatenate([entry.normalisation.std for entry in manifest.fields]), frames
    ).reshape(shape)
    result: NDArray[np.float64] = mean + std * x.astype(np.float64)
    return result


def _scales(manifest: Manifest, rank: int) -> NDArray[np.float64]:
    parts = [
        entry.prediction.scale if entry.prediction is not None else [1.0] * entry.components
        for entry in manifest.fields
    ]
    scales: NDArray[np.float64] = np.concatenate(parts).reshape(1, -1, *[1] * (rank - 2))
    return scales
