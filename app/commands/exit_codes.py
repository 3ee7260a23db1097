"""What a command ends with, so that scripts need not read what it says (docs/cli.md)."""

from collections.abc import Mapping
from enum import IntEnum
from http import HTTPStatus
from typing import Final

from app.domain.errors import (
    ConflictError,
    HeadraceError,
    InvalidError,
    NotFoundError,
    NotPermittedError,
    StaleVersionError,
)


class ExitCode(IntEnum):
    """The exit codes.

    Attributes:
        DONE: It is done; also where there was nothing to do.
        FAILED: It is not; of ``diff``, ``check`` and ``status``: there are differences, or something is not well.
        WRONG: The command line, a file or a field in it is wrong; again does not help before somebody has mended it.
        NOT_FOUND: There is no such thing, or none that the caller may see.
        NOT_LET_IN: There is no token, it has expired, or it may not do this.
        AWAY: The API does not answer, is overloaded or failed; again may help.
        CONFLICT: It does not fit the state that the thing is in, or somebody else has changed it meanwhile.
        INTERRUPTED: Ctrl-C broke it off, as shells say of a signal: 128 and its number.
    """

    DONE = 0
    FAILED = 1
    WRONG = 2
    NOT_FOUND = 3
    NOT_LET_IN = 4
    AWAY = 5
    CONFLICT = 6
    INTERRUPTED = 130


def of_status(status: int) -> ExitCode:
    """Return the exit code of an answer that is an error."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return ExitCode.NOT_LET_IN
    if status in {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}:
        return ExitCode.CONFLICT
    if status == HTTPStatus.NOT_FOUND:
        return ExitCode.NOT_FOUND
    away = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    away |= status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
    return ExitCode.AWAY if away else ExitCode.WRONG


# What commands get from our services themselves, without the API between them.
_OF_ERRORS: Final[Mapping[type[HeadraceError], ExitCode]] = {
    InvalidError: ExitCode.WRONG,
    NotFoundError: ExitCode.NOT_FOUND,
    NotPermittedError: ExitCode.NOT_LET_IN,
    ConflictError: ExitCode.CONFLICT,
    StaleVersionError: ExitCode.CONFLICT,
}


def of_error(error: HeadraceError) -> int:
    """Return the exit code of an error of ours."""
    return next((code for kind, code in _OF_ERRORS.items() if isinstance(error, kind)), error.exit_code)
