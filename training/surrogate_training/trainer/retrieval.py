"""Validation of method ``clip``: how often captions and pairs find one another."""

from __future__ import annotations

import torch
from torch import Tensor

from surrogate_training.methods.registry import make_network
from surrogate_training.text.matcher import Matcher
from surrogate_training.text.retrieval import joined, retrieval
from surrogate_training.trainer.validation import Validation


class RetrievalValidation(Validation):
    """Retrieval over the validation pairs; a process does all of it, since each pair is compared with every other."""

    @property
    def names(self) -> list[str]:
        """Of the numbers that :meth:`values` returns."""
        return ["error", *retrieval(torch.ones(1, 1), torch.ones(1, 1), torch.ones(1, 1))]

    @torch.no_grad()
    def values(self, average: dict[str, Tensor]) -> dict[str, float]:
        """``error``, the share of captions and pairs whose first guess is wrong, and the accuracies."""
        matcher = make_network(self.recipe, self.statistics).to(self.processes.device)
        assert isinstance(matcher, Matcher)
        matcher.load_state_dict(average)
        matcher.eval()
        every = joined(matcher.encoded(self._batch(index)) for index in self.indices)
        found = retrieval(every.text, every.field, every.tokens)
        return {"error": 1 - (found["caption_top1"] + found["field_top1"]) / 2, **found}
