"""A model, or a recording, of a domain that lies in blocks on the ranks of MPI: faces of libsurrogate_mpi.

Importing this loads neither MPI nor mpi4py: :meth:`surrogate.Surrogate.open` with ``comm=`` does.
"""

from surrogate.mpi.decomposition import Decomposition
from surrogate.mpi.library import Communicator
from surrogate.mpi.model import DistributedSurrogate, Mode
from surrogate.mpi.recorder import DistributedRecorder
from surrogate.mpi.report import Report

__all__ = [
    "Communicator",
    "Decomposition",
    "DistributedRecorder",
    "DistributedSurrogate",
    "Mode",
    "Report",
]
