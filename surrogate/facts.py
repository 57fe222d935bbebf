"""What an opened model is and has done, as frozen data. The same facts as ``surrogate_info`` and its kin in C."""

from __future__ import annotations

from dataclasses import dataclass


def quantity_text(value: float | str, unit: str) -> str:
    """A number, or numbers as text, with the unit: "0.25 s". The unit of pure numbers, "1", is not written."""
    number = value if isinstance(value, str) else f"{value:g}"
    return number if unit in ("", "1") else f"{number} {unit}"


@dataclass(frozen=True)
class FieldInfo:
    """One field of a state.

    Attributes
    ----------
    name, unit, staggering : str
        As in the manifest; `staggering` is ``cell``, ``corner``, ``face_x``, …
    components : int
        Channels of the field.
    predicted : bool
        False: a condition, read and never predicted.
    """

    name: str
    unit: str
    components: int
    staggering: str
    predicted: bool


@dataclass(frozen=True)
class ParameterInfo:
    """One scalar parameter: its unit, the range it was trained in, and the value used where none is given."""

    name: str
    unit: str
    lower: float
    upper: float
    preset: float


@dataclass(frozen=True)
class Info:
    """Facts of an opened model; tuples over axes stand slowest axis first.

    Attributes
    ----------
    name, path : str
        The bundle.
    engine, program, device, precision, choice : str
        What was chosen to run it, and one sentence why.
    channels : int
        Components of all fields together.
    spatial_rank : int
        1, 2 or 3.
    time_step : float
        ``t2 - t1`` in `time_unit`.
    fixed_shape, multiple_of, minimum_shape : tuple of int
        The grid rule; `fixed_shape` is 0 where any size will do.
    spacing : tuple of float
        Cell size it was trained at, in `spacing_unit`; 0: any.
    boundary : tuple of str
        ``periodic``, ``wall`` or ``open`` per axis.
    receptive_field, stride : tuple of int
        Cells to each side that an output cell depends on; translations that commute with the model.
    reduces_over_space : bool
        Every output depends on the whole domain.
    stochastic : bool
        It has noise inputs, and needs `step`.
    threads : int
        CPU threads asked for; 0: the engine's default.
    history : int
        Frames that the program reads; 1: the newest alone.
    partial_count : int
        Sums of :meth:`Pending.partials`, for each state of a batch.
    sampler : str
        How a generative model draws frames, ``"flow, heun"``; ``""``: it is none.
    steps : tuple of int
        Evaluations of its net that a call may ask for; empty: none.
    preset_steps : int
        Those of a call that asks for none; 0 where `steps` is empty.
    largest_members : int
        Of an ensemble; 0: any number.
    largest_guidance : float
        0: the model has no guidance.
    caption_length : int
        Words of a caption at most; 0: the model takes none.
    """

    name: str
    path: str
    engine: str
    program: str
    device: str
    precision: str
    choice: str
    channels: int
    spatial_rank: int
    time_step: float
    time_unit: str
    fixed_shape: tuple[int, ...]
    multiple_of: tuple[int, ...]
    minimum_shape: tuple[int, ...]
    spacing: tuple[float, ...]
    spacing_unit: str
    boundary: tuple[str, ...]
    receptive_field: tuple[int, ...]
    stride: tuple[int, ...]
    reduces_over_space: bool
    stochastic: bool
    threads: int
    history: int
    partial_count: int
    sampler: str
    steps: tuple[int, ...]
    preset_steps: int
    largest_members: int
    largest_guidance: float
    caption_length: int


@dataclass(frozen=True)
class Statistics:
    """Counters since open; ``calls = ok + rejected + errors``; seconds are sums over all calls.

    ``guard_seconds`` are part of ``output_seconds``. ``rejected_by`` and ``kept_by`` count calls by the name of the
    reason, as in :class:`Rejection`: refused, and let pass by policy ``keep``. ``clipped_cells`` are values that policy
    ``clip`` changed, ``projections`` fields (of one component and state) that policy ``project`` corrected.
    `record_errors` counts accepted predictions that ``record_calls`` could not store.
    """

    calls: int
    ok: int
    rejected: int
    errors: int
    input_copies: int
    output_passes: int
    allocations: int
    pack_seconds: float
    program_seconds: float
    output_seconds: float
    guard_seconds: float
    rejected_by: dict[str, int]
    kept_by: dict[str, int]
    clipped_cells: int
    projections: int
    record_errors: int


@dataclass(frozen=True)
class Verification:
    """Replay of the example pair: `largest_difference` of the program's output, normalised, and the tolerance."""

    passed: bool
    largest_difference: float
    tolerance: float
