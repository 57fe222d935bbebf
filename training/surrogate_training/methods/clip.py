"""Contrastive training of a text and a field encoder (Radford et al. 2021, arXiv:2103.00020).

What it makes is no generator: it says how near a caption is to a pair of states. A generative model takes its text
encoder over (``text.start``), and what that model draws can be judged by it (:mod:`surrogate_training.text.retrieval`).
The samples of a batch are one another's wrong answers: take a large ``optimiser.batch``, in one part.
"""

from __future__ import annotations

from surrogate_training.config import Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import Loss, Method
from surrogate_training.models.fields import FieldModel
from surrogate_training.text.contrastive import contrastive_loss
from surrogate_training.text.matcher import Matched, Matcher
from surrogate_training.text.retrieval import retrieval


class Clip(Method):
    """Symmetric cross entropy over a batch's captions and pairs, with a learnt temperature."""

    @classmethod
    def make_network(cls, recipe: Recipe, statistics: Statistics) -> Matcher:
        """See :class:`Method`."""
        return Matcher(recipe, statistics)

    @classmethod
    def make_generator(cls, recipe: Recipe, statistics: Statistics) -> FieldModel:
        """Refused.

        Raises
        ------
        ValueError
            Saying what such a run is for.
        """
        raise ValueError(
            f"recipe {recipe.name!r}: method clip trains encoders, which predict no frame to score or export; name its "
            "run as text.start of a recipe with another method"
        )

    @property
    def matcher(self) -> Matcher:
        """What is trained."""
        found = self.network
        assert isinstance(found, Matcher)
        return found

    def prepare(self, batch: Batch, *, step: int) -> Matched:
        """Encode captions and pairs."""
        return self.matcher.encoded(batch)

    def loss(self, network: str, context: Matched, *, step: int) -> Loss:
        """Parts: ``caption_top1`` of the batch, and the ``temperature``."""
        scale = self.matcher.log_scale
        total = contrastive_loss(context.text, context.field, scale, context.tokens)
        found = retrieval(context.text.detach(), context.field.detach(), context.tokens)
        right = total.new_tensor(found["caption_top1"])
        return Loss(total, {"caption_top1": right, "temperature": (-scale).exp()})
