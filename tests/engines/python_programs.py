"""Python programs for tests; hosts without Python import this module through PYTHONPATH."""

import json
import os
import sys
import threading
from pathlib import Path

import numpy as np

MEETING = threading.Barrier(2, timeout=20)


def double(state):
    return state * np.float32(2)


def same(state):
    return state


def report(state, context):
    """Twice the state; what it saw goes to the file that the options name."""
    seen = {
        "address": state.__array_interface__["data"][0],
        "writeable": state.flags.writeable,
        "shape": state.shape,
        "dtype": str(state.dtype),
        "device": context.device,
        "threads": context.threads,
        "communicator": context.communicator,
        "executable": sys.executable,
        "prefix": sys.prefix,
        "numpy": np.__file__,
        "pid": os.getpid(),
    }
    with Path(context.options["report"]).open("a") as file:
        file.write(json.dumps(seen) + "\n")
    return double(state)


def meet(state):
    """Returns only when a second thread is inside too."""
    MEETING.wait()
    return double(state)


def shifted(state, parameters):
    return state + parameters[:, :, None, None]


class Counter:
    """State that lives from call to call: the number of calls, added everywhere."""

    def __init__(self, context):
        self.start, self.calls = context.options["start"], 0

    def __call__(self, state):
        self.calls += 1
        return np.full_like(state, self.start + self.calls)


class Outer:
    @staticmethod
    def inner(state):
        return double(state)


def unlucky(state):
    raise ValueError("the sky fell on cell 3")


def endless(state, depth=0):
    return endless(state, depth + 1)


def leave(state):
    sys.exit(3)


def interrupt(state):
    raise KeyboardInterrupt


class LateInterrupt:
    """Interrupted in its second run."""

    def __init__(self):
        self.runs = 0

    def __call__(self, state):
        self.runs += 1
        if self.runs == 2:
            raise KeyboardInterrupt
        return double(state)


class Picky:
    """Fails in its third run: the warm-up of open is the first."""

    def __init__(self):
        self.runs = 0

    def __call__(self, state):
        self.runs += 1
        if self.runs == 3:
            raise RuntimeError("not this one")
        return double(state)


KEPT = []


def keep(state):
    KEPT.append(state[:, :, 1:])
    return double(state)


def cycle(state):
    loop = [state]
    loop.append(loop)
    return double(state)


def crop(state):
    return state[:, :, 1:]


def words(state):
    return "a frame"


def wide(state):
    return (state.astype(np.float64) * 2).transpose(0, 1, 3, 2).copy().transpose(0, 1, 3, 2)


def scribble(state):
    state[...] = 0
    return state


def talk(state):
    print("hello from Python")  # noqa: T201
    return double(state)


def network():
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.SiLU(), torch.nn.Conv2d(8, 1, 3, padding=1)
    ).eval()


class Network:
    def __init__(self):
        self.module = network()

    def __call__(self, state):
        import torch

        with torch.inference_mode():
            return self.module(torch.from_dlpack(state))


NUMBER = 5
