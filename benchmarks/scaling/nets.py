"""Small nets with random weights, as bundles, whose answers on tiles can be held against the answer on the whole.

Every net reads ``u`` and returns an increment of it. A strided convolution, 3^n convolutions on coarse cells, padded as
the boundary says, and the transposed one back: no operation reduces over space, the stride is that of the first layer,
and the receptive field is measured, not derived.

The net in float64 returns each value as a sum of two float32 numbers, the increments of the fields ``u`` and ``rest``:
the sum carries 48 bits through a boundary that is float32, so that a difference between tiles and whole is that of the
float64 arithmetic.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from surrogate_training.describe import BOUNDARIES
from surrogate_training.locality import measure_locality
from surrogate_training.models.blocks import pad_axis
from surrogate_training.programs import save_torchscript
from torch import Tensor, nn

from surrogate.bundle.folder import write_bundle

SEED = 0
PRECISIONS = {"fp32": torch.float32, "fp64": torch.float64, "bf16": torch.bfloat16}
AXES = ("z", "y", "x")


@dataclass(frozen=True)
class NetSpec:
    """A net of `depth` convolutions of `width` channels on cells of `stride`, with as many axes as boundaries."""

    precision: str = "fp32"
    stride: int = 2
    depth: int = 5
    width: int = 48
    channels: int = 4
    boundary: tuple[str, ...] = ("periodic", "periodic")
    """Per axis, slowest first: ``periodic``, ``replicate`` or ``zero`` (``open`` and ``wall`` in the manifest)."""

    @property
    def axes(self) -> int:
        """Number of spatial axes."""
        return len(self.boundary)


class LocalNet(nn.Module):
    """(B, C, …) float32 → (B, C, …) float32, or (B, 2 C, …) from (B, 2 C, …) in float64: leading part and rest."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        convolution, transposed = {
            2: (nn.Conv2d, nn.ConvTranspose2d),
            3: (nn.Conv3d, nn.ConvTranspose3d),
        }[spec.axes]
        self.boundary, self.dtype = spec.boundary, PRECISIONS[spec.precision]
        self.channels, self.split = spec.channels, spec.precision == "fp64"
        s, w = spec.stride, spec.width
        self.entry = convolution(spec.channels, w, s, stride=s)
        self.layers = nn.ModuleList(convolution(w, w, 3) for _ in range(spec.depth))
        self.exit = transposed(w, spec.channels, s, stride=s)
        self.to(self.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = x.narrow(1, 0, self.channels).to(self.dtype)
        x = self.entry(x)  # (B, W, … / stride)
        for layer in self.layers:
            y = x
            for k, boundary in enumerate(self.boundary):
                y = pad_axis(y, k - len(self.boundary), 1, 1, boundary)
            x = x + nn.functional.silu(layer(y))
        x = self.exit(x)  # (B, C, …)
        leading = x.float()
        if not self.split:
            return leading
        return torch.cat([leading, (x - leading.to(self.dtype)).float()], 1)  # (B, 2 C, …)


def local_net_bundle(folder: Path, spec: NetSpec, *, seed: int = SEED) -> Path:
    """Write the net of `spec` as ``folder/local_<precision>.surrogate``; random weights of `seed`."""
    torch.manual_seed(seed)
    net = LocalNet(spec).eval()
    names = ("u", "rest") if net.split else ("u",)
    total = spec.channels * len(names)
    locality = measure_locality(net, channels=total, multiple=spec.stride, axes=spec.axes)
    grid = {
        "axes": AXES[-spec.axes :],
        "multiple_of": [spec.stride] * spec.axes,
        "minimum_shape": [2 * spec.stride] * spec.axes,
        "boundary": [BOUNDARIES[kind] for kind in spec.boundary],
    }
    measured = {
        "receptive_field": locality.receptive_field,
        "stride": locality.stride,
        "reduces_over_space": locality.reduces_over_space,
    }
    return _write(
        folder / f"local_{spec.precision}.surrogate", net, (total, *(8 * spec.stride,) * spec.axes),
        fields=[_field(name, spec.channels) for name in names], grid=grid, locality=measured,
    )  # fmt: skip


class AddZero(nn.Module):
    """x + 0, one operator: what a call costs besides its program."""

    def forward(self, x: Tensor) -> Tensor:
        """``x + 0``."""
        return x + 0.0


def identity_bundle(folder: Path) -> Path:
    """A bundle of one field on any periodic 2-D grid, whose program does next to nothing."""
    grid = {
        "axes": ["y", "x"], "multiple_of": [1, 1], "minimum_shape": [1, 1],
        "boundary": ["periodic", "periodic"],
    }  # fmt: skip
    measured = {"receptive_field": [0, 0], "stride": [1, 1]}
    return _write(
        folder / "identity.surrogate", AddZero(), (1, 8, 8),
        fields=[_field("u", 1)], grid=grid, locality=measured,
    )  # fmt: skip


def _field(name: str, components: int) -> dict[str, Any]:
    return {
        "name": name,
        "components": components,
        "normalisation": {"mean": [0.5] * components, "std": [2.0] * components},
        "prediction": {
            "kind": "increment",
            "scale": [0.25] * components,
            "offset": [0.0] * components,
        },
    }


def _write(bundle: Path, net: nn.Module, shape: Sequence[int], **manifest: Any) -> Path:
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        script = Path(scratch) / "torchscript.pt"
        save_torchscript(net, [torch.zeros(1, *shape)], script)
        program = {
            "name": "torchscript",
            "engine": "torch",
            "format": "torchscript",
            "file": "programs/torchscript.pt",
            "made_with": f"torch {torch.__version__}",
        }
        write_bundle(
            bundle, {program["file"]: script}, name=bundle.stem, programs=[program],
            time={"step": 1.0}, guards={"finite": True}, **manifest,
        )  # fmt: skip
    return bundle
