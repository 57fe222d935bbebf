"""The command line ``surrogate``: one file a subcommand. Exit codes: 0 done, 1 refused or failed a check, 2 error.

Only here is anything printed.
"""

from surrogate.cli.main import app, main

__all__ = ["app", "main"]
