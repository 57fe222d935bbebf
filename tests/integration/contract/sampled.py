"""The Python twin of sampled.c: same arguments, same output."""

import sys
from pathlib import Path

import numpy as np

from surrogate import Surrogate

NX, NY, FRAMES = 64, 32, 3
DRAW = {"step": 7, "seed": 11, "member": 2}
CONDITION = {"guidance": 2.5, "caption": "A red\u00e9 Circle"}


def main(bundle: str, source: str, target: str) -> None:
    """Predict from `source` with presets, with all that is asked for, and in a rollout; write it to `target`."""
    now = np.fromfile(source).reshape(2, NY, NX)
    with Surrogate.open(bundle, threads=1, preload=True) as model:
        frames = [model.predict(now, **DRAW), model.predict(now, steps=4, **DRAW, **CONDITION)]
        rolled = model.rollout(now, FRAMES, sampler_steps=4, **DRAW, **CONDITION)
    with Path(target).open("wb") as stream:
        for frame in (*frames, *rolled):
            stream.write(np.ascontiguousarray(frame).tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
