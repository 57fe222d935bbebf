"""The best validation so far, by the metric that ``run.best`` declares, and when to stop early."""

from __future__ import annotations

import math
from dataclasses import dataclass

from surrogate_training.config import EarlyStopping


@dataclass
class Best:
    """Follows one metric of the validations; smaller is better unless its name is written ``-NAME``.

    Attributes
    ----------
    metric : str
        As in ``run.best``.
    value : float
        The best so far, with its sign turned where larger is better; infinite before the first.
    reference : float
        What the next improvement is measured from: early stopping forgives no gain below its minimum.
    stale : int
        Validations in a row without such an improvement.
    """

    metric: str
    value: float = math.inf
    reference: float = math.inf
    stale: int = 0

    def check(self, names: list[str]) -> None:
        """Refuse a metric that validations do not have.

        Raises
        ------
        ValueError
            Naming those that they have.
        """
        if self.metric.removeprefix("-") not in names:
            raise ValueError(
                f"run.best: a validation has no {self.metric.removeprefix('-')!r}; it has {', '.join(names)}"
            )

    def add(self, values: dict[str, float], early: EarlyStopping | None) -> bool:
        """Take in a validation; return whether it is the best so far."""
        sign = -1 if self.metric.startswith("-") else 1
        value = sign * values[self.metric.removeprefix("-")]
        least = (
            early.minimum * abs(self.reference) if early and math.isfinite(self.reference) else 0
        )
        if value < self.reference - least:
            self.reference, self.stale = value, 0
        else:
            self.stale += 1
        better = value < self.value
        if better:
            self.value = value
        return better

    def exhausted(self, early: EarlyStopping | None) -> bool:
        """Whether patience has run out."""
        return early is not None and self.stale >= early.patience

    def state(self) -> dict[str, float]:
        """For a checkpoint."""
        return {"value": self.value, "reference": self.reference, "stale": self.stale}

    def restore(self, state: dict[str, float]) -> None:
        """What :meth:`state` returned."""
        self.value, self.reference = state["value"], state["reference"]
        self.stale = int(state["stale"])
