"""Section ``model`` of kind ``dit``: the diffusion transformer."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from surrogate_training.config.net import NetConfig

PRESETS = {
    "tiny": {"width": 64, "depth": 4, "heads": 2},
    "small": {"width": 192, "depth": 6, "heads": 6},
    "medium": {"width": 384, "depth": 12, "heads": 6},
}
"""Keys that a recipe does not give itself; ``medium`` has the width, depth and heads of the paper's DiT-S.

For six fields in and one out on 128² cells (1024 tokens), without condition, 2 FLOP a multiply-add:

========== ===== =====
preset     M     GFLOP
========== ===== =====
tiny       0.27   0.5
(none)     1.3    2.7
small      2.9    5.8
medium     21.7  44.3
========== ===== =====
"""


class DiTConfig(NetConfig):
    """A diffusion transformer (Peebles & Xie 2023, arXiv:2212.09748): whole frames, of any multiple of ``patch``.

    Attributes
    ----------
    patch : int
        Cells a side of a token.
    width : int
        Numbers a token; a multiple of four times ``heads``.
    depth, heads : int
        Blocks, and attention heads of each.
    expansion : int
        Width of a block's MLP, in units of ``width``.
    """

    kind: Literal["dit"] = "dit"
    preset: Literal["tiny", "small", "medium"] | None = None
    patch: int = Field(default=4, ge=1)
    width: int = Field(default=128, ge=4)
    depth: int = Field(default=6, ge=1)
    heads: int = Field(default=4, ge=1)
    expansion: int = Field(default=4, ge=1)

    whole_frames: ClassVar[bool] = True

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("preset") in PRESETS:
            return PRESETS[given["preset"]] | given
        return given

    @model_validator(mode="after")
    def _heads_divide(self) -> DiTConfig:
        if self.width % (4 * self.heads):
            raise ValueError(
                f"width {self.width} for {self.heads} heads: each head turns pairs of its numbers by y and by x, so "
                f"width must be a multiple of 4 heads = {4 * self.heads}"
            )
        return self

    @property
    def minimum(self) -> int:
        """Least number of blocks of ``multiple`` cells along an axis."""
        return 1

    @property
    def multiple(self) -> int:
        """Ny and nx must be multiples of this."""
        return self.patch * self.coarsening
