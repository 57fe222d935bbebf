"""The gate: how far a lowered program may differ from the reference, and how far it does.

Both are compared as frames in the manifest's units, the program's run in its own precision, the reference's in
float64. A model with validation errors (``metrics.fields[F].error``, the rms error over the standard deviation of the
true frame) is held to them: per field, and per channel of it,

    rms over cells of (u'_program - u'_reference) / std of u'_reference  ≤  5 % of the field's validation error,

the same normalisation with the reference's frame in place of the truth. Errors that are independent add by squares,
so a program at the limit changes the model's error by about 0.1 %. A model without such errors is held to a max-norm of
the normalised output: max |y - y_reference| ≤ limit · max |y_reference|, about five rounding units of bfloat16 or
float16, 1e-4 in float32.

Fields that only follow from predicted ones, for instance B = curl A_z, have no limit of their own here: they are held
by the potential's, whose validation error is small for that reason.

The states are the example pair's input (without an example, one of random numbers of unit variance) and three copies:
moved by half the domain along every axis; contrasts stretched by a quarter about the trained mean; and with white noise
of 2 % of each channel's standard deviation. All are held inside the trained ranges where the manifest has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import read_tensors
from surrogate.lower.portable import example_inputs
from surrogate.reference import denormalise
from surrogate.reference_programs import load_program
from surrogate.verification import physical_state

Array = NDArray[Any]
Inputs = tuple[Array, ...]
Program = Callable[..., Array]

SHARE = 0.05  # of the validation error
MAX_NORM = {"fp32": 1e-4, "bf16": 2e-2, "fp16": 5e-3}
STRETCH, NOISE, SEED = 1.25, 0.02, 0


@dataclass(frozen=True)
class Verdict:
    """Errors of a program by field (the worst of its channels and of the states), and what they may be."""

    kind: str
    error: dict[str, float]
    limit: dict[str, float]

    @property
    def passed(self) -> bool:
        """Whether every error is a number within its limit."""
        return all(self.error[name] <= self.limit[name] for name in self.limit)

    @property
    def worst(self) -> float:
        """Largest error over its limit; not-a-number counts as infinite."""
        ratios = [self.error[name] / self.limit[name] for name in self.limit]
        return max(ratio if ratio == ratio else float("inf") for ratio in ratios)

    def text(self) -> str:
        """Which field is over its limit, with both numbers."""
        over = [
            f"{name}: {self.error[name]:.3g}, limit {self.limit[name]:.3g}"
            for name in self.limit
            if not self.error[name] <= self.limit[name]
        ]
        kind = f"{SHARE:.0%} of the validation error" if self.kind == "validation" else "max-norm"
        return f"{'; '.join(over)} ({kind})"


class Gate:
    """States and the reference's answers, computed once, against which programs are judged."""

    def __init__(
        self, folder: Path, manifest: Manifest, shape: Sequence[int], steps: int | None = None
    ) -> None:
        self.manifest = manifest
        reference = load_program(folder, manifest, steps=steps)
        self.inputs = gate_inputs(folder, manifest, shape)
        of_preset = manifest.sampler is None or steps in (None, manifest.sampler.preset)
        self.example = read_example(folder, manifest) if of_preset else None
        self.expected = [reference(*inputs) for inputs in self.inputs]

    def judge(self, program: Program, precision: str, *, states: int | None = None) -> Verdict:
        """Run `program` (float32 arrays in and out) on every state, or on the first `states`."""
        found = [program(*inputs) for inputs in self.inputs[:states]]
        if validation_errors(self.manifest) is None:
            return self._max_norm(found, precision)
        return self._validation(found)

    def deviation(self, program: Program) -> float:
        """How far verification may find the program from the example's expected output, normalised; 0 without one.

        Twice what is measured here, because another number of threads changes how sums are rounded.
        """
        if self.example is None:
            return 0.0
        inputs, expected = self.example
        return 2.0 * float(np.abs(program(*inputs) - expected).max())

    def _max_norm(self, found: list[Array], precision: str) -> Verdict:
        pairs = zip(found, self.expected, strict=False)
        error = [float(np.abs(y - r).max() / max(np.abs(r).max(), 1e-30)) for y, r in pairs]
        return Verdict("max-norm", {"output": _largest(error)}, {"output": MAX_NORM[precision]})

    def _validation(self, found: list[Array]) -> Verdict:
        errors: dict[str, float] = {}
        for y, expected, inputs in zip(found, self.expected, self.inputs, strict=False):
            newest, *_ = np.split(inputs[0], self.manifest.history, axis=1)
            state = physical_state(self.manifest, newest)
            frame = denormalise(self.manifest, state, y)
            truth = denormalise(self.manifest, state, expected)
            for name, error in _relative(self.manifest, frame, truth).items():
                errors[name] = _largest([errors.get(name, 0.0), error])
        published = validation_errors(self.manifest) or {}
        limits = {name: SHARE * published[name] for name in errors}
        return Verdict("validation", errors, limits)


