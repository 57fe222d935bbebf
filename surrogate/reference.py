"""The oracle: what libsurrogate must compute, composed in float64 from the same manifest and the same program.

x = (u - mean) / std                        per component, of every frame of the history
y = program(x[, parameters][, noise])       noise of surrogate.noise
u' = u + (offset + scale * y)               increment
u' = offset + scale * y                     frame
then what the policies ``clip`` and ``project`` of the guards make of it (:mod:`surrogate.reference_guards`)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.bundle.folder import MANIFEST
from surrogate.bundle.manifest import FieldSpec, Manifest
from surrogate.errors import FieldError, ParameterError, ShapeError
from surrogate.noise import noise
from surrogate.paths import find_bundle
from surrogate.reference_guards import judge
from surrogate.reference_programs import load_program
from surrogate.text import tokens

Float64 = NDArray[np.float64]
Program = Callable[..., Float64]
"""``y = program(x[, p][, n])``: x (B, history * C, ...), parameters p (B, P), noise n (B, c, ...), y (B, C_out, ...)"""


def reference(
    bundle: str | os.PathLike[str],
    field: Any,
    *,
    parameters: Sequence[float] | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    caption: str | None = None,
    program: str | None = None,
    history: Sequence[Any] = (),
    step: int | None = None,
    seed: int = 0,
    member: int = 0,
    origin: Sequence[int] | None = None,
    global_shape: Sequence[int] | None = None,
    guards: bool = True,
) -> Any:
    """Predict as :meth:`Surrogate.predict` must, in float64 with numpy and (for its programs) torch.

    Parameters
    ----------
    bundle : path or str
        A bundle's folder or name.
    field : ndarray, shape (C, ny, nx) or (B, C, ny, nx); or mapping of name to ndarray
        The state at t1, in the manifest's units.
    parameters : sequence of float, optional
        In the manifest's order; default: their presets.
    steps, guidance, caption
        Of a generative model, as in :meth:`Surrogate.predict`.
    program : str, optional
        A program's name; default: the portable one where there is one, else the first.
    history : sequence of states
        Older frames, newest first, of a model that reads several.
    step, seed, member : int
        Of the noise that a stochastic model draws; state b of a batch draws as ``member + b``.
    origin, global_shape : sequence of int, optional
        Where `field` lies in the whole domain, to whose cells the noise belongs; default: it is the whole.
    guards : bool
        False: the frame as the program makes it, neither clipped nor projected. Nothing is refused in either case.

    Returns
    -------
    ndarray or dict of ndarray, float64
        The state at t2, in the form of `field`.
    """
    folder = find_bundle(bundle)
    manifest = Manifest.read(Path(folder) / MANIFEST)
    run = load_program(folder, manifest, program, steps=steps)
    return predict_reference(
        manifest,
        run,
        field,
        parameters=parameter_row(manifest, parameters, guidance=guidance, caption=caption),
        history=history,
        step=step,
        seed=seed,
        member=member,
        origin=origin,
        global_shape=global_shape,
        guards=guards,
    )


def predict_reference(
    manifest: Manifest,
    program: Program,
    field: Any,
    *,
    parameters: Sequence[float] | None = None,
    history: Sequence[Any] = (),
    step: int | None = None,
    seed: int = 0,
    member: int = 0,
    origin: Sequence[int] | None = None,
    global_shape: Sequence[int] | None = None,
    guards: bool = True,
) -> Any:
    """Compose normalisation, `program`, denormalisation and policies. See :func:`reference`.

    `parameters` are a whole row of the program's input, of :func:`parameter_row`; default: presets and no caption.
    """
    state, restore = _stack(manifest, field)  # (B, C, ...)
    if len(history) != manifest.history - 1:
        raise ShapeError(
            f"reference: history of {len(history)} older frames; this model reads {manifest.history - 1}"
        )
    frames = [state, *(_stack(manifest, older)[0] for older in history)]
    inputs = [np.concatenate([normalise(manifest, frame) for frame in frames], axis=1)]
    if manifest.parameter_columns:
        row = parameter_row(manifest) if parameters is None else parameters
        inputs.append(np.tile(np.asarray(row, np.float64), (len(state), 1)))  # (B, P + words)
    if manifest.noise and step is None:
        raise ParameterError("reference: this model is stochastic; give step=")
    for index, entry in enumerate(manifest.noise):
        draws = [
            noise(
                state.shape[2:],
                step=step or 0,
                channels=entry.channels,
                seed=seed,
                member=member + b,
                noise_input=index,
                origin=origin,
                global_shape=global_shape,
            )
            for b in range(len(state))
        ]
        inputs.append(np.stack(draws).astype(np.float64))  # (B, channels, ...)
    frame = denormalise(manifest, state, program(*inputs))
    return restore(judge(manifest, state, frame).frame if guards else frame)


def parameter_row(
    manifest: Manifest,
    parameters: Sequence[float] | None = None,
    *,
    guidance: float | None = None,
    caption: str | None = None,
) -> list[float]:
    """A row of the program's parameters: scalars in the manifest's order, then the token ids of the caption.

    Raises
    ------
    ParameterError
        If a value is given that the model does not take, or the caption is too long.
    """
    row = [entry.preset for entry in manifest.parameters]
    if parameters is not None:
        row[: len(parameters)] = [float(value) for value in parameters]
    if guidance is not None:
        if manifest.sampler is None or manifest.sampler.guidance is None:
            raise ParameterError(f"reference: guidance={guidance:g}; this model has none")
        row[-1] = guidance
    if manifest.text is not None:
        return row + [float(token) for token in tokens(caption, manifest.text)]
    if caption:
        raise ParameterError("reference: a caption given; this model takes none")
    return row


def normalise(manifest: Manifest, state: NDArray[Any]) -> Float64:
    """The program's input, ``(u - mean) / std``.

    Parameters
    ----------
    manifest : Manifest
        Of the bundle.
    state : ndarray, shape (B, C, ...)
        In the manifest's units.

    Returns
    -------
    ndarray, shape (B, C, ...), float64
        Dimensionless.
    """
    mean = _per_channel([entry.normalisation.mean for entry in manifest.fields], state.ndim)
    std = _per_channel([entry.normalisation.std for entry in manifest.fields], state.ndim)
    result: Float64 = (np.asarray(state, np.float64) - mean) / std
    return result


def denormalise(manifest: Manifest, state: NDArray[Any], y: NDArray[Any]) -> Float64:
    """The next state from the program's output.

    Parameters
    ----------
    manifest : Manifest
        Of the bundle.
    state : ndarray, shape (B, C, ...)
        The state at t1.
    y : ndarray, shape (B, C_out, ...)
        The program's output, channels of the predicted fields in order.

    Returns
    -------
    ndarray, shape (B, C, ...), float64
        The state at t2; fields that are not predicted are those of `state`.
    """
    expected = (len(state), manifest.output_channels, *state.shape[2:])
    if y.shape != expected:
        raise ShapeError(f"reference: the program returned shape {y.shape}, expected {expected}")
    result = np.array(state, np.float64)
    first = read = 0
    for entry in manifest.fields:
        if entry.prediction is not None:
            part = np.asarray(y[:, read : read + entry.components], np.float64)  # (B, c, ...)
            change = _frame(entry, part, state.ndim)
            channels = slice(first, first + entry.components)
            if entry.prediction.kind == "increment":
                result[:, channels] += change
            else:
                result[:, channels] = change
            read += entry.components
        first += entry.components
    return result


def _frame(entry: FieldSpec, part: Float64, rank: int) -> Float64:
    assert entry.prediction is not None
    offset = _per_channel([entry.prediction.offset], rank)
    result: Float64 = offset + _per_channel([entry.prediction.scale], rank) * part
    return result


def _per_channel(lists: Sequence[Sequence[float]], rank: int) -> Float64:
    values = np.array([value for entry in lists for value in entry], np.float64)
    return values.reshape(1, -1, *[1] * (rank - 2))  # (1, C, 1, 1)


def _stack(manifest: Manifest, field: Any) -> tuple[NDArray[Any], Callable[[Float64], Any]]:
    """The state as (B, C, ...), and the way back to the caller's form."""
    rank = len(manifest.grid.axes)
    if not isinstance(field, Mapping):
        array = np.asarray(field)
        if array.ndim not in (rank + 1, rank + 2):
            raise ShapeError(
                f"reference: a state of shape {array.shape}; expected (C, ...) or (B, C, ...), {rank}-D"
            )
        batched = array.ndim == rank + 2
        state = array if batched else array[None]  # (B, C, ...)
        if state.shape[1] != manifest.input_channels:
            raise ShapeError(
                f"reference: {state.shape[1]} channels; expected {manifest.input_channels}"
            )
        return state, (lambda result: result) if batched else (lambda result: result[0])
    names = [entry.name for entry in manifest.fields]
    if set(names) != set(field):
        raise FieldError(f"reference: fields {list(field)}; expected {names}")
    parts = [_with_batch(np.asarray(field[name]), rank) for name in names]

    def restore(result: Float64) -> dict[str, Float64]:
        frames, first = {}, 0
        for entry in manifest.fields:
            part = result[:, first : first + entry.components]
            frames[entry.name] = part.reshape(np.shape(field[entry.name]))
            first += entry.components
        return frames

    return np.concatenate(parts, axis=1), restore  # (B, C, ...)


def _with_batch(array: NDArray[Any], rank: int) -> NDArray[Any]:
    """(ny, nx), (c, ny, nx) or (B, c, ny, nx) as (B, c, ny, nx)."""
    return array.reshape((1,) * (rank + 2 - array.ndim) + array.shape)
