"""MLflow: a database and pictures in the run folder, or the server of ``MLFLOW_TRACKING_URI``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from surrogate_training.config import Recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking.tracker import Identities, need, settings

STATUS = {"finished": "FINISHED", "stopped": "KILLED", "pruned": "KILLED"}
"""MLflow's words; of any other state FAILED."""
LONGEST = 500  # characters of a parameter that every version and store takes


def load() -> Any:
    """The module, or an error that says what to install."""
    return need("mlflow", "mlflow", "mlflow")


class MLflow:
    """A run of MLflow, in the experiment ``surrogate`` or that of ``MLFLOW_EXPERIMENT_NAME``.

    By its client, which unlike the functions of the module changes nothing in the process.
    """

    def __init__(self, run: RunFolder, recipe: Recipe, *, step: int) -> None:
        load()
        self.entities = need("mlflow", "mlflow.entities", "mlflow")
        tracking = need("mlflow", "mlflow.tracking", "mlflow")
        folder = run.path.resolve()
        store = os.environ.get("MLFLOW_TRACKING_URI")
        # a file store of folders, MLflow's default once, is refused by its newer versions
        self.client = tracking.MlflowClient(tracking_uri=store or f"sqlite:///{folder}/mlflow.db")
        names = Identities(run)
        known = names.get("mlflow") if step else None
        if known is None:
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "surrogate")
            experiment = self._experiment(name, None if store else (folder / "mlflow").as_uri())
            made = self.client.create_run(experiment, run_name=f"{recipe.name} {run.path.name}")
            known = made.info.run_id
            for key, value in settings(recipe).items():
                self.client.log_param(known, key, str(value)[:LONGEST])
        else:
            self.client.set_terminated(known, "RUNNING")
        self.identity: str = known
        names.set("mlflow", known)

    def _experiment(self, name: str, artifacts: str | None) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(self.client.create_experiment(name, artifact_location=artifacts))

    def scalars(self, group: str, step: int, values: dict[str, float]) -> None:
        """Names ``GROUP/NAME``."""
        now = int(time.time() * 1000)  # ms
        metrics = [
            self.entities.Metric(f"{group}/{name}", float(value), now, step)
            for name, value in values.items()
        ]
        self.client.log_batch(self.identity, metrics=metrics)

    def picture(self, step: int, path: Path) -> None:
        """As an artifact in ``samples``."""
        self.client.log_artifact(self.identity, str(path), "samples")

    def close(self, state: str) -> None:
        """End the run."""
        self.client.set_terminated(self.identity, STATUS.get(state, "FAILED"))
