"""Training side of surrogate: data, models, methods, trainer, evaluation and export.

This package may import :mod:`surrogate`; the run time never imports this package.
"""
