"""Every error as a problem document (RFC 9457): one place that says which error is which status."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from app.admin.auth import ForbiddenError, UnauthorizedError
from app.domain.errors import (
    BehindError,
    ConflictError,
    FieldError,
    InvalidError,
    KeyReusedError,
    NotFoundError,
    NotPermittedError,
    SecretsKeyError,
    StaleVersionError,
    UnfitError,
    UnreachableError,
)
from app.services.access.rate_limit import RateLimitedError
from schemas.problem import PROBLEM_CONTENT_TYPE, Problem, ProblemError

MAX_ERRORS: Final = 100
_RETRY_AFTER_S: Final = "5"
# On every answer, also on those that are written before there is a request.
SECURITY: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with that, a browser sends the forms of our own pages with "Origin: null", as from nowhere.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "headrace",
}
_REALM: Final = 'Bearer realm="headrace"'


class PreconditionRequiredError(Exception):
    """An update without ``If-Match``."""


class UnsupportedTypeError(Exception):
    """A body in a content type that the operation does not read; the text lists those it does."""


class NotAcceptableError(Exception):
    """None of the content types that there are is one that the caller takes."""

    def __init__(self, kinds: Sequence[str]) -> None:
        super().__init__(f"The answer is {' or '.join(kinds)}, and Accept takes no such thing; send Accept: {kinds[0]}")


class RefusedError(Exception):
    """What is more, or longer, than is taken.

    Attributes:
        status: The answer's status.
        again: The request may be repeated in a while.
    """

    status: int
    again = False


class BodyRefusedError(RefusedError):
    """A body that is not read to its end."""


class TooLargeError(BodyRefusedError):
    """It has more bytes than its operation reads."""

    status = 413

    def __init__(self, most: int) -> None:
        super().__init__(f"The body is too large: at most {most} bytes are read here, unpacked")


class TooSlowError(BodyRefusedError):
    """It is not here in time."""

    status = 408

    def __init__(self, within: float, rate: int) -> None:
        super().__init__(f"The body was not here in time: within {within:g} s, and at {rate} bytes a second")


class CallerFullError(BodyRefusedError):
    """Its caller has too many bytes under way."""

    status = 429
    again = True

    def __init__(self, most: int) -> None:
        super().__init__(f"Your requests under way have more than {most} bytes; wait for their answers")


class FullError(BodyRefusedError):
    """This process has too many bytes under way."""

    status = 503
    again = True

    def __init__(self) -> None:
        super().__init__("There are too many bodies under way; try again")


def raw_problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Write a problem document as a whole HTTP answer after which the connection is closed."""
    phrase = HTTPStatus(status).phrase
    body = Problem(title=phrase, status=status, detail=detail).encode()
    fields = {"Content-Type": PROBLEM_CONTENT_TYPE, "Content-Length": str(len(body)), "Connection": "close"}
    sent = {**fields, **SECURITY, **(headers or {})}
    lines = [
        f"HTTP/1.1 {status} {phrase}",
        *(f"{name}: {value}" for name, value in sent.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def problem_response(
    status: int,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    instance: str | None = None,
) -> web.Response:
    """Build a problem document; at most 100 of ``errors`` are listed."""
    listed = [ProblemError(path=error.path, message=error.message) for error in errors[:MAX_ERRORS]]
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=listed, instance=instance)
    return web.Response(
        body=problem.encode(), status=status, content_type=PROBLEM_CONTENT_TYPE, headers=dict(headers or {})
    )


def problem_for(error: BaseException, instance: str) -> web.Response | None:
    """Say an error that the caller can do something about; None for one that is ours."""
    if isinstance(error, InvalidError | NotPermittedError | UnfitError):
        wrong = 400 if isinstance(error, InvalidError) else 403 if isinstance(error, NotPermittedError) else 409
        said = f"{error}; " if isinstance(error, UnfitError) else ""
        return problem_response(wrong, said + _summary(error.errors), errors=error.errors, instance=instance)
    if isinstance(error, UnauthorizedError):
        challenge = _REALM if "send a token" in str(error) else f'{_REALM}, error="invalid_token"'
        return problem_response(401, str(error), headers={"WWW-Authenticate": challenge}, instance=instance)
    if isinstance(error, RateLimitedError | RefusedError):
        return _bounded(error, instance)
    if isinstance(error, UnreachableError):
        detail = "A system behind the API does not answer; the request may be repeated"
        return problem_response(503, detail, headers={"Retry-After": _RETRY_AFTER_S}, instance=instance)
    if isinstance(error, web.HTTPException):
        return _from_http(error, instance)
    status = _STATUSES.get(type(error))
    return None if status is None else problem_response(status, str(error), instance=instance)


_STATUSES: Final[dict[type[BaseException], int]] = {
    ForbiddenError: 403,
    NotFoundError: 404,
    NotAcceptableError: 406,
    ConflictError: 409,
    StaleVersionError: 412,
    UnsupportedTypeError: 415,
    KeyReusedError: 422,
    PreconditionRequiredError: 428,
    SecretsKeyError: 503,
    BehindError: 503,
}


def _bounded(error: RateLimitedError | RefusedError, instance: str) -> web.Response:
    if isinstance(error, RateLimitedError):
        headers = {"Retry-After": str(error.retry_after)}
        return problem_response(429, str(error), headers=headers, instance=instance)
    headers = {"Retry-After": _RETRY_AFTER_S} if error.again else {}
    response = problem_response(error.status, str(error), headers=headers, instance=instance)
    if isinstance(error, TooSlowError):
        response.force_close()
    return response


def _from_http(error: web.HTTPException, instance: str) -> web.Response:
    kept = {name: value for name, value in error.headers.items() if name.lower() in {"allow", "location"}}
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"This resource answers to {kept.get('Allow', 'other methods')}"
    elif error.status == HTTPStatus.NOT_FOUND:
        detail = "There is nothing at this path; /openapi.json lists what there is"
    else:
        detail = error.reason
    return problem_response(error.status, detail, headers=kept, instance=instance)


def _summary(errors: Sequence[FieldError]) -> str:
    if len(errors) == 1:
        only = errors[0]
        return f"{only.path}: {only.message}" if only.path else only.message
    return f"{len(errors)} fields are wrong" + (f"; the first {MAX_ERRORS} follow" if len(errors) > MAX_ERRORS else "")
