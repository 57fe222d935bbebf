"""Section ``data``: which fields, from which files, split and augmented how."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from surrogate_training.config.captions import Captions
from surrogate_training.config.section import Location, Section


class FieldSpec(Section):
    """One field of the state and where it is stored.

    Attributes
    ----------
    name : str
        Name of the field, and by default of its dataset.
    dataset : str
        Path of the array (frames, ny, nx) in its file, or name of a recording's field; ``v[0]`` is the first component
        of ``v``. Empty means ``/name``.
    location : {"cell", "corner"}
        ``cell``: sample (j, i) is at ((i+1/2) dx, (j+1/2) dy); ``corner``: at (i dx, j dy).
    unit : str
        Unit of the values ("1" = dimensionless).
    description : str
        For people.
    conserved : bool
        Whether its integral over the domain is constant in time.
    positive : bool
        Whether it can only be positive; the guards then refuse what falls far below the training data.
    condition : bool
        Read at t1, never predicted: a flow that drives the system, a source.
    interval : bool
        A condition stored with t1 that is a mean over (t1, t2); pairs of other strides are then refused.
    scaling : {"linear", "asinh"}
        What the net sees, and for method ``pix2pix`` predicts: u, or asinh(u / softening).
    softening : float
        Where asinh turns from linear to logarithmic, in the field's unit.
    fill : float
        What stands in cells without data (``data.missing: mask``), in the field's unit; best a typical value.
    """

    name: str
    dataset: str = ""
    location: Location = "cell"
    unit: str = "1"
    description: str = ""
    conserved: bool = False
    positive: bool = False
    condition: bool = False
    interval: bool = False
    scaling: Literal["linear", "asinh"] = "linear"
    softening: float = Field(default=1.0, gt=0)
    fill: float = 0.0

    @property
    def path(self) -> str:
        """HDF5 path of the field."""
        return self.dataset or f"/{self.name}"

    @model_validator(mode="after")
    def _kinds_agree(self) -> FieldSpec:
        if self.interval and not self.condition:
            raise ValueError(f"field {self.name!r}: interval needs condition: true")
        if self.condition and self.conserved:
            raise ValueError(f"field {self.name!r}: a condition is not predicted, so not conserved")
        return self


class ParameterSpec(Section):
    """A scalar that the generator is conditioned on, besides the fields (FiLM).

    Attributes
    ----------
    name : str
        ``dt`` is the time from t1 to t2; any other is a scalar of the file (``scalars/NAME`` of a recording, an
        attribute or a FITS keyword).
    unit : str
        Unit of the values ("1" = dimensionless).
    """

    name: str
    unit: str = "1"


class Generate(Section):
    """The command that makes the data set when it is missing.

    Placeholders in ``command``: ``{python}``, ``{root}`` (repository), ``{path}`` (the data folder),
    and ``{NAME}`` for each name in ``requires``.

    Attributes
    ----------
    command : tuple of str
        Program and arguments.
    requires : dict of str to str
        NAME → file path (may use ``{root}``) that must exist; the environment variable NAME overrides it.
    hint : str
        What to do when a required file is missing.
    """

    command: tuple[str, ...]
    requires: dict[str, str] = Field(default_factory=dict)
    hint: str = ""


class Split(Section):
    """How many whole trajectories are held out: the last ones by name, or drawn with ``seed``."""

    validation: int = Field(default=40, ge=0)
    test: int = Field(default=40, ge=0)
    seed: int | None = None


class PairLists(Section):
    """Pairs that ``surrogate data split`` has listed, in place of a pattern and a split by number.

    Each is a ``pairs.csv``, relative to ``path``; files in it are relative to its own folder. Without ``validation``
    every tenth region of ``train`` (at least one) is held out of it.
    """

    train: str
    test: str
    validation: str = ""


class Augment(Section):
    """Exact symmetries of the equations that training samples are drawn with.

    Attributes
    ----------
    translate, dihedral : bool
        Periodic shifts; the eight rotations and reflections of the square.
    flip : tuple of {"x", "y"}
        Reflections alone, where rotations are no symmetry (a magnetogram's axes are longitude and latitude). Where it
        is given, ``dihedral`` is false.
    negate : tuple of str
        Fields that change sign together (B → -B is ``[az]``).
    vectors : tuple of pairs of str
        (x, y) components of polar vectors, e.g. ``[[vx, vy]]``: a reflection turns the sign of its own axis' component.
    axial : tuple of triples of str
        (x, y, z) components of axial vectors, e.g. ``[[bx, by, bz]]`` of a magnetic field; an empty name is a component
        that is not there. A reflection turns the signs of the two components that are *not* along its axis. The table
        of all signs stands in :mod:`surrogate_training.data.symmetry`.
    """

    translate: bool = True
    dihedral: bool = True
    flip: tuple[Literal["x", "y"], ...] = ()
    negate: tuple[str, ...] = ()
    vectors: tuple[tuple[str, str], ...] = ()
    axial: tuple[tuple[str, str, str], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _flip_alone(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("flip"):
            if given.get("dihedral"):
                raise ValueError(
                    "flip and dihedral: true exclude each other: dihedral has all reflections, and rotations besides; "
                    "leave one out"
                )
            return {**given, "dihedral": False}
        return given

    @model_validator(mode="after")
    def _signs_are_known(self) -> Augment:
        for x, y, z in self.axial:
            if self.dihedral and bool(x) != bool(y):
                raise ValueError(
                    f"axial {[x, y, z]}: a rotation turns x into y, and one of them is missing; name both, or draw "
                    "reflections alone: flip: [x, y]"
                )
        signed = [n for group in (*self.vectors, *self.axial) for n in group if n]
        if twice := {n for n in signed if signed.count(n) > 1}:
            raise ValueError(f"vectors and axial name {min(twice)!r} twice: it has one sign rule")
        return self

    @property
    def names(self) -> set[str]:
        """Every field that a rule names."""
        components = {name for group in (*self.vectors, *self.axial) for name in group if name}
        return set(self.negate) | components


class Data(Section):
    """Where pairs come from: files of frames, each a trajectory; consecutive frames are pairs.

    Attributes
    ----------
    path, pattern : str
        Folder (relative to the repository) and pattern of the files.
    pairs : PairLists, optional
        Lists of pairs instead; ``pattern`` and ``split`` are then unused.
    mapping : str
        YAML file (relative to the repository) that says where an HDF5 or Zarr file of another layout keeps fields,
        times and axes; see :mod:`surrogate.io.layout`.
    fields : tuple of FieldSpec
        In the order of the program's channels.
    parameters : tuple of ParameterSpec
        Scalar inputs of the generator.
    captions : Captions, optional
        What a pair is about, in words: a further input of the generator.
    stride, strides : int, tuple of int
        Frames from t1 to t2; several strides need the parameter ``dt``.
    missing : {"refuse", "mask"}
        What NaN means: a file that is refused, or cells without data (off the limb), which become the field's ``fill``
        and have no weight in the loss and the scores.
    cached : bool
        Keep all frames in memory.
    """

    path: str
    pattern: str = "trajectory_*.h5"
    pairs: PairLists | None = None
    mapping: str = ""
    fields: tuple[FieldSpec, ...]
    parameters: tuple[ParameterSpec, ...] = ()
    captions: Captions | None = None
    stride: int = Field(default=1, ge=1, description="frames from t1 to t2")
    strides: tuple[int, ...] = ()
    missing: Literal["refuse", "mask"] = "refuse"
    cached: bool = True
    split: Split = Split()
    augment: Augment = Augment()
    generate: Generate | None = None

    @model_validator(mode="after")
    def _strides(self) -> Data:
        if min(self.jumps) < 1:
            raise ValueError(f"strides {self.strides}: a stride is at least 1")
        if len(self.jumps) > 1 and "dt" not in {p.name for p in self.parameters}:
            raise ValueError(f"strides {self.strides}: several jumps need the parameter dt")
        averaged = [f.name for f in self.fields if f.interval]
        if averaged and self.jumps != (1,):
            raise ValueError(
                f"field {averaged[0]!r} is a mean over one interval, so stride must be 1; given {self.jumps}"
            )
        return self

    @property
    def jumps(self) -> tuple[int, ...]:
        """The strides that pairs are made with."""
        return self.strides or (self.stride,)
