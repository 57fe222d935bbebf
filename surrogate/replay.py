"""Recorded calls run again through the float64 reference: whether the solver got what the bundle computes.

A recording holds all that a call depends on, but for the sums of other ranks (``surrogate_predict_finish``).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.bundle.folder import MANIFEST, check_bundle
from surrogate.bundle.manifest import FieldSpec, Manifest
from surrogate.errors import CorruptError, FieldError, NotFoundError, UnsupportedError
from surrogate.io.frames import FrameFile
from surrogate.paths import find_bundle
from surrogate.reference import Program, predict_reference
from surrogate.reference_programs import load_program

_UNKNOWN_TOLERANCE = 1e-3  # of a field's scale, for a bundle without an example


@dataclass(frozen=True)
class FieldDifference:
    """The largest difference of one field between what was recorded and the reference.

    Attributes
    ----------
    name, unit : str
        The field.
    absolute : float
        In its unit.
    relative : float
        Over the largest ``|u(t2) - u(t1)|`` of the reference in all calls; infinite if nothing changes.
    scaled : float
        In units of the manifest's scale of the field, beyond the rounding of the recorded precision.
    call : int
        Number of the call it occurred in, from 1.
    """

    name: str
    unit: str
    absolute: float
    relative: float
    scaled: float
    call: int


@dataclass(frozen=True)
class Replay:
    """Result of :func:`replay_calls`; `tolerance` bounds ``scaled`` of every field.

    `problem` says what is wrong besides: with the bundle's own files, and nothing was replayed then; or that the
    calls were recorded with another bundle, whose differences the fields then are.
    """

    bundle: str
    file: str
    calls: int
    tolerance: float
    fields: tuple[FieldDifference, ...]
    problem: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the bundle is whole, the one recorded, and every difference within the tolerance."""
        return self.problem is None and all(entry.scaled <= self.tolerance for entry in self.fields)


def replay_calls(
    bundle: str | os.PathLike[str],
    file: str | os.PathLike[str],
    *,
    tolerance: float | None = None,
) -> Replay:
    """Run the recorded inputs through :func:`surrogate.reference.reference` and compare its frames.

    Parameters
    ----------
    bundle : path or str
        A bundle's folder or name; its files are hashed first.
    file : path
        A recording made with ``record_calls``.
    tolerance : float, optional
        Allowed difference in units of each field's scale; default: twice the manifest's, as both sides
        may differ by it from the expected output. _Programs of low precision need more.

    Raises
    ------
    CorruptError
        If `file` cannot be read.
    FieldError
        If `file` records no calls, or calls of a model with other fields.
    UnsupportedError
        If a call cannot be replayed: what policy ``project`` did was decided with the sums of other ranks.
    EngineError
        If the reference's program cannot be run here.
    """
    folder = find_bundle(bundle)
    if not (folder / MANIFEST).is_file():
        raise NotFoundError(f"{folder}: no bundle here (expected a folder with {MANIFEST})")
    try:
        manifest = check_bundle(folder)
    except CorruptError as error:
        return Replay(os.fspath(folder), os.fspath(file), 0, tolerance or 0.0, (), str(error))
    if tolerance is None:
        example = manifest.example
        tolerance = _UNKNOWN_TOLERANCE if example is None else 2.0 * example.tolerance
    with FrameFile(file) as frames:
        _check_fields(manifest, frames)
        manifest = _with_recorded_guards(manifest, frames)
        _check_totals(manifest, frames)
        programs = _Programs(folder, manifest)
        worst = {
            entry.name: _Worst(entry) for entry in manifest.fields if entry.prediction is not None
        }
        for index in range(frames.frames):
            for trajectory in range(frames.trajectories):
                _compare(manifest, programs, frames, index, trajectory, worst)
        if frames.frames == 0:
            raise CorruptError(f"{file} holds no frame; was its folder {file}.frames moved away?")
        fields = tuple(entry.result() for entry in worst.values())
        problem = _other_bundle(folder, frames)
        return Replay(os.fspath(folder), os.fspath(file), frames.frames, tolerance, fields, problem)


class _Programs:
    """The reference's programs of a bundle by number of steps, each loaded at its first use."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder, self._manifest = folder, manifest
        self._loaded: dict[int | None, Program] = {}
        self.of(None)

    def of(self, steps: int | None) -> Program:
        """That of `steps`; None: the preset's, or the only one."""
        if steps not in self._loaded:
            self._loaded[steps] = load_program(self._folder, self._manifest, steps=steps)
        return self._loaded[steps]


