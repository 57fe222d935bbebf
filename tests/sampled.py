"""A small generative model: Euler's method over a net of one layer, all numbers of steps in one TorchScript file."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

from bundles import field, manifest

from surrogate.bundle.folder import write_bundle

STEPS, PRESET, MEMBERS, GUIDANCE = [1, 2, 4], 2, 8, 3.0
VOCABULARY = ["<pad>", "<unknown>", "a", "red", "circle"]
FILE = "programs/torchscript.pt"
FIELDS = [field("c", mean=0.375, std=0.3, scale=0.02), field("q", mean=0.5, std=0.7, scale=0.03)]


def sampler_manifest(programs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A manifest of these programs with guidance and captions of three words; `more` overrides any key."""
    keys = {
        "parameters": [{"name": "guidance", "range": [0.0, GUIDANCE], "preset": 1.0}],
        "noise": [{"name": "initial", "channels": 2}],
        "sampler": {
            "method": "flow",
            "kind": "euler",
            "steps": STEPS,
            "preset": PRESET,
            "members": MEMBERS,
            "guidance": GUIDANCE,
        },
        "text": {"length": 3, "vocabulary": VOCABULARY},
    }
    return manifest("sampled", FIELDS, programs, **{**keys, **more})


def torchscript_programs() -> list[dict[str, Any]]:
    """The manifest's entries of the methods of one file, the preset's first."""
    return [
        {
            "name": f"torchscript_{steps}",
            "engine": "torch",
            "format": "torchscript",
            "file": FILE,
            "steps": steps,
            "method": f"steps_{steps}",
        }
        for steps in sorted(STEPS, key=lambda steps: steps != PRESET)
    ]


def euler_net() -> Any:
    """The net with a method ``steps_N`` for each number of steps; weights are seeded."""
    import torch

    class EulerNet(torch.nn.Module):
        """w' = w + velocity / n, n times, from noise; the condition is the state, guidance and the caption's words."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Conv2d(4, 2, 3, padding=1, padding_mode="circular")

        def sample(self, state: Any, row: Any, noise: Any, steps: int) -> Any:
            words = (row[:, 1:] * 0.01).sum(dim=1).reshape(-1, 1, 1, 1)
            weight = row[:, :1].reshape(-1, 1, 1, 1)  # (B, 1, 1, 1)
            w = noise  # (B, 2, ny, nx)
            for _ in range(steps):
                velocity = torch.tanh(self.layer(torch.cat([state, w], dim=1))) * weight + words
                w = w + velocity / steps
            return w

        def steps_1(self, state: Any, row: Any, noise: Any) -> Any:
            return self.sample(state, row, noise, 1)

        def steps_2(self, state: Any, row: Any, noise: Any) -> Any:
            return self.sample(state, row, noise, 2)

        def steps_4(self, state: Any, row: Any, noise: Any) -> Any:
            return self.sample(state, row, noise, 4)

    torch.manual_seed(7)
    return EulerNet().eval()


def torchscript_bytes() -> bytes:
    """The net as the bytes of one file with a method for each number of steps."""
    import torch

    inputs = (torch.zeros(1, 2, 8, 8), torch.ones(1, 4), torch.zeros(1, 2, 8, 8))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript's own; we know
        methods = {f"steps_{steps}": inputs for steps in STEPS}
        program = torch.jit.trace_module(euler_net(), methods, check_trace=False)
        buffer = io.BytesIO()
        torch.jit.save(program, buffer)
    return buffer.getvalue()


def sampler_bundle(folder: Path, **more: Any) -> Path:
    """The bundle, run by the torch engine."""
    write_bundle(
        folder, {FILE: torchscript_bytes()}, **sampler_manifest(torchscript_programs(), **more)
    )
    return folder
