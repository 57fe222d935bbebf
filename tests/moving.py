"""A model whose answer is known, and its data: fields that move with a known velocity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from bundles import field, stub_bundle

CELLS, FRAMES, SHIFT = 24, 5, (1, -2)


def frame_field(name: str, **more: Any) -> dict[str, Any]:
    """A field that the program predicts itself, not its increment."""
    prediction = {"kind": "frame", "scale": [1.0], "offset": [0.0]}
    return field(name, prediction=prediction, unit="G", trained_range=[(-5.0, 5.0)], **more)


def moving_bundle(
    folder: Path, *, scale: float = 1.0, shift: tuple[int, int] = SHIFT, **more: Any
) -> Path:
    """``u(t2) = scale u(t1)`` shifted; ``source`` is read only."""
    program = {
        "operation": "affine",
        "scale": [scale],
        "offset": [0.0],
        "channels": [0],
        "shift": list(shift),
        **more.pop("program", {}),
    }
    fields = [frame_field("u"), field("source", prediction=None)]
    return stub_bundle(folder / "moving.surrogate", fields, program, **more)


def write_frames(folder: Path) -> Path:
    """Two trajectories of smooth noise that moves by one shift a frame, 0.5 s apart."""
    for n in range(2):
        rng = np.random.default_rng(n)
        k = np.fft.fftfreq(CELLS, 1 / CELLS)
        soft = np.exp(-(k[:, None] ** 2 + k[None, :] ** 2) / 40)
        u = np.fft.ifft2(np.fft.fft2(rng.standard_normal((CELLS, CELLS))) * soft).real
        u /= u.std()
        with h5py.File(folder / f"trajectory_{n}.h5", "w") as file:
            frames = [np.roll(u, (m * SHIFT[0], m * SHIFT[1]), (0, 1)) for m in range(FRAMES)]
            file["u"] = np.stack(frames).astype(np.float32)
            file["source"] = rng.standard_normal((FRAMES, CELLS, CELLS)).astype(np.float32)
            file["time"] = 0.5 * np.arange(FRAMES)
    return folder
