"""A report as one HTML file that needs nothing else: style inside, figures as data."""

from __future__ import annotations

import base64
from importlib.resources import files

from surrogate_training.report.contents import Report


def to_html(report: Report) -> str:
    """Fill the template.

    Raises
    ------
    ImportError
        If jinja2 is missing.
    """
    try:
        from jinja2 import Environment
    except ImportError as error:
        raise ImportError(
            "a report needs jinja2: install the extra [training] of the package"
        ) from error
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    template = files(__package__).joinpath("template.html").read_text(encoding="utf-8")
    return environment.from_string(template).render(report=report)
