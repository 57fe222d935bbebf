"""Self-attention over all tokens of a frame, and the transformer block around it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from surrogate_training.models.positions import turn


class Attention(nn.Module):
    """Multi-head self-attention with rotary positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.entry = nn.Linear(width, 3 * width)
        self.exit = nn.Linear(width, width)

    def forward(self, x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        """(B, N, W) and the angles of :class:`Rotary` → (B, N, W)."""
        split = self.entry(x).unflatten(-1, (3, self.heads, -1))  # (B, N, 3, heads, head)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)  # (B, heads, N, head) each
        # angles stay in float32: in bfloat16 the far tokens of a large grid would share theirs
        query, key = turn(query, cosines, sines), turn(key, cosines, sines)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.exit(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class AdaLN(nn.Module):
    """``count`` vectors of a width for each sample, linear in the embedding, zero at first (adaLN-Zero).

    Without an embedding they are weights, the same for every sample: norms then have a learned scale and shift of their
    own, and each branch a learned gate.
    """

    def __init__(self, embedding: int, width: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.constant = nn.Parameter(torch.zeros(count * width))
        self.layer = nn.Linear(embedding, count * width, bias=False) if embedding else None
        if self.layer is not None:
            nn.init.zeros_(self.layer.weight)

    def forward(self, embedded: Tensor | None) -> tuple[Tensor, ...]:
        """(B, E), or nothing → ``count`` tensors (B, 1, W), or (1, 1, W)."""
        vectors = self.constant[None]  # (1, count W)
        if self.layer is not None:
            vectors = vectors + self.layer(embedded)  # (B, count W)
        return vectors[:, None].chunk(self.count, -1)


class TransformerBlock(nn.Module):
    """x + gate · attention(norm(x)), then x + gate · MLP(norm(x)): figure 3 of Peebles & Xie 2023, arXiv:2212.09748.

    Scales, shifts and gates come from the embedding and start at zero, so a block starts as the identity.
    """

    def __init__(self, width: int, heads: int, expansion: int, embedding: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.attention = Attention(width, heads)
        self.widen = nn.Linear(width, expansion * width)
        self.narrow = nn.Linear(expansion * width, width)
        self.modulation = AdaLN(embedding, width, 6)

    def forward(self, x: Tensor, embedded: Tensor | None, cosines: Tensor, sines: Tensor) -> Tensor:
        """Tokens (B, N, W), embedded parameters (B, E) and angles (N, head / 2) → (B, N, W)."""
        scale, shift, gate, scale_mlp, shift_mlp, gate_mlp = self.modulation(embedded)
        h = self.norm(x) * (1 + scale) + shift
        x = x + gate * self.attention(h, cosines, sines)
        h = self.norm(x) * (1 + scale_mlp) + shift_mlp
        h = self.narrow(functional.gelu(self.widen(h), approximate="tanh"))
        return x + gate_mlp * h  # type: ignore[no-any-return]