def validation_errors(manifest: Manifest) -> dict[str, float] | None:
    """The model's own error by predicted field, rms over std; None unless every field has one above zero."""
    names = [entry.name for entry in manifest.fields if entry.prediction is not None]
    stated = manifest.metrics.get("fields")
    found = {}
    for name in names:
        entry = stated.get(name) if isinstance(stated, dict) else None
        error = entry.get("error") if isinstance(entry, dict) else None
        if not isinstance(error, (int, float)) or not error > 0:
            return None
        found[name] = float(error)
    return found


def gate_inputs(folder: Path, manifest: Manifest, shape: Sequence[int]) -> list[Inputs]:
    """Program inputs, float32: normalised states as the module says, with parameters and noise where there are some."""
    drawn = [entry.numpy() for entry in example_inputs(manifest, shape)]
    example = read_example(folder, manifest)
    first, *others = drawn if example is None else example[0]
    generator = np.random.default_rng(SEED)
    axes = tuple(range(2, first.ndim))
    half = tuple(size // 2 for size in first.shape[2:])
    noise = NOISE * first.std(axis=axes, keepdims=True) * generator.standard_normal(first.shape)
    states = [first, np.roll(first, half, axes), STRETCH * first, first + noise]
    low, high = _normalised_range(manifest, first)
    return [(np.clip(state, low, high).astype(np.float32), *others) for state in states]


def read_example(folder: Path, manifest: Manifest) -> tuple[Inputs, Array] | None:
    """Inputs and expected output of the bundle's example pair, float32; None if it has none."""
    if manifest.example is None:
        return None
    tensors = read_tensors(folder / manifest.example.file)
    names = ["input"] + ["parameters"] * bool(manifest.parameter_columns)
    names += [f"noise.{entry.name}" for entry in manifest.noise]
    return tuple(np.array(tensors[name]) for name in names), np.array(tensors["expected"])


def _normalised_range(manifest: Manifest, state: Array) -> tuple[Array, Array]:
    """Trained range of every channel of the program's input; infinite where the manifest has none."""
    low, high = [], []
    for entry in manifest.fields:
        ranges = entry.trained_range or [(-np.inf, np.inf)] * entry.components
        for (a, b), mean, std in zip(
            ranges, entry.normalisation.mean, entry.normalisation.std, strict=True
        ):
            low.append((a - mean) / std)
            high.append((b - mean) / std)
    low, high = low * manifest.history, high * manifest.history
    shape = (1, -1, *[1] * (state.ndim - 2))
    return np.array(low).reshape(shape), np.array(high).reshape(shape)


def _relative(manifest: Manifest, frame: Array, truth: Array) -> dict[str, float]:
    """Rms over cells of the difference over the truth's std: per predicted field, its worst channel."""
    errors, first = {}, 0
    for entry in manifest.fields:
        last = first + entry.components
        if entry.prediction is not None:
            axes = (0, *range(2, truth.ndim))
            difference = np.sqrt(np.mean((frame - truth)[:, first:last] ** 2, axis=axes))
            spread = np.maximum(truth[:, first:last].std(axis=axes), 1e-30)
            errors[entry.name] = _largest((difference / spread).tolist())
        first = last
    return errors


def _largest(values: Sequence[float]) -> float:
    """The maximum; not-a-number if one is, so that no comparison passes it."""
    return float(np.max(np.array(values)))
