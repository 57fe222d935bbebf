"""What all generators of section ``model`` share."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from surrogate_training.config.latent import Latents
from surrogate_training.config.section import Boundary, Section


class Curl(Section):
    """A feature: the two face-centred components of curl(A_z), scaled to unit variance."""

    curl: str


Feature = str | Curl


class NetConfig(Section):
    """What all generators share.

    Attributes
    ----------
    features : tuple of Feature
        What the net sees; empty: all fields.
    boundary : (y, x)
        How convolutions continue the domain; of kind ``unet`` always zeros, and this is what the manifest says.
    smoothing : int
        Radius of the potential head's filter.
    target : {"increment", "frame"}
        What the program returns: u(t2) - u(t1), or u(t2).
    checkpointing : bool
        Recompute activations in the backward pass: less memory, a third more time.
    latents : Latents, optional
        Shape of the autoencoder whose latents the net works on; None: it works on the fields themselves.
    """

    features: tuple[Feature, ...] = ()
    boundary: tuple[Boundary, Boundary] = ("periodic", "periodic")
    smoothing: int = Field(default=4, ge=0)
    target: Literal["increment", "frame"] = "increment"
    checkpointing: bool = False
    latents: Latents | None = None

    whole_frames: ClassVar[bool] = False
    """Whether an output depends on the whole frame by the net's making: nothing is measured, and it is never tiled."""

    @property
    def coarsening(self) -> int:
        """Cells a side of what the net sees as a cell."""
        return 1 if self.latents is None else self.latents.factor
