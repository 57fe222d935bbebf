"""Section ``optimiser``: how the loss is minimised, and for how long."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from surrogate_training.config.section import Section


class EarlyStopping(Section):
    """Stop after ``patience`` validations in a row without an improvement of ``minimum`` (a share of the best)."""

    patience: int = Field(ge=1)
    minimum: float = Field(default=0.0, ge=0)


class Optimiser(Section):
    """Adam or AdamW with warm-up, a schedule, clipping and an exponential moving average.

    The rate rises over ``warmup`` steps, is constant until step ``hold`` and then follows ``schedule`` (half a cosine,
    or a straight line) down to ``final_learning_rate`` at the last step; ``constant`` stays. While a run has not passed
    ``hold`` it may be resumed with another number of ``steps``: the result is that of a run which had it from the
    start, as with a ``constant`` schedule always. ``shards`` parts of a batch are worked on at the same time, one
    thread each, which is faster than threads inside operators: on a CPU, in one process, for nets without statistics of
    a batch and without dropout. With ``accumulate`` > 1 a batch is worked on in that many parts one after the other,
    for memory. ``batch`` is of all processes together; statistics of a batch are those of the part that a process works
    on at a time.

    ``weight_decay`` is of convolutions' weights alone: decoupled for ``adamw``, an L2 term of the loss for ``adam``.
    ``clip`` is the largest norm of a network's gradient. ``ema`` is the generator's, running statistics of its norms
    included. After early stopping ``final.pt`` is the best checkpoint.
    """

    steps: int = Field(ge=1)
    batch: int = Field(default=8, ge=1)
    shards: int = Field(default=1, ge=1)
    accumulate: int = Field(default=1, ge=1)
    kind: Literal["adam", "adamw"] = "adamw"
    learning_rate: float = Field(default=1.5e-3, gt=0)
    final_learning_rate: float = Field(default=1e-6, ge=0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: int = Field(default=200, ge=0)
    hold: int = Field(default=0, ge=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = Field(default=1.0, gt=0)
    ema: float = Field(default=0.999, ge=0, lt=1)
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    early_stopping: EarlyStopping | None = None
