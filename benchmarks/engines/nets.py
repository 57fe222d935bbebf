"""The two nets of the benchmark as bundles."""

from __future__ import annotations

from pathlib import Path

import torch
from surrogate_training.models.unet import UNet

from surrogate.bundle.folder import write_bundle
from surrogate.paths import find_bundle

SIZE, CHANNELS, SEED = 256, 3, 0


def default_bundle(_: Path) -> Path:
    """The bundle that comes with the package."""
    return find_bundle("mhd2d_128")


def unet_256_bundle(folder: Path) -> Path:
    """pix2pix's unet_256 with random weights and batch statistics of random images: speed and rounding only.

    What stands in `folder` already is taken: the bundle's date would make it another one.
    """
    bundle = folder / "unet_256.surrogate"
    if bundle.exists():
        return bundle
    torch.manual_seed(SEED)
    net = UNet(CHANNELS, CHANNELS)
    with torch.no_grad():
        for _ in range(8):
            net(torch.randn(4, CHANNELS, SIZE, SIZE))
    net.eval()
    folder.mkdir(parents=True, exist_ok=True)
    x = torch.zeros(1, CHANNELS, SIZE, SIZE)
    torch.export.save(torch.export.export(net, (x,)), folder / "portable.pt2")
    unit = {"mean": [0.0] * CHANNELS, "std": [1.0] * CHANNELS}
    change = {"kind": "increment", "scale": [1.0] * CHANNELS, "offset": [0.0] * CHANNELS}
    write_bundle(
        bundle,
        {"programs/portable.pt2": folder / "portable.pt2"},
        name="unet_256",
        fields=[{"name": "u", "components": CHANNELS, "normalisation": unit, "prediction": change}],
        grid={
            "axes": ["y", "x"],
            "fixed_shape": [SIZE, SIZE],
            "multiple_of": [SIZE, SIZE],
            "minimum_shape": [SIZE, SIZE],
            "boundary": ["wall", "wall"],
        },
        time={"step": 1.0},
        locality={
            "receptive_field": [SIZE, SIZE],
            "stride": [SIZE, SIZE],
            "reduces_over_space": True,
        },
        programs=[
            {
                "name": "portable",
                "engine": "torch",
                "format": "torch.export",
                "file": "programs/portable.pt2",
                "made_with": f"torch {torch.__version__}",
            }
        ],
    )
    return bundle


NETS = {"unet_256": unet_256_bundle, "default": default_bundle}
