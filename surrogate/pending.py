"""A prediction that runs beside the solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate import _native
from surrogate.errors import ArgumentError


class Pending:
    """A prediction under way. Made by :meth:`Surrogate.predict_begin`.

    The arrays are borrowed until :meth:`wait` (or :meth:`finish`) returns: read the input, do not write it; leave the
    output alone. The model takes no other call until then.
    """

    def __init__(
        self, model: _native.Model, finish: Callable[[int], Any], partial_count: int
    ) -> None:
        self._model = model
        self._finish: Callable[[int], Any] | None = finish
        self._partial_count = partial_count  # of all states

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

    def partials(self) -> NDArray[np.float64]:
        """Wait for the program and take the sums that the guards decide by, of this rank's part of a domain.

        Add them over all ranks (``comm.Allreduce(MPI.IN_PLACE, sums, MPI.SUM)``) and give the totals to
        :meth:`finish`.

        Returns
        -------
        ndarray, shape (B * info.partial_count,), float64
            Sums over cells, for each state of the batch.

        Raises
        ------
        SurrogateError
            If the program failed: the prediction is over then, but the rank must still take part in the reduction
            (with NaN everywhere, the others reject).
        """
        self._check()
        sums = np.empty(self._partial_count)
        try:
            self._model.partials(sums)
        except BaseException:
            self._finish = None
            raise
        return sums

    def finish(self, totals: ArrayLike) -> Any:
        """What :meth:`wait` does, decided by the sums over all ranks: all of them come to the same verdict.

        Parameters
        ----------
        totals : array, shape (B * info.partial_count,), float64
            Sums of the :meth:`partials` of all ranks.

        Raises
        ------
        Rejected, SurrogateError
            As in :meth:`Surrogate.predict`; ArgumentError for another number of sums, and the prediction goes on.
        """
        finish = self._check()
        values = np.asarray(totals, np.float64)
        if values.shape != (self._partial_count,):
            raise ArgumentError(
                f"finish: totals of shape {values.shape}; expected ({self._partial_count},), as partials() returns"
            )
        self._finish = None
        return finish(self._model.finish(values))

    def _check(self) -> Callable[[int], Any]:
        if self._finish is None:
            raise ArgumentError("this prediction was waited for already; begin another")
        return self._finish