class _Worst:
    """The largest differences of a field so far."""

    def __init__(self, spec: FieldSpec) -> None:
        assert spec.prediction is not None
        self.spec = spec
        self.scale = np.abs(np.asarray(spec.prediction.scale, np.float64))  # (components,)
        self.absolute = self.scaled = -1.0
        self.increment = 0.0
        self.call = 0

    def add(
        self, before: NDArray[Any], recorded: NDArray[Any], expected: NDArray[Any], call: int
    ) -> None:
        """Arrays (components, ny, nx); NaN counts as infinitely wrong."""
        scale = self.scale.reshape(-1, *[1] * (recorded.ndim - 1))
        difference = np.abs(recorded.astype(np.float64) - expected)
        rounding = 4 * np.finfo(recorded.dtype).eps * np.maximum(np.abs(expected), np.abs(before))
        scaled = _largest(np.maximum(difference - rounding, 0) / scale, difference)
        self.absolute = max(self.absolute, _largest(difference, difference))
        self.increment = max(self.increment, float(np.abs(expected - before).max()))
        if scaled > self.scaled:
            self.scaled, self.call = scaled, call

    def result(self) -> FieldDifference:
        relative = self.absolute / self.increment if self.increment > 0 else np.inf
        relative = 0.0 if self.absolute == 0 else relative
        return FieldDifference(
            self.spec.name, self.spec.unit, self.absolute, float(relative), self.scaled, self.call
        )


def _largest(values: NDArray[Any], difference: NDArray[Any]) -> float:
    return float(values.max()) if np.isfinite(difference).all() else float("inf")


def _prefixes(manifest: Manifest) -> list[str]:
    """What the names of a frame's fields begin with, newest frame first."""
    return ["input", *(f"history{k}" for k in range(1, manifest.history))]


def _check_fields(manifest: Manifest, frames: FrameFile) -> None:
    prefixes = _prefixes(manifest)
    expected = {f"{prefix}.{entry.name}" for prefix in prefixes for entry in manifest.fields}
    expected |= {
        f"output.{entry.name}" for entry in manifest.fields if entry.prediction is not None
    }
    if expected != set(frames.names):
        raise FieldError(
            f"{frames.path} holds the fields {', '.join(frames.names)}; expected {', '.join(sorted(expected))}, as "
            f"record_calls of the model {manifest.name!r} writes"
        )


def _with_recorded_guards(manifest: Manifest, frames: FrameFile) -> Manifest:
    """The manifest with the guards that the model was opened with."""
    text = frames.attribute("guards")
    if text is None:
        return manifest
    return manifest.model_copy(update={"guards": manifest.guards.replaced(json.loads(text))})


def _check_totals(manifest: Manifest, frames: FrameFile) -> None:
    decided = np.flatnonzero(frames.scalar("totals"))
    if manifest.guards.policy.conserved == "project" and decided.size:
        call = int(frames.scalar("call")[decided[0]])
        raise UnsupportedError(
            f"{frames.path}: call {call} was finished with the sums of other ranks, which policy 'project' used and "
            "this recording of one rank does not hold; record a run on one rank"
        )


def _other_bundle(folder: Path, frames: FrameFile) -> str | None:
    recorded = frames.attribute("bundle_sha256")
    here = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    if recorded == here:
        return None
    return (
        f"{frames.path} was recorded with another bundle: SHA-256 {recorded} of its {MANIFEST} "
        f"({frames.attribute('bundle')}), and {here} of {folder}'s"
    )


def _compare(
    manifest: Manifest,
    programs: _Programs,
    frames: FrameFile,
    index: int,
    trajectory: int,
    worst: dict[str, _Worst],
) -> None:
    state = frames.state(index, trajectory=trajectory)
    before, *history = [
        {entry.name: state[f"{prefix}.{entry.name}"] for entry in manifest.fields}
        for prefix in _prefixes(manifest)
    ]

    def recorded(name: str) -> Any:
        return frames.scalar(name)[index].item()

    axes = range(len(manifest.grid.axes))
    whole = [recorded(f"global_shape{k}") or frames.shape[k] for k in axes]  # 0: the fields' own
    expected = predict_reference(
        manifest,
        programs.of(recorded("steps") if manifest.sampler else None),
        before,
        parameters=[
            *(recorded(f"parameter.{entry.name}") for entry in manifest.parameters),
            *(recorded(f"token{k}") for k in range(manifest.text.length if manifest.text else 0)),
        ],
        history=history,
        step=recorded("step") if manifest.noise else None,
        seed=recorded("seed"),
        member=recorded("member") + trajectory,
        origin=[recorded(f"origin{k}") for k in axes],
        global_shape=whole,
    )
    call = recorded("call")
    for name, entry in worst.items():
        shape = (len(entry.scale), *np.shape(before[name])[-len(manifest.grid.axes) :])
        entry.add(
            before[name].reshape(shape).astype(np.float64),
            state[f"output.{name}"].reshape(shape),
            expected[name].reshape(shape),
            call,
        )
