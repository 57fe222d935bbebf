"""Bundles of small nets of every kind that runs over ranks, with random weights, on the torch engine.

They are the scaling benchmark's local nets with more to read, or with what forbids tiles. In precision ``fp64`` the
increments of the fields ``u`` and ``rest`` are two parts of one float64 number: their sum is compared.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from bundles import field as described
from bundles import manifest
from engines.torchscript import PROGRAM, scripted_bytes
from scaling.nets import AXES, LocalNet, NetSpec
from surrogate_training.describe import BOUNDARIES
from surrogate_training.locality import measure_locality
from torch import Tensor, nn

from surrogate.bundle.folder import write_bundle

SEED = 0


@dataclass(frozen=True)
class Kind:
    """What a net reads besides its fields, and what its manifest says."""

    domain: tuple[int, ...]
    """Cells, at least four receptive fields along every axis."""
    boundary: tuple[str, ...] = ("periodic", "periodic")
    stride: int = 2
    depth: int = 4
    condition: int = 0
    """Channels of a field that is read and never predicted."""
    history: int = 1
    noise: int = 0
    parameter: bool = False
    mean: bool = False
    """Whether the mean over the domain is taken away: every output depends on every cell."""
    manifest: dict[str, Any] = field(default_factory=dict)
    leading: dict[str, Any] = field(default_factory=dict)
    """More keys of the field ``u``."""
    halo: int = 0
    """Added to the receptive field that was measured."""
    grid: dict[str, Any] = field(default_factory=dict)

    def spec(self, precision: str) -> NetSpec:
        """The local net inside."""
        return NetSpec(precision, self.stride, self.depth, 12, 2, self.boundary)


PERIODIC = Kind((48, 64))
CUBE = {"stride": 2, "depth": 2}
GUARDED = {
    "conserved": True,
    "trained_jump": [0.02, 0.02],
    "trained_statistics": {"mean": [[0.5, 0.2]] * 2, "std": [[2.0, 0.2]] * 2},
}
GUARDS = {
    "finite": True,
    "statistics": {"distance": 6.0},
    "jump": {"lower": 1e-4, "upper": 1e4},
    "conserved": {"tolerance": 1.0},
    "policy": {"conserved": "project"},
}
KINDS = {
    "periodic": PERIODIC,
    "stride 4": Kind((64, 80), stride=4, depth=3),
    "stride 3": Kind((63, 60), stride=3, depth=3),
    "wall and periodic": Kind((48, 64), boundary=("zero", "periodic")),
    "open and wall": Kind((48, 64), boundary=("replicate", "zero")),
    "3-D": Kind((24, 20, 28), boundary=("periodic",) * 3, **CUBE),
    "3-D with walls": Kind((24, 20, 28), boundary=("zero", "periodic", "replicate"), **CUBE),
    "stochastic": Kind((48, 64), boundary=("zero", "periodic"), noise=2),
    "guarded": Kind((48, 64), leading=GUARDED, manifest={"guards": GUARDS}),
    "refused": Kind(
        (48, 64), leading=GUARDED, manifest={"guards": {"jump": {"lower": 1e3, "upper": 1e4}}}
    ),
    "everything read": Kind((48, 64), condition=1, history=2, noise=1, parameter=True),
    "reducing": Kind((48, 64), mean=True),
    "fixed": Kind((48, 64), grid={"fixed_shape": [48, 64]}),
    "short halo": Kind((48, 64), halo=-1),
}
GATHERED = ("reducing", "fixed")


class KindNet(nn.Module):
    """(B, H (2 + 2 if split + condition), …)[, (B, 1)][, (B, noise, …)] float32 → what the local net returns."""

    def __init__(self, kind: Kind, precision: str) -> None:
        super().__init__()
        self.kind, self.local = kind, LocalNet(kind.spec(precision))
        read = kind.history * (2 + kind.condition) + kind.noise
        convolution = nn.Conv2d if len(kind.domain) == 2 else nn.Conv3d
        self.mix = convolution(read, 2, 1).to(self.local.dtype)

    @property
    def frame_channels(self) -> int:
        """Of one frame of the state."""
        return (4 if self.local.split else 2) + self.kind.condition

    def forward(self, state: Tensor, *more: Tensor) -> Tensor:
        """See the class."""
        kind, channels = self.kind, self.frame_channels
        read = []
        for frame in range(kind.history):
            read.append(state.narrow(1, frame * channels, 2))
            if kind.condition:
                read.append(
                    state.narrow(1, (frame + 1) * channels - kind.condition, kind.condition)
                )
        read += more[kind.parameter :]
        x = self.mix(torch.cat(read, 1).to(self.local.dtype))  # (B, 2, …)
        if kind.parameter:
            x = x * more[0].to(x.dtype).reshape(-1, 1, *[1] * len(kind.domain))
        if kind.mean:
            x = x - x.mean(tuple(range(2, x.ndim)), keepdim=True)
        return self.local(x)


def kind_bundle(folder: Path, name: str, precision: str) -> Path:
    """Write the net of ``KINDS[name]`` into `folder`."""
    kind = KINDS[name]
    torch.manual_seed(SEED)
    net = KindNet(kind, precision).eval()
    fields = [_predicted("u", **kind.leading), *([_predicted("rest")] if net.local.split else [])]
    if kind.condition:
        fields.append(described("terrain", components=kind.condition, prediction=None))
    more: dict[str, Any] = {"history": kind.history, **kind.manifest}
    if kind.noise:
        more["noise"] = [{"name": "xi", "channels": kind.noise}]
    if kind.parameter:
        more["parameters"] = [{"name": "nu", "range": [0.0, 1.0], "preset": 0.5}]
    bundle = folder / f"{name.replace(' ', '_')}_{precision}.surrogate"
    write_bundle(
        bundle,
        {PROGRAM["file"]: _traced(net)},
        **manifest(
            bundle.stem, fields, [PROGRAM], grid=_grid(kind), locality=_locality(name), **more
        ),
    )
    return bundle


def _predicted(name: str, **more: Any) -> dict[str, Any]:
    return described(name, components=2, mean=0.5, std=2.0, scale=0.25, **more)


def _grid(kind: Kind) -> dict[str, Any]:
    axes = len(kind.domain)
    return {
        "axes": AXES[-axes:],
        "multiple_of": [kind.stride] * axes,
        "minimum_shape": [2 * kind.stride] * axes,
        "boundary": [BOUNDARIES[boundary] for boundary in kind.boundary],
        **kind.grid,
    }


@cache
def _locality(name: str) -> dict[str, Any]:
    """Of the local net: what is read besides takes part cell by cell."""
    kind = KINDS[name]
    net = LocalNet(kind.spec("fp32")).eval()
    measured = measure_locality(net, channels=2, multiple=kind.stride, axes=len(kind.domain))
    assert all(4 * r <= n for r, n in zip(measured.receptive_field, kind.domain, strict=True))
    return {
        "receptive_field": [r + kind.halo for r in measured.receptive_field],
        "stride": measured.stride,
        "reduces_over_space": kind.mean,
    }


def _traced(net: KindNet) -> bytes:
    """The net as the bytes of a TorchScript file, traced on one state of unlike sides."""
    kind = net.kind
    cells = [kind.stride * (8 + k) for k in range(len(kind.domain))]
    example = [torch.zeros(1, kind.history * net.frame_channels, *cells)]
    if kind.parameter:
        example.append(torch.zeros(1, 1))
    if kind.noise:
        example.append(torch.zeros(1, kind.noise, *cells))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scripted_bytes(torch.jit.trace(net, tuple(example), check_trace=False))
