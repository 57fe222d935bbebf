"""A prediction that runs beside the solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from surrogate import _native
from surrogate.errors import ArgumentError


class Pending:
    """A prediction under way. Made by :meth:`Surrogate.predict_begin`.

    The arrays are borrowed until :meth:`wait` returns: read the input, do not write it; leave the
    output alone. The model takes no other call until then.
    """

    def __init__(self, model: _native.Model, finish: Callable[[int], Any]) -> None:
        self._model = model
        self._finish: Callable[[int], Any] | None = finish

    def done(self) -> bool:
        """Whether :meth:`wait` would return at once.

        Raises
        ------
        ArgumentError
            If it was waited for already, or the model is closed.
        """
        self._check()
        return self._model.test()

    def wait(self) -> Any:
        """Wait for the program and return what :meth:`Surrogate.predict` would; once only.

        Raises
        ------
        Rejected, SurrogateError
            As in :meth:`Surrogate.predict`.
        ArgumentError
            If it was waited for already, or the model is closed.
        """
        finish = self._check()
        self._finish = None
        return finish(self._model.wait())

    def _check(self) -> Callable[[int], Any]:
        if self._finish is None:
            raise ArgumentError("this prediction was waited for already; begin another")
        return self._finish
