"""The diffusion transformer (Peebles & Xie 2023, arXiv:2212.09748), for fields on grids of any size."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from surrogate_training.config import DiTConfig
from surrogate_training.models.attention import AdaLN, TransformerBlock
from surrogate_training.models.blocks import PaddedConv, Stage, in_float32
from surrogate_training.models.positions import Rotary, Walls


class DiT(nn.Module):
    """Patches as tokens, blocks of attention over all of them, patches again.

    What differs from the paper, for fields: tokens are read from, and written to, the neighbouring patches too (3×3
    convolutions that follow the boundary condition), because patches on their own leave seams in a spectrum; positions
    are rotary, so that the same weights take grids of other sizes. With periodic boundaries translations by whole
    patches commute with the net; elsewhere it knows how far the walls are.

    The embedding (time of the process, Δt, parameters, already summed) acts by adaLN-Zero. Without any, for regression,
    scales, shifts and gates are weights: see :class:`AdaLN`. The last layer starts at zero, so the initial output is
    zero everywhere.

    Parameters
    ----------
    channels, out_channels : int
        At full resolution.
    config : DiTConfig
        Patch, width, depth, heads and boundary.
    embedding : int
        Length of the embedded parameters that modulate every block; 0: there are none.
    """

    def __init__(
        self, channels: int, out_channels: int, config: DiTConfig, embedding: int = 0
    ) -> None:
        super().__init__()
        self.patch, width = config.patch, config.width
        self.walls = Walls(config.boundary)
        self.rotary = Rotary(width // config.heads, config.boundary)
        self.entry = PaddedConv(
            self.walls.channels + channels * self.patch**2, width, config.boundary
        )
        blocks = (
            TransformerBlock(width, config.heads, config.expansion, embedding)
            for _ in range(config.depth)
        )
        self.blocks = Stage(blocks, checkpointing=config.checkpointing)
        self.blocks.apply(_initialise)
        self.exit_norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.exit_modulation = AdaLN(embedding, width, 2)
        self.exit = PaddedConv(width, out_channels * self.patch**2, config.boundary)
        for parameter in self.exit.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, embedded: Tensor | None = None) -> Tensor:
        """(B, C, ny, nx) and embedded parameters (B, E) → (B, C_out, ny, nx)."""
        patches = functional.pixel_unshuffle(x, self.patch)  # (B, C p², ny / p, nx / p)
        grid = self.entry(self.walls(patches))  # (B, W, ny / p, nx / p)
        tokens = grid.flatten(2).transpose(1, 2)  # (B, N, W)
        tokens = self.blocks(tokens, embedded, *self.rotary(grid))
        scale, shift = self.exit_modulation(embedded)
        tokens = self.exit_norm(tokens) * (1 + scale) + shift
        grid = tokens.transpose(1, 2).unflatten(2, grid.shape[2:])  # (B, W, ny / p, nx / p)
        # the last layer stays in full precision: a rounded increment of A_z would be noise in its curl
        return functional.pixel_shuffle(in_float32(self.exit, grid), self.patch)


def _initialise(module: nn.Module) -> None:
    """Linear layers as in the paper's code: Glorot's uniform weights, biases zero; adaLN's stay at zero."""
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
