"""An opened bundle: how it comes and goes, and what it says of itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, Self

from surrogate import _native
from surrogate.closing import Closing
from surrogate.errors import Rejection
from surrogate.facts import (
    FieldInfo,
    Info,
    ParameterInfo,
    Statistics,
    Verification,
    quantity_text,
)
from surrogate.opening import SearchPath, open_options
from surrogate.paths import find_bundle
from surrogate.state import Layout


class Handle(Closing):
    """What :class:`Surrogate` is besides its predictions."""

    def __init__(self, native: _native.Model) -> None:
        self._native = native
        self.info: Info = Info(**native.info())
        """What was opened, and what it accepts."""
        self.fields: tuple[FieldInfo, ...] = tuple(FieldInfo(**entry) for entry in native.fields())
        """The fields of a state, in the manifest's order."""
        self.parameters: tuple[ParameterInfo, ...] = tuple(
            ParameterInfo(**entry) for entry in native.parameters()
        )
        """The scalar parameters, in the manifest's order."""
        self._layout = Layout(self.fields, self.info.spatial_rank)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        engine: str = "auto",
        program: str | None = None,
        device: str = "cpu",
        precision: str | None = None,
        threads: int = 0,
        verify: Literal["hashes", "example"] = "hashes",
        guards: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        engine_path: SearchPath | None = None,
        engine_options: Mapping[str, Any] | None = None,
        overlay: str | os.PathLike[str] | None = None,
        record_calls: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Open a bundle; what the library has to say goes to the logger ``surrogate``.

        Parameters
        ----------
        path : path or str
            The folder ``NAME.surrogate``, or the name of a bundle that comes with the package.
        engine : str
            ``torch``, ``stub``, ``python``, or ``auto``: that of the fastest program that can run.
            ``auto`` never runs Python code of a bundle; ``python`` does, in this interpreter.
            ``none`` loads no program and predicts nothing: for facts, and for a rank whose program another runs.
        program : str, optional
            A program's name in the manifest or the overlay.
        device : str
            ``cpu``, ``cuda``, ``cuda:1``.
        precision : str, optional
            ``fp32``, ``bf16``, ``fp16``; default: the chosen program's.
        threads : int
            CPU threads of a prediction; 0: what the engine finds.
        verify : str
            ``hashes``, or ``example`` to replay the example pair too.
        guards : mapping, or path of a JSON file, optional
            Replaces guards of the manifest key by key; None removes one: ``{"bounds": {"rho": {"lower": 0}},
            "jump": None, "policy": {"conserved": "project"}}``. Keys as in the manifest.
        engine_path : path or sequence of paths, optional
            Folders searched for engines before ``SURROGATE_ENGINE_PATH``.
        engine_options : mapping, optional
            Handed to the engine; for ``python``: ``communicator`` (``comm.py2f()``), the rest is the program's own.
        overlay : path, optional
            Folder of the programs that ``surrogate lower`` made for this machine; default: the
            user's (``$SURROGATE_OVERLAY``, else ``surrogate/overlay`` in the cache); ``""``: none.
        record_calls : path, optional
            A recording of input and output of every accepted prediction, frames of a rollout included
            and ensembles not, for ``surrogate verify BUNDLE --replay FILE``; closing the model
            finishes it. A call that cannot be stored is counted in `statistics`, logged once, and
            predicts as ever.

        Raises
        ------
        SurrogateError
            Its subclasses: NotFoundError, CorruptError, SchemaError, EngineError, ArgumentError.
        """
        options = open_options(
            engine=engine,
            program=program,
            device=device,
            precision=precision,
            threads=threads,
            verify=verify,
            guards=guards,
            engine_path=engine_path,
            engine_options=engine_options,
            overlay=overlay,
            record_calls=record_calls,
        )
        return cls(_native.Model.open(os.fsencode(find_bundle(path)), options))

    @classmethod
    def open_memory(cls, files: Mapping[str, bytes], **options: Any) -> Self:
        """Open a bundle that is in memory already, for instance read by another MPI rank.

        Parameters
        ----------
        files : mapping of str to bytes
            Content by path inside the bundle, ``manifest.json`` among them.
        **options
            Keywords of :meth:`open`.

        Raises
        ------
        SurrogateError
            As in :meth:`open`.
        """
        return cls(_native.Model.open_memory(list(files.items()), open_options(**options)))

    def verify(self) -> Verification:
        """Hash every file of the bundle and replay its example pair.

        Raises
        ------
        CorruptError
            If a file's hash is wrong.
        UnsupportedError
            If the bundle has no example.
        """
        return Verification(**self._native.verify())

    @property
    def time_step(self) -> float:
        """``t2 - t1``, in ``info.time_unit``."""
        return self.info.time_step

    @property
    def statistics(self) -> Statistics:
        """Counters since open."""
        return Statistics(**self._native.statistics())

    @property
    def last_rejection(self) -> Rejection | None:
        """What the last rejection was about; None if nothing was ever rejected."""
        rejection = self._rejection()
        return None if rejection.reason == "NONE" else rejection

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._native.closed

    def close(self) -> None:
        """Free what the model holds; takes effect when a prediction of another thread returns."""
        self._native.close()

    def __repr__(self) -> str:
        info = self.info
        names = ", ".join(field.name for field in self.fields)
        state = "closed" if self.closed else f"{info.engine}/{info.program} on {info.device}"
        jump = quantity_text(info.time_step, info.time_unit)
        return f"<Surrogate {info.name}: fields {names}; time step {jump}; {state}>"

    def _rejection(self) -> Rejection:
        facts = self._native.last_rejection()
        facts["reason"] = facts["reason"].removeprefix("SURROGATE_REASON_")
        return Rejection(**facts)
