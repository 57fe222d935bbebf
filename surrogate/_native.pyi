from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

class DeviceArray:
    def __init__(
        self,
        owner: object,
        *,
        pointer: int,
        typestr: str,
        shape: Sequence[int],
        strides: Sequence[int],
        device: int,
        writeable: bool,
    ) -> None: ...
    @property
    def owner(self) -> object: ...
    @property
    def pointer(self) -> int: ...
    @property
    def typestr(self) -> str: ...
    @property
    def shape(self) -> list[int]: ...
    @property
    def strides(self) -> list[int]: ...
    @property
    def device(self) -> int: ...
    @property
    def writeable(self) -> bool: ...

Array = NDArray[Any] | DeviceArray
Entry = tuple[str, str | None, Array | None, int, int]
Part = tuple[Array, int, int] | list[Entry]

SURROGATE_VERSION: str
OK: int
REJECTED: int
VERIFY_HASHES: int
VERIFY_EXAMPLE: int
make_error: Callable[[int, str], Exception] | None

def version() -> str: ...
def status_name(status: int) -> str: ...
def last_error() -> str: ...

class OpenOptions:
    def __init__(
        self,
        *,
        engine: str | None = None,
        program: str | None = None,
        device: str | None = None,
        precision: str | None = None,
        threads: int = 0,
        verify: int = 0,
        guards: str | None = None,
        engine_path: str | None = None,
        engine_options: str | None = None,
        overlay: str | None = None,
        log: Callable[[int, str], None] | None = None,
        record_calls: str | bytes | None = None,
        preload: bool = False,
    ) -> None: ...

class StepOptions:
    def __init__(
        self,
        *,
        step: int | None = None,
        time: float | None = None,
        seed: int = 0,
        member: int = 0,
        parameters: Sequence[float] | None = None,
        members: int = 1,
        stream: int = 0,
        steps: int = 0,
        guidance: float | None = None,
        caption: bytes | None = None,
    ) -> None: ...

def noise(
    shape: Sequence[int],
    step: StepOptions,
    *,
    channels: int = 1,
    input: int = 0,
    origin: Sequence[int] = ...,
    global_shape: Sequence[int] = ...,
) -> NDArray[np.float32]: ...

class Model:
    @staticmethod
    def open(path: str | bytes, options: OpenOptions) -> Model: ...
    @staticmethod
    def open_memory(files: Sequence[tuple[str, bytes]], options: OpenOptions) -> Model: ...
    def predict(self, output: Part, input: Sequence[Part], step: StepOptions) -> int: ...
    def predict_ensemble(
        self, mean: Part | None, spread: Part | None, input: Sequence[Part], step: StepOptions
    ) -> int: ...
    def predict_members(self, output: Part, input: Sequence[Part], step: StepOptions) -> int: ...
    def rollout(
        self, output: Part, input: Sequence[Part], steps: int, step: StepOptions
    ) -> tuple[int, int]: ...
    def begin(self, output: Part, input: Sequence[Part], step: StepOptions) -> None: ...
    def test(self) -> bool: ...
    def wait(self) -> int: ...
    def partials(self, values: NDArray[np.float64]) -> None: ...
    def finish(self, totals: NDArray[np.float64]) -> int: ...
    def info(self) -> dict[str, Any]: ...
    def fields(self) -> list[dict[str, Any]]: ...
    def parameters(self) -> list[dict[str, Any]]: ...
    def statistics(self) -> dict[str, Any]: ...
    def last_rejection(self) -> dict[str, Any]: ...
    def verify(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
    @property
    def closed(self) -> bool: ...

class Recorder:
    def __init__(self, path: str | bytes, options: Mapping[str, Any]) -> None: ...
    def write(self, time: float, fields: Sequence[Entry]) -> None: ...
    def close(self) -> None: ...
    @property
    def closed(self) -> bool: ...
