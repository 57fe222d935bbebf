"""The PatchGAN discriminator (Isola, Zhu, Zhou & Efros 2017, arXiv:1611.07004, appendix 6.1.2)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from surrogate_training.config import Discriminator
from surrogate_training.models.unet import LARGEST_FACTOR, NORMS, initialise

SLOPE = 0.2  # of the leaky ReLU


class PatchGAN(nn.Module):
    """A fully convolutional critic: one logit for each of many overlapping patches.

    With three layers C64-C128-C256-C512 and a last convolution to one channel, all 4×4 and padded with one cell of
    zeros; `layers` of them halve the grid, the two after them do not. A logit then reads 70×70 cells; 16×16 with one
    layer, 34×34 with two, 142×142 with four, and one cell without layers (the paper's PixelGAN: C64-C128, all 1×1).
    No norm on the first convolution.

    Batch norm always uses the batch at hand: the discriminator is never put into evaluation mode, and real and
    predicted frames pass it in batches of their own, so each kind is normalised by its own statistics.

    Parameters
    ----------
    channels : int
        Of the condition and the frame together.
    config : Discriminator
        Layers, width, norm, spectral norm.
    """

    def __init__(self, channels: int, config: Discriminator) -> None:
        super().__init__()
        self.layers = config.layers
        pixel = config.layers == 0
        factors = (1, 2) if pixel else (2**n for n in range(config.layers + 1))
        widths = [channels, *(config.base * min(factor, LARGEST_FACTOR) for factor in factors)]
        kernel, padding = (1, 0) if pixel else (4, 1)
        made: list[nn.Module] = []
        for n, (before, after) in enumerate(pairwise(widths)):
            stride = 2 if n < config.layers else 1
            norm = config.norm if n > 0 else "none"
            # a batch norm's shift makes another one idle
            conv = nn.Conv2d(before, after, kernel, stride, padding, bias=norm != "batch")
            made += [conv, NORMS[norm](after), nn.LeakyReLU(SLOPE)]
        self.net = nn.Sequential(*made, nn.Conv2d(widths[-1], 1, kernel, 1, padding))
        self.net.apply(initialise)
        if config.spectral_norm:
            for layer in self.net:
                if isinstance(layer, nn.Conv2d):
                    parametrizations.spectral_norm(layer)

    @property
    def smallest(self) -> int:
        """Cells that an axis must have at least, for one logit."""
        return 3 * 2**self.layers if self.layers else 1

    def forward(self, condition: Tensor, frame: Tensor) -> Tensor:
        """Logits of frames given their conditions.

        Parameters
        ----------
        condition : Tensor, shape (B, C, ny, nx)
            The state at t1 in unit-scaled values.
        frame : Tensor, shape (B, P, ny, nx)
            A real or predicted frame at t2 in unit-scaled values.

        Returns
        -------
        Tensor, shape (B, 1, ny / 2**layers - 2, nx / 2**layers - 2)
            Larger: more likely real. Of (B, 1, ny, nx) without layers.
        """
        return self.net(torch.cat([condition, frame], 1))  # type: ignore[no-any-return]
