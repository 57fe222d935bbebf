"""Section ``sampler``: what a generative model is exported with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from surrogate_training.config.section import Section


class Sampler(Section):
    """How frames are drawn; methods without a sampler (regression, pix2pix, crps, …) do not look at it.

    Attributes
    ----------
    kind : {"auto", "euler", "heun", "ddim", "ddpm", "dpmpp_2m"}
        Of :mod:`surrogate_training.diffusion.samplers`; auto: the method's own.
    steps : tuple of int
        Numbers of evaluations of the net a frame; a program is exported for each.
    preset : int
        The one that is used where the caller names none.
    members : int
        Size of the largest ensemble that a call may ask for.
    guidance : float
        Largest weight of classifier-free guidance that a call may ask for; 0: exported without.
    """

    kind: Literal["auto", "euler", "heun", "ddim", "ddpm", "dpmpp_2m"] = "auto"
    steps: tuple[int, ...] = Field(default=(1, 2, 4, 8), min_length=1)
    preset: int = 4
    members: int = Field(default=64, ge=1)
    guidance: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _preset_is_exported(self) -> Sampler:
        if min(self.steps) < 1 or len(set(self.steps)) != len(self.steps):
            raise ValueError(f"sampler.steps {self.steps}: expected different numbers from 1 on")
        if self.preset not in self.steps:
            raise ValueError(
                f"sampler.preset {self.preset} is not among sampler.steps {self.steps}: add it there, or name one "
                "of them"
            )
        return self
