"""The callbacks that every run of the command line has."""

from __future__ import annotations

from surrogate_training.callback import Callback
from surrogate_training.config import Recipe
from surrogate_training.tracking.presence import Presence
from surrogate_training.tracking.resources import Resources
from surrogate_training.tracking.samples import Samples
from surrogate_training.tracking.trackers import Trackers


def follow(recipe: Recipe) -> list[Callback]:
    """State and resource use, always; pictures and trackers as the recipe's section ``run`` says.

    Raises
    ------
    RecipeError
        Where the package of a tracker is missing; before anything is trained.
    """
    resources = Resources()
    made: list[Callback] = [Presence(), resources, Samples()]
    if recipe.run.trackers:
        made.append(Trackers(recipe.run.trackers, resources=resources))
    return made
