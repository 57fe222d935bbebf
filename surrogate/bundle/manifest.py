"""The manifest of a bundle: everything the run time must know of a model, as validated data.

`manifest.json` is the one description that training writes and that libsurrogate, Python and people read.
Arrays over axes stand slowest axis first (``[ny, nx]``); arrays over components follow the field's components.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from surrogate.bundle.data import Data as _Data
from surrogate.bundle.data import Name, Positive
from surrogate.bundle.guards import Guards
from surrogate.bundle.names import GUIDANCE
from surrogate.bundle.sampler import Sampler, Text
from surrogate.errors import CorruptError, SchemaError

SCHEMA_NAME = "surrogate-bundle"
SCHEMA_VERSION = 1

_DOTTED = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
_ENTRY = re.compile(f"{_DOTTED}:{_DOTTED}")
_IDENTIFIER = re.compile("[A-Za-z_][A-Za-z0-9_]*")


class Schema(_Data):
    """Which layout of the manifest this is; a reader refuses a newer version."""

    name: Literal["surrogate-bundle"] = "surrogate-bundle"
    version: int = SCHEMA_VERSION


class InputNormalisation(_Data):
    """The program reads ``(u - mean) / std``; one number a component."""

    mean: list[float]
    std: list[Positive]


class Scaling(_Data):
    """What the program makes of a field's values inside, for people: the run time need not know.

    linear: u itself; asinh: ``asinh(u / softening)``, softening in the field's unit.
    """

    kind: Literal["linear", "asinh"] = "linear"
    softening: Positive = 1.0


class Prediction(_Data):
    """How a field of the next frame is formed from the program's output ``y``; one number a component.

    increment: ``u(t2) = u(t1) + (offset + scale * y)``;  frame: ``u(t2) = offset + scale * y``.
    """

    kind: Literal["increment", "frame"] = "increment"
    scale: list[Positive]
    offset: list[float]


class TrainedStatistics(_Data):
    """Mean and standard deviation of a frame, each as (mean, standard deviation) over the training frames."""

    mean: list[tuple[float, Positive]]
    std: list[tuple[float, Positive]]


class FieldSpec(_Data):
    """One named field of the state."""

    name: Name
    unit: str = "1"
    components: int = Field(default=1, ge=1)
    staggering: Literal["cell", "corner", "face_x", "face_y", "face_z"] = "cell"
    description: str = ""
    normalisation: InputNormalisation
    scaling: Scaling | None = None
    """None: linear."""
    prediction: Prediction | None = None
    """None: a condition field, read and never predicted."""
    conserved: bool = False
    """Its integral over the domain is constant in time."""
    trained_range: list[tuple[float, float]] = Field(default_factory=list)
    """Smallest and largest value in the training data, per component."""
    trained_statistics: TrainedStatistics | None = None
    """Of the frames at t1, per component."""
    trained_jump: list[Positive] = Field(default_factory=list)
    """Rms of ``u(t2) - u(t1)`` over the training pairs, per component."""

    @model_validator(mode="after")
    def _one_number_a_component(self) -> FieldSpec:
        lists: dict[str, Sequence[Any]] = {
            "normalisation.mean": self.normalisation.mean,
            "normalisation.std": self.normalisation.std,
        }
        if self.prediction is not None:
            lists |= {
                "prediction.scale": self.prediction.scale,
                "prediction.offset": self.prediction.offset,
            }
        if self.trained_range:
            lists["trained_range"] = self.trained_range
        if self.trained_statistics is not None:
            lists["trained_statistics.mean"] = self.trained_statistics.mean
            lists["trained_statistics.std"] = self.trained_statistics.std
        if self.trained_jump:
            lists["trained_jump"] = self.trained_jump
        for key, values in lists.items():
            if len(values) != self.components:
                raise ValueError(
                    f"field {self.name!r}: {key} has {len(values)} entries, expected one for each of "
                    f"its {self.components} components"
                )
        for lower, upper in self.trained_range:
            if lower > upper:
                raise ValueError(
                    f"field {self.name!r}: trained_range ({lower}, {upper}) begins above its end"
                )
        return self


class Grid(_Data):
    """Which grids the program accepts. Without ``fixed_shape`` any multiple of ``multiple_of``."""

    axes: list[Literal["z", "y", "x"]]
    fixed_shape: list[int] | None = None
    multiple_of: list[int]
    minimum_shape: list[int]
    boundary: list[Literal["periodic", "wall", "open"]]
    spacing: list[float] | None = None
    """Cell size it was trained at, in ``spacing_unit``; None: any."""
    spacing_unit: str = "1"

    @model_validator(mode="after")
    def _one_entry_an_axis(self) -> Grid:
        for key in ("fixed_shape", "multiple_of", "minimum_shape", "boundary", "spacing"):
            values = getattr(self, key)
            if values is not None and len(values) != len(self.axes):
                raise ValueError(
                    f"grid.{key} has {len(values)} entries, expected {len(self.axes)}, one an axis"
                )
        return self


class Time(_Data):
    """The jump: ``t2 = t1 + step``."""

    step: Positive
    unit: str = "1"


class Parameter(_Data):
    """A scalar parameter, second input of the program, shape (B, P), in physical units."""

    name: str
    unit: str = "1"
    range: tuple[float, float]
    preset: float


class Noise(_Data):
    """A random input of the program, shape (B, channels, ny, nx): standard normals of :mod:`surrogate.noise`."""

    name: Name
    channels: int = Field(ge=1)


class Locality(_Data):
    """What an output cell depends on, measured at export by NaN propagation (exact)."""

    receptive_field: list[int]
    """Cells to each side; meaningless where the net reduces over space."""
    stride: list[int]
    """Translations by these commute with the model."""
    reduces_over_space: bool = False


class Program(_Data):
    """One executable form of the model. The first that can run is chosen.

    Engine, format, device and precision are free names, so that a bundle may hold programs for later versions:
    the library passes over those that it does not know.
    """

    name: str
    engine: Name
    """``torch``, ``python``, ``stub``."""
    format: Name
    """``torchscript``, ``torch.export``, ``python``, ``stub``."""
    file: str = ""
    """Path in the bundle; a python program whose module is importable has none."""
    entry: str = ""
    """Of format ``python`` only: ``package.module:name``, a function, or a class that is made once at load."""
    steps: int | None = Field(default=None, ge=1)
    """Evaluations of the sampler's net that this program makes; None: the model has no sampler."""
    method: str = ""
    """Of the file, where it holds several programs whose weights stand once; "": ``forward``."""
    device: Name = "any"
    """``any``, ``cpu``, ``cuda``."""
    precision: Name = "fp32"
    """``fp32``, ``bf16``, ``fp16``."""
    made_with: str = ""
    """For instance ``torch 2.13.0``."""

    @model_validator(mode="after")
    def _code_is_somewhere(self) -> Program:
        python = self.format == "python"
        if python and not _ENTRY.fullmatch(self.entry):
            raise ValueError(
                f"program {self.name!r}: entry {self.entry!r} given, expected 'package.module:name'"
            )
        if self.entry and not python:
            raise ValueError(
                f"program {self.name!r}: entry {self.entry!r} given, but only programs of format python have one"
            )
        if not self.file and not python:
            raise ValueError(
                f"program {self.name!r}: no file given, expected its path in the bundle"
            )
        if self.method and (python or not _IDENTIFIER.fullmatch(self.method)):
            expected = "none: a python program has an entry" if python else "an identifier"
            raise ValueError(
                f"program {self.name!r}: method {self.method!r} given, expected {expected}"
            )
        return self


