"""What says where the API is and who calls it, checked before anything is asked: a wrong one is named, never shown."""

import os
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from app.commands.exit_codes import ExitCode
from app.domain.errors import SetupError

API_URL: Final = "HEADRACE_API_URL"
API_TOKEN: Final = "HEADRACE_API_TOKEN"  # noqa: S105 - a variable's name
_VISIBLE: Final = re.compile(r"[!-~]+")
_SCHEMES: Final = frozenset({"http", "https"})


class EmptyVariableError(SetupError):
    """A variable is set, but empty, as a script leaves it whose command failed: it does not mean the default."""

    exit_code = ExitCode.WRONG


class WrongAddressError(SetupError):
    """What should say where the API is does not."""

    exit_code = ExitCode.WRONG


class WrongTokenError(SetupError):
    """What should be a token cannot be one; the text does not hold it."""

    exit_code = ExitCode.WRONG


def given(name: str) -> str | None:
    """Return what a variable says; None where it is not set.

    Raises:
        EmptyVariableError: It is set, and says nothing.
    """
    value = os.environ.get(name)
    if value is not None and not value.strip():
        raise EmptyVariableError(f"{name} is set, but empty: give it a value, or unset it for the default")
    return value


def address(url: str) -> SplitResult:
    """Return the parts of the API's address.

    Raises:
        WrongAddressError: It is none; the text holds no password.
    """
    try:
        parts = urlsplit(url)
        right = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:  # a port or a host that is none
        right = False
    if right and _VISIBLE.fullmatch(url) and "@" not in parts.netloc and not parts.query and not parts.fragment:
        return parts
    shown = "" if "@" in url else f" is {url!r}, and"
    raise WrongAddressError(f"{API_URL}{shown} should be like https://headrace.example.com, and no more than that")


def bearer(token: str) -> str:
    """Return the header's value for a token.

    Raises:
        WrongTokenError: No header can carry it.
    """
    if not _VISIBLE.fullmatch(token):
        raise WrongTokenError(f"{API_TOKEN} holds a space, a line break or a letter beyond ASCII, as no token does")
    return f"Bearer {token}"
