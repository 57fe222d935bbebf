"""Section ``evaluation``: what a report compares with, besides the baselines that every report has."""

from __future__ import annotations

from surrogate_training.config.data import Generate
from surrogate_training.config.section import Section


class Evaluation(Section):
    """The coarse solver as a rival.

    Attributes
    ----------
    coarse : Generate, optional
        Makes ``{out}`` from ``{path}``: for each file of the test set one of the same name and layout, whose frame n
        (n ≥ 1) is what the solver at coarser settings makes of the true frame n - 1, and whose attribute
        ``seconds_per_jump`` is its cost.
    coarse_label : str
        What it is, for people: it stands in the report's head.
    information_speed : float
        Fastest speed at which information travels, in lengths per time unit; the audit compares what it crosses in a
        jump with the receptive field. 0: unknown.
    """

    coarse: Generate | None = None
    coarse_label: str = "coarse solver"
    information_speed: float = 0.0
