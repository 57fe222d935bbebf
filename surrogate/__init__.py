"""Call trained field-to-field models in place of many solver steps.

>>> from surrogate import Rejected, Surrogate
>>> model = Surrogate.open("flow.surrogate")            # doctest: +SKIP
>>> frame = model.predict(field)                        # doctest: +SKIP
"""

try:
    from surrogate._native import version as _version
except ModuleNotFoundError as error:
    if error.name != "surrogate._native":
        raise
    raise ImportError(
        f"surrogate was imported from {__path__[0]}, which holds no compiled module: that is the "
        "source tree. Install it there (pip install --no-build-isolation -e .), or run from "
        "another folder so that the installed package is found."
    ) from error

from surrogate.ensemble import Ensemble
from surrogate.errors import Rejected, Rejection, SurrogateError
from surrogate.facts import FieldInfo, Info, ParameterInfo, Statistics, Verification
from surrogate.model import Surrogate
from surrogate.pending import Pending
from surrogate.recorder import Recorder

__version__ = _version()

__all__ = [
    "Ensemble",
    "FieldInfo",
    "Info",
    "ParameterInfo",
    "Pending",
    "Recorder",
    "Rejected",
    "Rejection",
    "Statistics",
    "Surrogate",
    "SurrogateError",
    "Verification",
    "__version__",
]
