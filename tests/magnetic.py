"""A recipe like a magnetogram's, with its statistics: a field scaled by asinh, two conditions, the parameter dt."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet, Sample
from surrogate_training.data.statistics import FieldStatistics, ParameterStatistics, Statistics
from surrogate_training.recipe import parse_recipe

from surrogate.text import tokens

RESIDUAL = {"widths": [8, 8], "encoder_blocks": [1, 1], "decoder_blocks": [1]}
SHALLOW = {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []}
CONVNEXT = {**RESIDUAL, "block": "convnext", "activation": "gelu"}
UNET = {"kind": "unet", "levels": 3, "base": 4}
PIX2PIX = {**UNET, "target": "frame", "tanh": True}
DIT = {"kind": "dit", "patch": 2, "width": 16, "depth": 2, "heads": 2}
DT = {"name": "dt", "unit": "h"}


def magnetic_recipe(
    model: dict[str, Any] | None = None,
    *,
    parameters: tuple[dict[str, str], ...] = (),
    method: dict[str, Any] | None = None,
    sampler: dict[str, Any] | None = None,
    captions: dict[str, Any] | None = None,
    **br: Any,
) -> Recipe:
    """Br, predicted, and two conditions, source and vlon; `br` are keys of the field Br."""
    fields = [
        {"name": "source", "unit": "G/h", "condition": True},
        {"name": "br", "unit": "G", "scaling": "asinh", "softening": 50.0, **br},
        {"name": "vlon", "unit": "m/s", "condition": True},
    ]
    strides = {"strides": (1, 2)} if parameters else {}
    return parse_recipe(
        {
            "name": "magnetic",
            "seed": 1,
            "data": {
                "path": ".data/magnetic", "fields": fields, "parameters": parameters, **strides,
                "split": {"validation": 1, "test": 1},
                "augment": {"translate": False, "dihedral": False}, "captions": captions,
            },
            "text": {"width": 8, "layers": 1, "heads": 2},
            "model": {"boundary": ["replicate", "periodic"], **(model or RESIDUAL)},
            "method": {"noise": 0.0, **(method or {})},
            "sampler": sampler or {},
            "optimiser": {"steps": 5, "batch": 2, "learning_rate": 1e-3, "warmup": 1},
            "run": {"threads": 1},
        }
    )  # fmt: skip


def magnetic_statistics(recipe: Recipe) -> Statistics:
    """Made up, not measured: Br within ±2000 G, jumps of 2 to 6 hours."""

    def field(mean: float, std: float, change: float, peak: float) -> FieldStatistics:
        return FieldStatistics(mean, std, change, std, change, -peak, peak, -peak, peak)

    br = FieldStatistics(
        1.0, 80.0, 12.0, 80.0, 12.0, -2000.0, 1500.0, -600.0, 600.0, 0.02, 0.6, 0.09
    )
    return Statistics(
        {"source": field(0.0, 0.3, 0.1, 40.0), "br": br, "vlon": field(20.0, 90.0, 5.0, 800.0)},
        shape=(32, 32), spacing=(1.0, 1.0), jump=4.0, constants={}, pairs=10,
        parameters={p.name: ParameterStatistics(4.0, 1.6, 2.0, 6.0, 4.0) for p in recipe.data.parameters},
    )  # fmt: skip


def magnetic_state(*, batch: int = 1, ny: int = 32, nx: int = 32, seed: int = 0) -> torch.Tensor:
    """Random states (B, 3, ny, nx) in physical units, with a few strong spots in Br."""
    generator = torch.Generator().manual_seed(seed)
    u = torch.randn(batch, 3, ny, nx, generator=generator)
    scale = torch.tensor([0.3, 40.0, 90.0])[:, None, None]
    strong = torch.zeros(batch, 3, ny, nx)
    strong[:, 1, ny // 4 : ny // 2, nx // 4 : nx // 2] = 1200.0
    return scale * u + strong


class ArrayPairs(PairSet):
    """Pairs from memory: Br is moved by vlon and fed by source, over dt."""

    def __init__(self, recipe: Recipe, *, count: int, cells: int, seed: int) -> None:
        self.files, self.data = (), recipe.data
        states = magnetic_state(batch=count, ny=cells, nx=cells, seed=seed)
        spread = torch.linspace(2, 6, count) if count > 1 else torch.tensor([4.0])
        self.dt = (spread if recipe.data.parameters else torch.full((count,), 4.0)).numpy()
        after = states.clone()
        source, br, vlon = states.unbind(1)
        change = 0.1 * (br.roll(1, -1) - br) * (1 + vlon / 500) + source
        after[:, 1] += torch.from_numpy(self.dt)[:, None, None] * change
        after[:, 0] *= 0.9
        self.stored = torch.stack([states, after], 1).numpy()  # (count, 2, C, ny, nx)

    def __len__(self) -> int:
        return len(self.stored)

    def sample(self, index: int, count: int = 2) -> Sample:
        return Sample(self.stored[index, :count], None)

    def parameters(self, index: int) -> np.ndarray | None:
        scalars = self.dt[index : index + 1] if self.data.parameters else []
        caption = self.caption(index)
        said = [] if caption is None else tokens(caption, self.data.captions.text)
        row = np.array([*scalars, *said], np.float32)
        return row if len(row) else None

    def caption(self, index: int) -> str | None:
        """By turns the words of the first phrase of the recipe's rule."""
        if self.data.captions is None:
            return None
        words = self.data.captions.rule[0].words
        return words[index % len(words)]
