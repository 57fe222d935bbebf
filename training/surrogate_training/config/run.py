"""Sections ``run`` and ``physics``: nothing in them changes what is learned."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from surrogate_training.config.section import Section


class Run(Section):
    """Where and how often; nothing here changes what is learned (threads: up to rounding).

    Attributes
    ----------
    device : str
        ``cpu``, ``cuda``, ``cuda:1``; under a launcher of several processes each takes its own.
    workers : int
        Processes that prepare batches ahead; 0: none.
    best : str
        Metric of a validation by which the best checkpoint is kept; ``-NAME``: larger is better. ``error``; a field's
        name; of stochastic models also ``crps``, ``error_of_mean`` and ``spread_skill``.
    samples_every : int
        Steps between pictures of a validation pair; 0: none.
    trackers : tuple of {"tensorboard", "wandb", "mlflow"}
        Besides ``metrics.jsonl``, which is always written.
    """

    device: str = "cpu"
    threads: int = Field(default=2, ge=1)
    workers: int = Field(default=0, ge=0)
    log_every: int = Field(default=20, ge=1)
    validate_every: int = Field(default=500, ge=1)
    validation_pairs: int = Field(default=80, ge=1)
    checkpoint_every: int = Field(default=200, ge=1)
    best: str = "error"
    samples_every: int = Field(default=0, ge=0)
    trackers: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ()


class Physics(Section):
    """What the manifest says about the system, besides what the data files say."""

    equations: str = ""
    time_unit: str = "1"
    length_unit: str = "1"
