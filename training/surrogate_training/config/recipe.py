"""A recipe: one training run, complete."""

from __future__ import annotations

from pydantic import Field, model_validator

from surrogate_training.config.agreement import CHECKS
from surrogate_training.config.captions import TextConfig
from surrogate_training.config.data import Data, FieldSpec
from surrogate_training.config.evaluation import Evaluation
from surrogate_training.config.method import Method, RegressionConfig
from surrogate_training.config.model import Model, ResidualUNetConfig
from surrogate_training.config.net import Curl
from surrogate_training.config.optimiser import Optimiser
from surrogate_training.config.run import Physics, Run
from surrogate_training.config.sampler import Sampler
from surrogate_training.config.section import Section


class Recipe(Section):
    """One training run, complete."""

    name: str
    description: str = ""
    seed: int = Field(default=0, ge=0)
    data: Data
    model: Model = ResidualUNetConfig()
    method: Method = RegressionConfig()
    sampler: Sampler = Sampler()
    text: TextConfig = TextConfig()
    optimiser: Optimiser
    run: Run = Run()
    physics: Physics = Physics()
    evaluation: Evaluation = Evaluation()

    @model_validator(mode="after")
    def _sections_agree(self) -> Recipe:
        for check in CHECKS:
            check(self)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields, in the order of the program's input channels."""
        return tuple(f.name for f in self.data.fields)

    @property
    def predicted(self) -> tuple[FieldSpec, ...]:
        """Fields that are predicted, in the order of the program's output channels."""
        return tuple(f for f in self.data.fields if not f.condition)

    @property
    def predicted_channels(self) -> tuple[int, ...]:
        """Where they stand among the fields."""
        return tuple(c for c, f in enumerate(self.data.fields) if not f.condition)

    @property
    def potentials(self) -> tuple[str, ...]:
        """Fields that the model sees only through their curl."""
        return tuple(f.curl for f in self.model.features if isinstance(f, Curl))

    @property
    def unroll(self) -> int:
        """Largest number of jumps that a training sample spans."""
        return self.method.unroll.jumps if isinstance(self.method, RegressionConfig) else 1
