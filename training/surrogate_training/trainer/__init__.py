"""Training: deterministic under a seed, resumable to the bit."""

from surrogate_training.trainer.diverged import DivergedError
from surrogate_training.trainer.loop import Trainer
from surrogate_training.trainer.processes import Processes
from surrogate_training.trainer.schedule import learning_rate

__all__ = ["DivergedError", "Processes", "Trainer", "learning_rate"]
