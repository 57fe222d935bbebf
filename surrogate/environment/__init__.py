"""What this machine offers: the findings of ``surrogate doctor``."""

from surrogate.environment.findings import Finding, Section, as_dict
from surrogate.environment.report import diagnose

__all__ = ["Finding", "Section", "as_dict", "diagnose"]
