"""The processes that train together, over accelerate: devices, precision, sums over processes.

One process on a CPU or a GPU, or several that a launcher has started::

    torchrun --nproc-per-node 2 --no-python surrogate train RECIPE
    accelerate launch --multi_gpu --num_processes 2 --no_python surrogate train RECIPE --set run.device=cuda

(on CPUs accelerate's own launcher starts processes through MPI alone; torchrun needs none). What needs a GPU, fp16's
scaler and NCCL among it, has been written by accelerate's documentation and not been run yet.

Each process works on its part of every batch; gradients are summed in one message a network. torch's
DistributedDataParallel is not used: its hooks belong to one network with one backward pass a step, and methods here
have several networks that share a forward pass. What that costs is its overlap of messages with the backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import AutocastKwargs, broadcast_object_list, gather_object
from torch import Tensor

from surrogate_training.config import Recipe

PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}
"""Names of precisions in a recipe → in accelerate."""


class Processes:
    """A process among those that train together.

    Raises
    ------
    ValueError
        If the device is not there, or cannot do the precision.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.accelerator = _accelerator(recipe.run.device, recipe.optimiser.precision)
        device: torch.device = self.accelerator.device
        # one of several processes is given "cpu:0", which checkpoints cannot be loaded to
        self.device = torch.device("cpu") if device.type == "cpu" else device
        self.count: int = self.accelerator.num_processes
        self.number: int = self.accelerator.process_index
        self.main: bool = self.accelerator.is_main_process

    @contextmanager
    def autocast(self, *, threads: int = 1) -> Iterator[None]:
        """The precision of the recipe. The cache of cast weights is one for all threads: off for several."""
        # a context manager of accelerate's own is shared between threads, so each gets a new one
        with self.accelerator.autocast(AutocastKwargs(cache_enabled=threads == 1)):
            yield

    def prepare(self, optimiser: torch.optim.Optimizer) -> Any:
        """The optimiser under the scaler of fp16's gradients, where there is one."""
        return self.accelerator.prepare_optimizer(optimiser)

    @property
    def scales(self) -> bool:
        """Whether gradients are scaled: a step that overflows is then skipped, and the scale lowered."""
        return self.accelerator.scaler is not None

    def scaled(self, loss: Tensor) -> Tensor:
        """The loss whose gradients fp16 can hold; the loss itself in other precisions."""
        scaler = self.accelerator.scaler
        return loss if scaler is None else scaler.scale(loss)

    def unscale(self, optimiser: Any) -> None:
        """Divide the gradients by what :meth:`scaled` multiplied with."""
        scaler = self.accelerator.scaler
        if scaler is not None:
            scaler.unscale_(optimiser.optimizer)

    def scaler_state(self) -> dict[str, Any]:
        """For a checkpoint."""
        scaler = self.accelerator.scaler
        return {} if scaler is None else scaler.state_dict()

    def restore_scaler(self, state: dict[str, Any]) -> None:
        """What :meth:`scaler_state` returned."""
        if self.accelerator.scaler is not None and state:
            self.accelerator.scaler.load_state_dict(state)

    def total(self, tensors: list[Tensor]) -> list[Tensor]:
        """Sum each tensor over the processes; one message for all."""
        if self.count == 1:
            return tensors
        flat = torch.cat([t.reshape(-1) for t in tensors])
        summed = self.accelerator.reduce(flat, reduction="sum")
        pieces = summed.split([t.numel() for t in tensors])
        return [piece.view_as(t) for piece, t in zip(pieces, tensors, strict=True)]

    def gather(self, mine: list[Any]) -> list[Any]:
        """Lists of all processes, dealt out as ``items[number::count]``, back in one, in the order of the items."""
        if self.count == 1:
            return mine
        lists: list[list[Any]] = gather_object([mine])
        longest = max(map(len, lists))
        return [dealt[n] for n in range(longest) for dealt in lists if n < len(dealt)]

    def agree(self, value: Any) -> Any:
        """The main process's value, in all."""
        return value if self.count == 1 else broadcast_object_list([value])[0]

    def wait(self) -> None:
        """Until all processes are here."""
        self.accelerator.wait_for_everyone()

    def close(self) -> None:
        """Leave the group of processes."""
        self.accelerator.end_training()


def _accelerator(device: str, precision: str) -> Accelerator:
    wanted = torch.device(device)
    if wanted.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"run.device is {device}, but torch {torch.__version__} sees no CUDA device: install a CUDA build of "
            "torch, or set run.device=cpu"
        )
    if wanted.type == "cpu" and precision == "fp16":
        raise ValueError(
            "optimiser.precision is fp16, which needs a GPU: set optimiser.precision=bf16 or fp32"
        )
    if wanted.type == "cuda" and wanted.index is not None:
        torch.cuda.set_device(wanted)  # what accelerate takes in a single process
    cpu, mixed = wanted.type == "cpu", PRECISIONS[precision]
    # accelerate keeps one state for the whole program and refuses another one: a program may train several runs
    shared = AcceleratorState._shared_state
    if shared and (shared["_cpu"], shared["_mixed_precision"]) != (cpu, mixed):
        AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(cpu=cpu, mixed_precision=mixed)
