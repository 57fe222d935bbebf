"""The Python twin of series.c: same arguments, same output."""

import sys
from pathlib import Path

import numpy as np

from surrogate import Surrogate

NX, NY, MEMBERS, STEPS = 64, 32, 4, 3


def main(bundle: str, source: str, target: str) -> None:
    """Predict an ensemble and a rollout from `source` and write them to `target`."""
    now = np.fromfile(source).reshape(2, NY, NX)
    with Surrogate.open(bundle, threads=1) as model:
        ensemble = model.predict(now, members=MEMBERS, step=7, seed=11, member=2)
        members = model.predict_members(now, MEMBERS, step=7, seed=11, member=2)
        frames = model.rollout(now, STEPS, step=7, seed=11, member=2)
    with Path(target).open("wb") as stream:
        for result in (ensemble.mean, ensemble.spread, members, frames):
            stream.write(np.ascontiguousarray(result).tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
