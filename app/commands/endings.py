"""How a command ends: the one place where what goes wrong becomes a message and an exit code (docs/cli.md).

A reader that has enough, as ``| head`` has, is no failure, like in ``gh``: what it wanted it has. It could not be told
apart reliably either, for what fits into the pipe's buffer is written before anybody reads.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from traceback import walk_tb
from typing import IO, Any, Final

import click

from app.commands.exit_codes import ExitCode, of_error
from app.domain.errors import FieldError, HeadraceError

_PRINTERS: Final = frozenset({"click.utils", "rich.console"})
_WRONG_FILE: Final = (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)


class SaidError(click.ClickException):
    """What went wrong: a message for people, or with ``--json`` an object on standard error."""

    def __init__(
        self, message: str, code: int, *, as_json: bool, errors: Sequence[FieldError] = (), status: int | None = None
    ) -> None:
        super().__init__(message)
        self.exit_code = code
        self._as_json = as_json
        self._errors = errors
        self._status = status

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it."""
        if not self._as_json:
            super().show(file)
            return
        wrong = [{"path": one.path, "message": one.message} for one in self._errors]
        told = {"error": self.message, "exit_code": int(self.exit_code), "status": self._status, "errors": wrong}
        click.echo(json.dumps(told, ensure_ascii=False), err=True)


@contextmanager
def told(wants_json: Callable[[], bool]) -> Iterator[None]:
    """Run a command.

    Raises:
        SaidError: What went wrong that is not a bug of ours.
        SystemExit: It was ended from outside.
    """
    try:
        yield
    except HeadraceError as error:
        if isinstance(error.__context__, BrokenPipeError):
            _let_go_of_output()
        errors, status = getattr(error, "errors", ()), getattr(error, "status", None)
        raise SaidError(str(error), of_error(error), as_json=wants_json(), errors=errors, status=status) from None
    except BrokenPipeError:
        _let_go_of_output()
        raise SystemExit(ExitCode.DONE) from None
    except KeyboardInterrupt:
        raise _interrupted() from None
    except click.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # at a question, where the answer was not no
            raise _interrupted() from None
        raise
    except (OSError, RecursionError, UnicodeError) as error:
        message, code = _of_system(error)
        raise SaidError(message, code, as_json=wants_json()) from None


def _interrupted() -> SystemExit:
    with suppress(OSError):
        click.echo("\nInterrupted: what was done before stays done", err=True)
    return SystemExit(ExitCode.INTERRUPTED)


def ended(run: Callable[[], Any]) -> Any:
    """Run this process's command to its end, whatever standard error takes."""
    try:
        return run()
    except OSError:  # not even what went wrong can be said
        _let_go_of_output()
        raise SystemExit(ExitCode.FAILED) from None
    except KeyboardInterrupt:  # before there is a command
        raise SystemExit(ExitCode.INTERRUPTED) from None


def _of_system(error: OSError | RecursionError | UnicodeError) -> tuple[str, ExitCode]:
    """Return what is said of an error that is none of ours, and the exit code."""
    if isinstance(error, RecursionError):
        return "what was given nests too deeply", ExitCode.WRONG
    if isinstance(error, UnicodeEncodeError):
        _let_go_of_output()
        return f"standard output takes {error.encoding} only; set PYTHONIOENCODING=utf-8", ExitCode.FAILED
    if isinstance(error, UnicodeError):
        return "what was given is no text in UTF-8", ExitCode.WRONG
    return _of_os(error)


def _of_os(error: OSError) -> tuple[str, ExitCode]:
    why = error.strerror or str(error) or type(error).__name__
    if error.filename is None and _is_of_output(error):
        _let_go_of_output()
        return f"standard output cannot be written: {why}", ExitCode.FAILED
    if isinstance(error, ConnectionError | TimeoutError):
        return why, ExitCode.AWAY
    if isinstance(error, PermissionError) and _is_ours(str(error.filename)):
        home = "another user made it: run as that user, or set HEADRACE_HOME"
        return f"no permission for {error.filename}; {home}", ExitCode.FAILED
    wrong = isinstance(error, _WRONG_FILE) and error.filename is not None
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{why}", ExitCode.WRONG if wrong else ExitCode.FAILED


def _is_ours(file: str) -> bool:
    """Tell whether a file is of what ``headrace up`` keeps."""
    from app.processes.home import default_home  # noqa: PLC0415 - `--help` does without

    return file.startswith(str(default_home()))


def _is_of_output(error: OSError) -> bool:
    """Tell whether it is standard output that fails: the error came while something was printed."""
    return any(frame.f_globals.get("__name__") in _PRINTERS for frame, _ in walk_tb(error.__traceback__))


def _let_go_of_output() -> None:
    """Let what is left to write go nowhere, so that the interpreter does not fail on it once more at its end."""
    with suppress(OSError, ValueError):  # a test's has no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
