"""What a webhook can send, and where to: the rules for a URL, a header's value and a body."""

import re
from functools import lru_cache
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import orjson

from app.actions.values import filled_line, line, refuse, text
from app.domain.redaction import MASK

MAX_URL_CHARS: Final = 4096
MAX_HEADER_CHARS: Final = 4096
MAX_BODY_BYTES: Final = 1024 * 1024

# Of ASCII what names and addresses are written in; beyond it, what a name in another script is.
_HOST: Final = re.compile(r"(?:[A-Za-z0-9_.:-]|%25|[^\x00-\x7f\s])+")


def url(field: str, value: Any) -> str:
    """Return a rendered URL to which something can be sent.

    Raises:
        ActionFailedError: Nothing can be.
    """
    written = filled_line(field, value, max_chars=MAX_URL_CHARS)
    # In a dry run what begins with a secret cannot be told; in earnest nothing is at an address such as this.
    problem = None if written.startswith(MASK) else url_problem(written)
    return refuse(field, problem) if problem else written


@lru_cache(maxsize=1024)
def url_problem(url: str) -> str | None:
    """Return why nothing can be sent to an address; None where something can."""
    try:
        parts = urlsplit(url)
    except ValueError:  # its text quotes the host, which may hold a secret
        return "is no URL: its host is none"
    try:
        _ = parts.port
    except ValueError:
        return "is no URL: its port is no number up to 65535"
    if parts.scheme not in {"http", "https"}:
        return "must begin with http:// or https://"
    return _host_problem(parts)


def _host_problem(parts: SplitResult) -> str | None:
    if not parts.hostname:
        return "names no host"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password; send an Authorization header instead"
    host = parts.hostname.replace(MASK, "")
    if host and not _HOST.fullmatch(host):
        return "is no URL: its host is none"
    return None


def header_value(field: str, value: Any) -> str:
    """Return a rendered header's value: one line, of what can be printed.

    Raises:
        ActionFailedError: It is none.
    """
    header = line(field, value, max_chars=MAX_HEADER_CHARS)
    if not header.replace("\t", " ").isprintable():
        refuse(field, "holds a control character")
    return header


def encoded_body(field: str, body: Any) -> bytes | None:
    """Return a rendered body as it is sent: text as it is, and all else as JSON; None stays None.

    Raises:
        ActionFailedError: It cannot be sent, or is too large.
    """
    if body is None:
        return None
    data = text(field, body).encode() if isinstance(body, str) else _json(field, body)
    if len(data) > MAX_BODY_BYTES:
        refuse(field, f"has {len(data)} bytes; at most {MAX_BODY_BYTES} are allowed")
    return data


def _json(field: str, body: Any) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError as error:
        refuse(field, f"cannot be written as JSON: {error}")
