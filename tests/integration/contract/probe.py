"""The Python twin of probe.c: same arguments, same forms, same output."""

import sys
from pathlib import Path

import numpy as np

from surrogate import Surrogate

NX, NY, G = 64, 32, 2
INTERIOR = (slice(G, -G), slice(G, -G))


def main(bundle: str, source: str, target: str) -> None:
    """Predict from `source` in every form and write the results to `target`."""
    now = np.fromfile(source).reshape(2, NY, NX)
    model = Surrogate.open(bundle, threads=1)
    results = [model.predict(now)]

    ghosted = np.zeros((2, NY + 2 * G, NX + 2 * G))
    ghosted[:, *INTERIOR] = now
    state = {"c": ghosted[0][INTERIOR], "q": ghosted[1][INTERIOR]}
    model.predict(state, out=state)
    results.append(ghosted[:, *INTERIOR])

    records = np.stack([now[0], now[1]], axis=-1)
    state = {"c": records[..., 0], "q": records[..., 1]}
    model.predict(state, out=state)
    results.append(np.moveaxis(records, -1, 0))

    wide = np.zeros((2, 3 * NY, 2 * NX))
    view = wide[:, ::3, ::2]
    view[...] = now
    model.predict(view, out=view)
    results.append(view)

    single = now.astype(np.float32)
    results.append(model.predict(single))
    ghosted = np.zeros((2, NY + 2 * G, NX + 2 * G), np.float32)
    ghosted[:, *INTERIOR] = single
    model.predict(ghosted[:, *INTERIOR], out=ghosted[:, *INTERIOR])
    results.append(ghosted[:, *INTERIOR])
    with Path(target).open("wb") as stream:
        for result in results:
            stream.write(np.ascontiguousarray(result).tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
