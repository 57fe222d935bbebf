"""The application: finds subcommands when they are needed, and turns errors into one line and exit code 2."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from surrogate import _native
from surrogate.cli.output import REJECTED, emit_json, fail, failure, json_wanted
from surrogate.errors import Rejected, SurrogateError

ENTRY_POINTS = "surrogate.commands"
# Name of a subcommand, and where its function or typer application stands. Other packages add theirs through
# the entry-point group above; nothing is imported before it is asked for.
COMMANDS = {
    "bench": "surrogate.cli.bench:app",
    "demo": "surrogate.cli.demo:demo",
    "doctor": "surrogate.cli.doctor:doctor",
    "engine": "surrogate.cli.engine:app",
    "info": "surrogate.cli.info:info",
    "lower": "surrogate.cli.lower:lower",
    "predict": "surrogate.cli.predict:predict",
    "rollout": "surrogate.cli.rollout:rollout",
    "verify": "surrogate.cli.verify:verify",
}


class Commands(TyperGroup):
    """Subcommands by name, imported when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all subcommands."""
        return sorted(_targets())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The subcommand of that name, or None."""
        target = _targets().get(cmd_name)
        if target is None:
            return None
        try:
            return _command(cmd_name, _load(target))
        except ImportError as error:
            return _command(cmd_name, _unavailable(cmd_name, error))

    def invoke(self, ctx: Any) -> Any:
        """Run, and say in one line what went wrong."""
        try:
            return super().invoke(ctx)
        except Rejected as refused:
            _fail(ctx, REJECTED, refused.reason, _refusal(refused), code=1)
        except SurrogateError as error:
            _fail(ctx, _native.status_name(error.status), None, str(error), code=2)
        except BrokenPipeError:
            raise  # the reader has gone: no error
        except OSError as error:
            _fail(ctx, "FAILED", None, str(error), code=2)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        import surrogate

        print(surrogate.__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Call trained field-to-field models in place of many solver steps."""


def main() -> None:
    """Entry point of the command ``surrogate``."""
    try:
        app(prog_name="surrogate")
    except KeyboardInterrupt:
        sys.exit(130)


def _targets() -> dict[str, str]:
    """Where every subcommand stands: ``module:object`` by name."""
    found = {
        entry.name: entry.value for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)
    }
    return {**found, **{name: target for name, target in COMMANDS.items() if _exists(target)}}


def _exists(target: str) -> bool:
    return importlib.util.find_spec(target.partition(":")[0]) is not None


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _command(name: str, target: Any) -> Any:
    """A function, or a typer application, as a subcommand."""
    if isinstance(target, typer.Typer):
        command = typer.main.get_command(target)
    else:
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(target)
        command = typer.main.get_command(alone)
    command.name = name
    return command


def _fail(ctx: Any, status: str, reason: str | None, text: str, *, code: int) -> NoReturn:
    if json_wanted(ctx):
        emit_json(failure(status, reason, text))
    fail(f"{'rejected' if status == REJECTED else 'error'}: {text}", code=code)


def _refusal(refused: Rejected) -> str:
    """The library's text without the function's name and the verdict that stand before it."""
    _, mark, what = str(refused).partition("rejected: ")
    return what if mark else str(refused)


def _unavailable(name: str, error: ImportError) -> Callable[[], None]:
    def command() -> None:
        fail(
            f"error: surrogate {name} cannot be loaded: {error}; install what it needs "
            "(for training: the extra [training] of the package)",
            code=2,
        )

    command.__doc__ = f"(cannot be loaded: {error})"
    return command
