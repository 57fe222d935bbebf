"""Calls a Python program of a bundle; inside the interpreter, with its lock held, by engine.cpp.

A program is ``package.module:name``. Without a file of the bundle the module is imported; with one, that source, whose
hash was checked, is run as a module under a private name (it cannot import other files of the bundle).

``name`` is a function, or a class or factory that is a class: a class is made once, at load, and its object is called.

    name(state, [parameters,] [noise, ...] [context=context]) -> array

state : ndarray, shape (B, C, ny, nx), float32, normalised
    Of the manifest's fields, as any program sees them; then parameters (B, P) and noise (B, channels, ny, nx) where
    the manifest has them. All are read-only views of the solver's memory (or of the library's, where it had to pack),
    valid during the call only: a call that leaves a reference to one behind fails.
context : Context
    Handed over by keyword where the callable (the class too) has a parameter of that name.

It returns (B, C_out, ny, nx): anything that ``numpy.asarray`` takes, of a real dtype; C-ordered float32 costs no copy.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import inspect
import itertools
import json
import linecache
import operator
import sys
import traceback
import types
import weakref
from collections.abc import Callable, Sequence
from typing import Any

HERE = "<surrogate python engine>"  # this file's name in tracebacks, given by engine.cpp
HEAD, TAIL = (
    700,
    2300,
)  # characters of a long traceback that are kept: room for the library's own words beside it
_numbers = itertools.count(1)


class Context:
    """What a program may know beside its inputs.

    Attributes
    ----------
    device : str
        ``cpu``, ``cuda:0``: where the host asked the program to compute. Inputs and result are in host memory.
    threads : int
        CPU threads the host asked for; 0: as the process has them.
    options : dict
        The whole of ``engine_options``.
    communicator : int or None
        ``engine_options["communicator"]``, handed on untouched: a Fortran handle, for ``MPI.Comm.f2py``.
    """

    __slots__ = ("communicator", "device", "options", "threads")

    def __init__(self, device: str, threads: int, options: dict[str, Any]) -> None:
        self.device, self.threads, self.options = device, threads, options
        self.communicator = options.get("communicator")
        if type(self.communicator) not in (int, type(None)):
            raise RefusalError(
                f"engine_options.communicator {self.communicator!r} given, expected an integer handle "
                "(MPI_Comm_c2f in C, the communicator itself in Fortran, comm.py2f() in Python)"
            )


class RefusalError(Exception):
    """A failure whose text says all; no traceback."""


class Program:
    """A loaded program.

    Parameters
    ----------
    entry : str
        ``package.module:name``.
    source : memoryview or None
        Of the bundle's file; borrowed during load.
    path : str
        Its name in tracebacks.
    device, threads, options : str, int, str
        Of the open call; options as JSON.
    flush : bool
        Flush Python's own streams after each call: an interpreter that never ends does not do it at exit.
    """

    def __init__(
        self,
        entry: str,
        source: memoryview | None,
        path: str,
        device: str,
        threads: int,
        options: str,
        flush: int,
    ) -> None:
        import numpy as np  # here, not above: its absence is a failure with a text

        self.np, self.entry, self.flush, self.private, self.path = np, entry, flush, "", path
        context = Context(device, threads, json.loads(options))
        name, _, attribute = entry.partition(":")
        module = (
            importlib.import_module(name)
            if source is None
            else self._run_source(name, bytes(source))
        )
        try:
            target = operator.attrgetter(attribute)(module)
            if inspect.isclass(target):
                target = target(**_context_for(target, context))
            if not callable(target):
                raise RefusalError(
                    f"{entry} is a {type(target).__name__}, expected something callable"
                )
        except BaseException:
            self.close()
            raise
        self.call, self.keywords = target, _context_for(target, context)

    def _run_source(self, name: str, source: bytes) -> types.ModuleType:
        self.private = f"_surrogate_{next(_numbers)}_{name.replace('.', '_')}"
        module = types.ModuleType(self.private)
        module.__file__ = self.path
        sys.modules[self.private] = module  # dataclasses and pickle look their module up
        text = importlib.util.decode_source(source)
        linecache.cache[self.path] = (len(source), None, text.splitlines(keepends=True), self.path)
        try:
            exec(compile(source, self.path, "exec", dont_inherit=True), module.__dict__)
        except BaseException:
            self.close()
            raise
        return module

    def close(self) -> None:
        """Forget the module that the bundle's source became."""
        if self.private:
            sys.modules.pop(self.private, None)
            linecache.cache.pop(self.path, None)

    def run(
        self, views: Sequence[memoryview], shapes: Sequence[tuple[int, ...]]
    ) -> tuple[str, bool, Any, int, tuple[int, ...]]:
        """Call the program on memory `views` of float32 arrays of these shapes.

        Returns
        -------
        (text, interrupted, array, address, shape)
            text is "" if it succeeded; interrupted: it was Ctrl-C that ended it. The array owns the memory.
        """
        try:
            array = self._array(views, shapes)
        except BaseException as error:  # SystemExit too: a program cannot end its host
            return describe(error), isinstance(error, KeyboardInterrupt), None, 0, ()
        finally:
            if self.flush:
                _flush()
        return "", False, array, array.__array_interface__["data"][0], array.shape

    def _array(self, views: Sequence[memoryview], shapes: Sequence[tuple[int, ...]]) -> Any:
        float32 = self.np.float32
        inputs = [
            self.np.ndarray(shape, float32, view) for view, shape in zip(views, shapes, strict=True)
        ]
        given = [weakref.ref(array) for array in inputs]
        array = self._dense(self.call(*inputs, **self.keywords), inputs)
        inputs.clear()
        if any(array() is not None for array in given):
            gc.collect()  # a cycle may hold them
            if any(array() is not None for array in given):
                raise RefusalError(
                    f"{self.entry} keeps a reference to an input beyond its call, but that memory is the solver's; "
                    "keep a copy (numpy.array(state)) instead"
                )
        return array

    def _dense(self, result: Any, inputs: Sequence[Any]) -> Any:
        """The result as a C-ordered float32 array (B, C_out, ny, nx) that shares no memory with an input."""
        np, float32 = self.np, self.np.float32
        found = np.asarray(result)
        if not np.can_cast(found.dtype, float32, "same_kind"):
            raise RefusalError(
                f"{self.entry} returned {type(result).__name__} of dtype {found.dtype}, "
                "expected an array of real numbers"
            )
        batch, _, *grid = inputs[0].shape
        if found.ndim != inputs[0].ndim or [found.shape[0], *found.shape[2:]] != [batch, *grid]:
            expected = ", ".join(map(str, [batch, "C", *grid]))
            raise RefusalError(
                f"{self.entry} returned shape {found.shape}, expected ({expected}): batch and grid of its input"
            )
        array = np.ascontiguousarray(found, float32)
        if any(np.may_share_memory(array, entry) for entry in inputs):
            array = array.copy()
        return array


def load(*arguments: Any) -> tuple[str, Program | None]:
    """A Program: (text, program), text "" if it succeeded."""
    try:
        return "", Program(*arguments)
    except BaseException as error:
        return describe(error), None
    finally:
        if arguments[-1]:
            _flush()


def describe(error: BaseException) -> str:
    """A traceback without this file's frames; of a long one beginning and end."""
    if isinstance(error, RefusalError):
        return str(error)
    first = error.__traceback__
    while first is not None and first.tb_frame.f_code.co_filename == HERE:
        first = first.tb_next
    text = "".join(traceback.format_exception(type(error), error, first)).rstrip()
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]}\n[...]\n{text[-TAIL:]}"
    return text


def _context_for(target: Callable[..., Any], context: Context) -> dict[str, Context]:
    """The keyword argument `context`, where the callable has a parameter of that name."""
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):  # some callables written in C do not tell
        return {}
    return {"context": context} if "context" in parameters else {}


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # none, or closed
            stream.flush()
