"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Callable as Function
from collections.abc import Sequence
from pathlib import Path

import torch

from surrogate_training import checkpoint
from surrogate_training.callback import Callback
from surrogate_training.checkpoint import State
from surrogate_training.config import Recipe
from surrogate_training.data.batches import BatchSource
from surrogate_training.data.pairs import grid_of, open_sets
from surrogate_training.data.prefetch import Rounds, Share, prefetch
from surrogate_training.data.statistics import measure
from surrogate_training.methods.clip import Clip
from surrogate_training.methods.method import GENERATOR
from surrogate_training.methods.registry import make_method
from surrogate_training.progress import MetricsFile
from surrogate_training.runfolder import RunFolder, set_threads
from surrogate_training.text.start import start_text
from surrogate_training.trainer.average import Average
from surrogate_training.trainer.best import Best
from surrogate_training.trainer.diverged import keep_batch
from surrogate_training.trainer.gradients import check_shards
from surrogate_training.trainer.phases import NotFiniteError, Phases, Update, logged
from surrogate_training.trainer.processes import Processes
from surrogate_training.trainer.retrieval import RetrievalValidation
from surrogate_training.trainer.validation import Validation


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
        Told about progress, in the main process.
    processes : Processes, optional
        Those that train together; default: as the launcher, if any, has started them.

    Raises
    ------
    ValueError
        If data, recipe and machine do not fit together.
    CheckpointError
        If the checkpoint to resume from is damaged.
    """

    def __init__(
        self,
        recipe: Recipe,
        run: RunFolder,
        *,
        root: Path,
        resume: bool = False,
        callbacks: Sequence[Callback] = (),
        processes: Processes | None = None,
    ) -> None:
        self.recipe, self.run = recipe, run
        self.processes = processes or Processes(recipe)
        self.callbacks = tuple(callbacks) if self.processes.main else ()
        # the shards' threads are the parallel part: two teams of threads would wait for each other
        set_threads(max(1, recipe.run.threads // recipe.optimiser.shards))
        torch.manual_seed(recipe.seed)
        state = self._last_state() if resume else None
        sets = open_sets(recipe.data, root=root)
        grid = grid_of(sets.values())
        check_grid(recipe, grid.shape, grid.constants)
        self.statistics = run.statistics() if state else measure(sets["train"], grid)
        self.source = BatchSource(sets["train"], recipe, self.statistics)
        self.share = _share(recipe, self.source, self.processes)
        self.method = make_method(recipe, self.statistics).to(self.processes.device)
        if state is None:
            start_text(self.method, recipe, root)
            self.method.start(root)
        self.model = self.method.network
        check_shards(self.method, self.share, self.processes.device)
        judge = RetrievalValidation if isinstance(self.method, Clip) else Validation
        self.validation = judge(
            sets["validation"], recipe, self.statistics, self.method, self.processes
        )
        self.phases = Phases(self.method, recipe, self.share, self.processes)
        self.average = Average(self.model, recipe.optimiser.ema)
        self.best = Best(recipe.run.best)
        self._check_best()
        self.step, self.stopped = 0, False
        if state is not None:
            self._restore(state)
        self._open_folder(resumed=state is not None, root=root)

    def train(self, *, until: int | None = None) -> None:
        """Train to the recipe's last step, or pause at ``until`` (with a checkpoint).

        Raises
        ------
        DivergedError
            If the loss is not finite; the last good checkpoint stays as it was.
        CheckpointError
            If a checkpoint cannot be written; the one before stays as it was.
        """
        config = self.recipe.optimiser
        try:
            self._tell(lambda callback: callback.begin(self.run, self.recipe, step=self.step))
            if not self.stopped:
                self._train(config.steps if until is None else min(until, config.steps))
            if self.stopped and self.run.best_checkpoint.is_file():
                self._finish(checkpoint.load(self.run.best_checkpoint))
            elif self.step >= config.steps:
                self._finish(self.state())
        finally:
            self.phases.close()
            self._tell(lambda callback: callback.close())

    def state(self) -> State:
        """The present state, for a checkpoint."""
        return State(
            step=self.step,
            networks={n: net.state_dict() for n, net in self.method.networks.items()},
            average=self.average.values,
            optimisers={n: o.state_dict() for n, o in self.phases.optimisers.items()},
            best=self.best.state(),
            scaler=self.processes.scaler_state(),
            stopped=self.stopped,
        )

    def _train(self, stop: int) -> None:
        run = self.recipe.run
        steps = range(self.step, stop)
        pinned = self.processes.device.type == "cuda"
        ahead = prefetch(self.source, steps, self.share, workers=run.workers, pinned=pinned)
        began, since = time.perf_counter(), self.step
        for rounds in ahead:
            updates = self.advance(rounds)
            last = self.step == stop
            if self.step % run.log_every == 0 or last:
                values = logged(updates)
                now = time.perf_counter()
                self._log(values | {"s/step": (now - began) / (self.step - since)})
                began, since = now, self.step
            paused = time.perf_counter()
            if self.step % run.validate_every == 0 or self.step == self.recipe.optimiser.steps:
                self._validate()
            if run.samples_every and self.step % run.samples_every == 0:
                self._sample()
            if self.step % run.checkpoint_every == 0 or last or self.stopped:
                self._save(self.run.last_checkpoint)
            began += time.perf_counter() - paused  # what a step takes, without these
            if self.stopped:
                return

    def advance(self, rounds: Rounds) -> dict[str, Update]:
        """Make one step with this process's part of its batch.

        Raises
        ------
        DivergedError
            If the loss is not finite; no network has been changed by it.
        """
        try:
            updates = self.phases.advance(self.step, rounds, batch=self.source.batch)
        except NotFiniteError as error:
            names = self.share.names_of(self.source, self.step)
            path = self.run.diverged_file(self.processes.number)
            raise keep_batch(path, error, rounds, names, step=self.step) from error
        if GENERATOR in updates:
            self.average.update(self.model, self.step)
        self.step += 1
        return updates

    def _log(self, values: dict[str, float]) -> None:
        if self.processes.main:
            self.metrics.add({"kind": "train", "step": self.step, **values})
        self._tell(lambda callback: callback.step(self.step, values))

    def _validate(self) -> None:
        if not self.validation.indices:
            return
        early = self.recipe.optimiser.early_stopping
        values = self.validation.values(self.average.values)
        better = self.best.add(values, early)
        self.stopped = self.best.exhausted(early)
        if self.processes.main:
            self.metrics.add({"kind": "validation", "step": self.step, **values})
        self._tell(lambda callback: callback.validation(self.step, values))
        if better:
            self._save(self.run.best_checkpoint)

    def _sample(self) -> None:
        if self.callbacks and self.validation.indices:
            sample = self.validation.sample(self.average.values)
            self._tell(lambda callback: callback.sample(self.step, sample))

    def _save(self, path: Path, state: State | None = None) -> None:
        if self.processes.main:
            checkpoint.save(state or self.state(), path)
        self._tell(lambda callback: callback.checkpoint(self.step, path))
        self.processes.wait()

    def _finish(self, state: State) -> None:
        self._save(self.run.final_checkpoint, state)

    def _tell(self, what: Function[[Callback], None]) -> None:
        for callback in self.callbacks:
            what(callback)

    def _last_state(self) -> State | None:
        path = self.run.last_checkpoint
        if not path.is_file():
            return None  # there is nothing to continue
        state = checkpoint.load(path, device=self.processes.device)
        self.run.check_resumable(self.recipe, step=state.step)
        return state

    def _restore(self, state: State) -> None:
        self.step, self.stopped = state.step, state.stopped
        for name, network in self.method.networks.items():
            network.load_state_dict(state.networks[name])
            self.phases.optimisers[name].load_state_dict(state.optimisers[name])
        self.average.values = dict(state.average)
        self.best.restore(state.best)
        self.processes.restore_scaler(state.scaler)

    def _check_best(self) -> None:
        self.best.check(self.validation.names)
        if self.recipe.optimiser.early_stopping and not self.validation.indices:
            raise ValueError(
                "optimiser.early_stopping needs validation pairs: set data.split.validation"
            )

    def _open_folder(self, *, resumed: bool, root: Path) -> None:
        if self.processes.main:
            if resumed:
                self.run.resume(self.recipe, root=root)
            else:
                self.run.begin(
                    self.recipe, self.statistics, root=root, processes=self.processes.count
                )
            self.metrics = MetricsFile(self.run.metrics_file, from_step=self.step)
        self.processes.wait()


def _share(recipe: Recipe, source: BatchSource, processes: Processes) -> Share:
    """How a batch is divided; a small data set may have fewer samples than a batch has parts."""
    config = recipe.optimiser
    others = processes.count * config.accumulate
    if source.batch < others:
        raise ValueError(
            f"a batch of {source.batch} samples cannot be divided among {processes.count} processes and "
            f"{config.accumulate} rounds of optimiser.accumulate: raise optimiser.batch, or lower these"
        )
    shards = min(config.shards, source.batch // others)
    return Share(processes.number, processes.count, config.accumulate, shards)


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
            f"the data has {shape} cells; a {recipe.model.kind} of so many levels needs multiples of {k}: take fewer "
            "(model.levels, or model.stem and model.widths), or cut the frames"
        )
    mean = [constants.get(name, 0.0) for name in ("b0x", "b0y")]
    if any(mean) and (recipe.data.augment.dihedral or recipe.data.augment.negate):
        raise ValueError(
            f"the data has a mean field {mean}, which rotations, reflections and B → -B would change: set "
            "data.augment.dihedral to false and data.augment.negate to []"
        )
