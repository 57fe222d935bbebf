"""The training loop: deterministic under a seed, resumable to the bit."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from surrogate_training import checkpoint
from surrogate_training.callback import Callback
from surrogate_training.checkpoint import State
from surrogate_training.config import Optimiser, Recipe
from surrogate_training.data.batches import BatchSource
from surrogate_training.data.pairs import PairSet, open_sets, read_grid
from surrogate_training.data.statistics import measure
from surrogate_training.evaluation.validation import errors_on
from surrogate_training.methods.method import GENERATOR, Loss
from surrogate_training.methods.registry import make_method
from surrogate_training.metrics.relative import mean_score
from surrogate_training.models.fields import FieldModel
from surrogate_training.progress import MetricsFile
from surrogate_training.runfolder import RunFolder, set_threads
from surrogate_training.shards import Shards


class DivergedError(RuntimeError):
    """The loss stopped being finite."""


def learning_rate(step: int, config: Optimiser) -> float:
    """Linear warm-up, constant until ``hold``, then half a cosine down to the final rate at the last step."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    start = max(config.warmup, config.hold)
    done = max(0, step - start) / max(1, config.steps - start)
    low = config.final_learning_rate
    return low + (config.learning_rate - low) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


class Average:
    """Exponential moving average of the parameters, warmed up so that early steps are forgotten."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Blend in the parameters after ``step`` (0, 1, …)."""
        blend = get_ema_multi_avg_fn(min(self.decay, (1 + step) / (10 + step)))  # type: ignore[no-untyped-call]
        present = model.state_dict()
        blend([*self.values.values()], [present[key] for key in self.values], None)


