"""The sections of a recipe: frozen, validated data."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Location = Literal["cell", "corner"]
Boundary = Literal["periodic", "replicate", "zero"]


class Section(BaseModel):
    """Base of every section: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldSpec(Section):
    """One field of the state and where it is stored.

    Attributes
    ----------
    name : str
        Name of the field, and by default of its dataset.
    dataset : str
        HDF5 path of the array (frames, ny, nx), or name of a recording's field; ``v[0]`` is the first component
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
    """

    name: str
    dataset: str = ""
    location: Location = "cell"
    unit: str = "1"
    description: str = ""
    conserved: bool = False
    positive: bool = False

    @property
    def path(self) -> str:
        """HDF5 path of the field."""
        return self.dataset or f"/{self.name}"


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


class Augment(Section):
    """Exact symmetries of the equations that training samples are drawn with.

    Attributes
    ----------
    translate, dihedral : bool
        Periodic shifts; the eight rotations and reflections of the square.
    negate : tuple of str
        Fields that change sign together (B → -B is ``[az]``).
    vectors : tuple of pairs of str
        (x, y) components of polar vectors, e.g. ``[[vx, vy]]``.
    """

    translate: bool = True
    dihedral: bool = True
    negate: tuple[str, ...] = ()
    vectors: tuple[tuple[str, str], ...] = ()


class Data(Section):
    """Where pairs come from: one HDF5 file a trajectory, consecutive frames are pairs."""

    path: str
    pattern: str = "trajectory_*.h5"
    fields: tuple[FieldSpec, ...]
    stride: int = Field(default=1, ge=1, description="frames from t1 to t2")
    cached: bool = True
    split: Split = Split()
    augment: Augment = Augment()
    generate: Generate | None = None


class Curl(Section):
    """A feature: the two face-centred components of curl(A_z), scaled to unit variance."""

    curl: str


Feature = str | Curl


class Model(Section):
    """The generator. Widths go from the finest level to the coarsest.

    ``levels``, ``base``, ``norm``, ``dropout`` and ``tanh`` are of kind ``unet``; ``stem`` to ``activation`` of
    ``residual_unet``.
    """

    kind: Literal["residual_unet", "unet"] = "residual_unet"
    features: tuple[Feature, ...] = ()
    stem: int = Field(default=2, ge=1)
    widths: tuple[int, ...] = (32, 96, 128)
    encoder_blocks: tuple[int, ...] = (1, 2, 2)
    decoder_blocks: tuple[int, ...] = (1, 2)
    activation: Literal["silu", "gelu"] = "silu"
    boundary: tuple[Boundary, Boundary] = ("periodic", "periodic")
    smoothing: int = Field(default=4, ge=0, description="radius of the potential head's filter")
    levels: int = Field(default=8, ge=2, description="halvings of kind unet (pix2pix)")
    base: int = Field(default=64, ge=1, description="channels of its first level")
    norm: Literal["batch", "instance", "none"] = "batch"
    dropout: bool = False
    tanh: bool = False

    @model_validator(mode="after")
    def _levels(self) -> Model:
        n = len(self.widths)
        if len(self.encoder_blocks) != n or len(self.decoder_blocks) != n - 1:
            raise ValueError(
                f"widths has {n} levels, so encoder_blocks needs {n} entries and decoder_blocks "
                f"{n - 1}; given {len(self.encoder_blocks)} and {len(self.decoder_blocks)}"
            )
        return self

    @property
    def multiple(self) -> int:
        """Ny and nx must be multiples of this."""
        if self.kind == "unet":
            return int(2**self.levels)
        return int(self.stem * 2 ** (len(self.widths) - 1))


class Method(Section):
    """What is minimised."""

    kind: Literal["regression"] = "regression"
    loss: Literal["relative_l2", "mse"] = "relative_l2"
    noise: float = Field(
        default=0.005, ge=0, description="input noise in units of each field's std"
    )
    potential_weight: float = Field(default=0.25, ge=0, description="weight of A_z itself")


class Optimiser(Section):
    """AdamW with warm-up, cosine decay, clipping and an exponential moving average.

    The rate rises over ``warmup`` steps, is constant until step ``hold`` and falls as half a cosine until the
    last. While a run has not passed ``hold`` it may be resumed with another number of ``steps``: the result is
    that of a run which had it from the start.
    ``shards`` parts of a batch are worked on at the same time, one thread each.
    """

    steps: int = Field(ge=1)
    batch: int = Field(default=8, ge=1)
    shards: int = Field(default=2, ge=1)
    learning_rate: float = Field(default=1.5e-3, gt=0)
    final_learning_rate: float = Field(default=1e-6, ge=0)
    warmup: int = Field(default=200, ge=0)
    hold: int = Field(default=0, ge=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = Field(default=1.0, gt=0)
    ema: float = Field(default=0.999, ge=0, lt=1)
    precision: Literal["fp32", "bf16"] = "fp32"


class Run(Section):
    """Where and how often; nothing here changes what is learned (threads: up to rounding)."""

    device: str = "cpu"
    threads: int = Field(default=2, ge=1)
    log_every: int = Field(default=20, ge=1)
    validate_every: int = Field(default=500, ge=1)
    validation_pairs: int = Field(default=80, ge=1)
    checkpoint_every: int = Field(default=200, ge=1)


class Physics(Section):
    """What the manifest says about the system, besides what the data files say."""

    equations: str = ""
    time_unit: str = "1"
    length_unit: str = "1"


class Recipe(Section):
    """One training run, complete."""

    name: str
    description: str = ""
    seed: int = Field(default=0, ge=0)
    data: Data
    model: Model = Model()
    method: Method = Method()
    optimiser: Optimiser
    run: Run = Run()
    physics: Physics = Physics()

    @model_validator(mode="after")
    def _names(self) -> Recipe:
        names = [f.name for f in self.data.fields]
        if len(set(names)) != len(names):
            raise ValueError(f"data.fields names a field twice: {names}")
        used = {f if isinstance(f, str) else f.curl for f in self.model.features}
        used |= set(self.data.augment.negate) | {v for p in self.data.augment.vectors for v in p}
        if unknown := sorted(used - set(names)):
            raise ValueError(f"unknown field {unknown[0]!r}; data.fields has {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _shards(self) -> Recipe:
        if self.optimiser.batch % self.optimiser.shards:
            raise ValueError(
                f"optimiser.batch ({self.optimiser.batch}) must be a multiple of optimiser.shards "
                f"({self.optimiser.shards})"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(f.name for f in self.data.fields)

    @property
    def potentials(self) -> tuple[str, ...]:
        """Fields that the model sees only through their curl."""
        return tuple(f.curl for f in self.model.features if isinstance(f, Curl))
