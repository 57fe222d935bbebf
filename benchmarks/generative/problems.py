"""What is compared: two problems with hidden information, seven ways to predict, and how many evaluations a frame."""

from __future__ import annotations

from dataclasses import dataclass

METHODS = ("regression", "pix2pix", "flow", "interpolant", "edm", "residual_edm", "crps")
"""Ends of the recipes' names; all have one net."""
EVALUATIONS = (1, 2, 4, 8, 20)


@dataclass(frozen=True)
class Problem:
    """A data set and how frames of it are scored.

    Attributes
    ----------
    name : str
        In results.
    recipes : str
        Beginning of its recipes' names.
    field : str
        What is predicted.
    unit : str
        Of the scores.
    softening : float, optional
        Frames are scored as asinh(u / softening): a few strong regions would else be all that counts.
    periodic : bool
        Along both axes.
    starts : dict of str to str
        Method → the regression, shorter than the rival, that it begins from.
    """

    name: str
    recipes: str
    field: str
    unit: str
    softening: float | None
    periodic: bool
    starts: dict[str, str]

    def recipe(self, method: str) -> str:
        """Name of a recipe, without the suffix."""
        return f"{self.recipes}_{method}"


PROBLEMS = (
    Problem(
        "navier_stokes",
        "generative_ns",
        "omega",
        "1 / time",
        None,
        periodic=True,
        starts={"crps": "start", "residual_edm": "mean"},
    ),
    Problem(
        "flux_hidden",
        "generative_flux",
        "br",
        "asinh(Br / 10 G)",
        10.0,
        periodic=False,
        starts={"crps": "start", "residual_edm": "start"},
    ),
)