class Trainer:
    """One run.

    Parameters
    ----------
    recipe : Recipe
        What to do.
    run : RunFolder
        Where to keep it.
    root : Path
        Folder that ``data.path`` is relative to.
    resume : bool
        Continue from the last checkpoint if there is one.
    callbacks : sequence of Callback
        Told about progress.
    """

    def __init__(
        self,
        recipe: Recipe,
        run: RunFolder,
        *,
        root: Path,
        resume: bool = False,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.recipe, self.run, self.callbacks = recipe, run, tuple(callbacks)
        # the shards' threads are the parallel part: two teams of threads would wait for each other
        set_threads(max(1, recipe.run.threads // recipe.optimiser.shards))
        torch.manual_seed(recipe.seed)
        resume = resume and run.last_checkpoint.is_file()  # else there is nothing to continue
        state = checkpoint.load(run.last_checkpoint, device=recipe.run.device) if resume else None
        if state is not None:
            run.check_resumable(recipe, step=state.step)
        sets = open_sets(recipe.data, root=root)
        grid = read_grid(tuple(f for s in sets.values() for f in s.files), recipe.data)
        check_grid(recipe, grid.shape, grid.constants)
        self.validation: PairSet = sets["validation"]
        self.statistics = run.statistics() if state else measure(sets["train"], grid)
        if state is None:
            run.begin(recipe, self.statistics, root=root)
        else:
            run.resume(recipe, root=root)
        self.batches = BatchSource(sets["train"], recipe, self.statistics)
        self.device = torch.device(recipe.run.device)
        self.method = make_method(recipe, self.statistics).to(self.device)
        self.model = self.method.generator
        self.optimiser = make_optimiser(self.model, recipe.optimiser)
        self.average = Average(self.model, recipe.optimiser.ema)
        self.step = 0
        if state is not None:
            self._restore(state)
        self.shards = Shards(self.method, GENERATOR, self.batches, recipe, self.device)
        self.metrics = MetricsFile(run.metrics_file, from_step=self.step)

    def train(self, *, until: int | None = None) -> None:
        """Train to the recipe's last step, or pause at ``until`` (with a checkpoint).

        Raises
        ------
        DivergedError
            If the loss is not finite; the last good checkpoint stays as it was.
        """
        try:
            for callback in self.callbacks:
                callback.begin(self.run, self.recipe, step=self.step)
            self._train(until)
        finally:
            for callback in self.callbacks:
                callback.close()

    def _train(self, until: int | None) -> None:
        config, run = self.recipe.optimiser, self.recipe.run
        stop = config.steps if until is None else min(until, config.steps)
        began, first = time.monotonic(), self.step
        while self.step < stop:
            loss, norm = self._advance()
            if self.step % run.log_every == 0 or self.step == stop:
                rate = (time.monotonic() - began) / (self.step - first)
                self._log(loss, norm, rate)
            if self.step % run.validate_every == 0 or self.step == config.steps:
                self._validate()
            if self.step % run.checkpoint_every == 0 or self.step == stop:
                self._save(self.run.last_checkpoint)
        if self.step >= config.steps:
            self._save(self.run.final_checkpoint)

    def _save(self, path: Path) -> None:
        checkpoint.save(self.state(), path)
        for callback in self.callbacks:
            callback.checkpoint(self.step, path)

    def state(self) -> State:
        """The present state, for a checkpoint."""
        return State(
            self.step, self.model.state_dict(), self.average.values, self.optimiser.state_dict()
        )

    def _advance(self) -> tuple[Loss, float]:
        config = self.recipe.optimiser
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, config)
        loss = self.shards.gradients(self.step)
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), config.clip))
        if not math.isfinite(float(loss.total.detach())) or not math.isfinite(norm):
            raise DivergedError(
                f"step {self.step}: the loss is {float(loss.total.detach())} and the gradient's norm {norm}; "
                "training stopped and the last checkpoint is kept. Lower optimiser.learning_rate, lengthen "
                "optimiser.warmup, or look at the data"
            )
        self.optimiser.step()
        self.average.update(self.model, self.step)
        self.step += 1
        return loss, norm

    def _log(self, loss: Loss, norm: float, seconds: float) -> None:
        values = {"loss": float(loss.total.detach())}
        values |= {name: float(part.detach()) for name, part in loss.parts.items()}
        values |= {"norm": norm, "lr": self.optimiser.param_groups[0]["lr"], "s/step": seconds}
        self.metrics.add({"kind": "train", "step": self.step, **values})
        for callback in self.callbacks:
            callback.step(self.step, values)

    def _validate(self) -> None:
        if len(self.validation) == 0:
            return
        model = FieldModel(self.recipe, self.statistics).to(self.device)
        model.load_state_dict(self.average.values)
        indices = spread(len(self.validation), self.recipe.run.validation_pairs)
        scaling = self.method.scaling
        errors, _ = errors_on(
            model.eval(), self.validation, indices, self.recipe, self.statistics, scaling
        )
        means = {name: float(e.mean()) for name, e in errors.items()}
        values = {"error": mean_score(means, self.recipe), **means}
        self.metrics.add({"kind": "validation", "step": self.step, **values})
        for callback in self.callbacks:
            callback.validation(self.step, values)

    def _restore(self, state: State) -> None:
        self.step = state.step
        self.model.load_state_dict(state.model)
        self.average.values = dict(state.average)
        self.optimiser.load_state_dict(state.optimiser)


def make_optimiser(model: nn.Module, config: Optimiser) -> torch.optim.Optimizer:
    """AdamW; only weights of convolutions decay, not biases and norms."""
    decayed: list[Tensor] = [p for p in model.parameters() if p.ndim == 4]
    free: list[Tensor] = [p for p in model.parameters() if p.ndim != 4]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)


def check_grid(recipe: Recipe, shape: tuple[int, int], constants: dict[str, float]) -> None:
    """Refuse data that the model or the symmetries cannot take.

    Raises
    ------
    ValueError
        If the shape is not a multiple, or a mean field would break the symmetries.
    """
    k = recipe.model.multiple
    if shape[0] % k or shape[1] % k:
        raise ValueError(
            f"the data has {shape} cells; model.stem and model.widths need multiples of {k}"
        )
    mean = [constants.get(name, 0.0) for name in ("b0x", "b0y")]
    if any(mean) and (recipe.data.augment.dihedral or recipe.data.augment.negate):
        raise ValueError(
            f"the data has a mean field {mean}, which rotations, reflections and B → -B would change: set "
            "data.augment.dihedral to false and data.augment.negate to []"
        )


def spread(total: int, wanted: int) -> list[int]:
    """Up to ``wanted`` indices spread evenly over range(total)."""
    return list(_spread(total, min(wanted, total)))


def _spread(total: int, count: int) -> Iterator[int]:
    for n in range(count):
        yield (n * total) // count