class Example(_Data):
    """A pair in ``file`` (safetensors): ``input`` (1, C, ny, nx), normalised, and ``expected`` (1, C_out, ny, nx).

    Where the model has them, ``parameters`` (1, P + text.length) and ``noise.NAME`` (1, channels, ny, nx) stand beside;
    a model with a history has (1, history * C, ny, nx). All float32, as the program sees them; where there is a
    sampler, ``expected`` is of its preset.
    """

    file: str = "example.safetensors"
    tolerance: Positive
    """Largest |program(input) - expected| that still counts as the same model."""


class FileEntry(_Data):
    """Size and hash of one file of the bundle."""

    bytes: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Manifest(_Data):
    """The whole of `manifest.json`."""

    format: Schema = Field(default_factory=Schema)
    name: str
    description: str = ""
    created: str = ""
    """UTC, ISO 8601."""
    fields: list[FieldSpec] = Field(min_length=1)
    grid: Grid
    time: Time
    history: int = Field(default=1, ge=1, le=1000)
    """Frames that the program reads, (B, history * C, ny, nx), newest first, one time step apart."""
    parameters: list[Parameter] = Field(default_factory=list)
    noise: list[Noise] = Field(default_factory=list)
    sampler: Sampler | None = None
    """None: a program evaluates its net once."""
    text: Text | None = None
    """None: the model takes no caption."""
    locality: Locality
    programs: list[Program] = Field(min_length=1)
    guards: Guards = Field(default_factory=Guards)
    example: Example | None = None
    metrics: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, FileEntry]

    @model_validator(mode="after")
    def _names_agree(self) -> Manifest:
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError(f"fields: a name stands twice in {names}")
        noise = [entry.name for entry in self.noise]
        if len(set(noise)) != len(noise):
            raise ValueError(f"noise: a name stands twice in {noise}")
        self._guards_have_data(names)
        self._programs_are_the_samplers()
        self._guidance_is_a_parameter()
        for file in [program.file for program in self.programs if program.file] + (
            [self.example.file] if self.example else []
        ):
            if file not in self.files:
                raise ValueError(
                    f"files: {file!r} is used but has no entry (its size and hash are needed)"
                )
        return self

    def _guards_have_data(self, names: list[str]) -> None:
        """A guard is refused where no field holds what it decides by."""
        guards, predicted = self.guards, [f for f in self.fields if f.prediction is not None]
        for name in guards.bounds:
            if name not in names:
                raise ValueError(f"guards.bounds: no field {name!r}; the fields are {names}")
        needs = {
            "range": ("trained_range", any(f.trained_range for f in self.fields)),
            "statistics": ("trained_statistics", any(f.trained_statistics for f in self.fields)),
            "conserved": ("conserved: true and a prediction", any(f.conserved for f in predicted)),
            "jump": ("trained_jump and a prediction", any(f.trained_jump for f in predicted)),
            "spread": ("trained_jump and a prediction", any(f.trained_jump for f in predicted)),
        }
        for name, (key, known) in needs.items():
            if getattr(guards, name) is not None and not known:
                raise ValueError(f"guards.{name}: needs a field with {key}; this model has none")
        if guards.policy.conserved == "project" and not needs["conserved"][1]:
            raise ValueError(
                "guards.policy.conserved: 'project' needs a predicted field with conserved: true"
            )

    def _programs_are_the_samplers(self) -> None:
        """Every number of steps has programs, and every program a number of steps that the sampler knows."""
        if self.sampler is None:
            for program in self.programs:
                if program.steps is not None:
                    raise ValueError(
                        f"program {program.name!r}: steps {program.steps} given, but the manifest has no sampler"
                    )
            return
        known, made = self.sampler.steps, [program.steps for program in self.programs]
        for program in self.programs:
            if program.steps not in known:
                raise ValueError(
                    f"program {program.name!r}: steps {program.steps} given, expected one of sampler.steps {known}"
                )
        for steps in known:
            if steps not in made:
                raise ValueError(f"sampler.steps: no program makes {steps} steps; they make {made}")
        names = [program.name for program in self.programs]
        if len(set(names)) != len(names):
            raise ValueError(f"programs: a name stands twice in {names}")

    def _guidance_is_a_parameter(self) -> None:
        """Guidance reaches the program as its last scalar parameter."""
        if self.sampler is None:
            return
        names = [parameter.name for parameter in self.parameters]
        if self.sampler.guidance is None:
            if GUIDANCE in names:
                raise ValueError(
                    f"parameters: {GUIDANCE!r} given, but sampler.guidance is null: give its largest weight"
                )
            return
        expected = (0.0, self.sampler.guidance)
        if names[-1:] != [GUIDANCE] or self.parameters[-1].range != expected:
            raise ValueError(
                f"parameters: {names} given, expected {GUIDANCE!r} as the last one, of range {expected}, "
                "because sampler.guidance is given"
            )
        if names.count(GUIDANCE) > 1:
            raise ValueError(f"parameters: {GUIDANCE!r} stands twice in {names}")

    @property
    def parameter_columns(self) -> int:
        """Columns of the program's input ``parameters``: scalar parameters, then the words of a caption."""
        return len(self.parameters) + (self.text.length if self.text else 0)

    def programs_of(self, steps: int | None = None) -> list[Program]:
        """The programs that make so many steps, by default the sampler's preset; all where there is no sampler."""
        wanted = self.sampler.preset if self.sampler and steps is None else steps
        return [program for program in self.programs if program.steps == wanted]

    @property
    def input_channels(self) -> int:
        """Channels the program reads: all components of all fields, in order."""
        return sum(field.components for field in self.fields)

    @property
    def output_channels(self) -> int:
        """Channels the program returns: the components of the predicted fields, in order."""
        return sum(field.components for field in self.fields if field.prediction is not None)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Manifest:
        """Read and validate `manifest.json`.

        Raises
        ------
        CorruptError, SchemaError
            If it is not valid, or of a newer schema (both ValueErrors); the text names the file
            and the key.
        """
        path = Path(path)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise CorruptError(
                f"{path}: not valid JSON ({error}); the bundle is damaged, copy it again"
            ) from error
        schema = data.get("format") if isinstance(data, dict) else None
        version = schema.get("version") if isinstance(schema, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise SchemaError(
                f"{path}: written in manifest schema {version}, this installation reads up to {SCHEMA_VERSION}; "
                "install a newer surrogate, or export the bundle again with this one"
            )
        try:
            return cls.model_validate(data)
        except ValueError as error:
            raise CorruptError(f"{path}: {error}") from error

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write `manifest.json`, readable by people; keys that a model without a sampler needs none of are left out.

        So libraries from before samplers were added open such a bundle.
        """
        unused: dict[str, Any] = {
            key: True for key in ("sampler", "text") if getattr(self, key) is None
        }
        of_programs = {
            key
            for key, unset in (("steps", None), ("method", ""))
            if all(getattr(program, key) == unset for program in self.programs)
        }
        if of_programs:
            unused["programs"] = {"__all__": of_programs}
        text = self.model_dump_json(indent=2, exclude=unused)
        Path(path).write_text(text + "\n", encoding="utf-8")
