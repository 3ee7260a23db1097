"""The client of the API that every command uses, on the standard library: it loads fast and stays small in memory."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any, Final, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from typing_extensions import override

from app.commands.api_address import API_TOKEN, API_URL, address, bearer, given
from app.commands.exit_codes import ExitCode, of_status
from app.domain.errors import FieldError, SetupError
from app.processes.home import default_home
from app.processes.running import running_state

T = TypeVar("T")
_WITHIN_S: Final = 15.0
_WAITS_AT_MOST_S: Final = 90.0
_RESTARTS_WITHIN_S: Final = 15.0
_LOOKS_AGAIN_S: Final = 0.5
_PAGE: Final = 200
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NEW_TOKEN: Final = f"make one with `export {API_TOKEN}=$(headrace token)`, or ask who runs this installation for one"


class ApiUnreachableError(SetupError):
    """No API answers where it was looked for."""

    exit_code = ExitCode.AWAY


class NoApiError(SetupError):
    """Nothing says where the API is."""

    exit_code = ExitCode.AWAY


class NoTokenError(SetupError):
    """Nothing says with which token to call it."""

    exit_code = ExitCode.NOT_LET_IN


class ApiRefusedError(SetupError):
    """The API answered with an error ``status``.

    Attributes:
        detail: What it says.
        errors: Each wrong field.
    """

    def __init__(self, status: int, request: str, detail: str, errors: list[FieldError]) -> None:
        self.status = status
        self.detail = detail
        self.errors = errors
        self.exit_code = of_status(status)
        # One wrong field is in the detail already.
        fields = [f"{one.path}: {one.message}" for one in errors if len(errors) > 1]
        super().__init__("\n  ".join([f"{detail} ({status} of {request}){_next_step(status)}", *fields]))


class ApiClient:
    """Calls the API with one token.

    Args:
        url: ``http://host:port``.
        token: A bearer token, or an API key.
        patience_s: How long an API that is just being restarted is waited for, in each request.
    """

    def __init__(self, url: str, token: str, *, patience_s: float = 0.0) -> None:
        self._url = url.rstrip("/")
        self._opener = _opener(self._url)
        self._bearer = bearer(token)
        self._patience_s = patience_s
        self._said: set[str] = set()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request and return the answer's JSON object; empty for an empty answer.

        Where the API says that there are too many requests it is waited as long as it says, 90 s in all for this one.

        Raises:
            ApiRefusedError: The answer is an error.
            ApiUnreachableError: There is no answer.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{self._url}{path}{'?' if given else ''}{urlencode(given, doseq=True)}"
        request = Request(target, method=method)  # noqa: S310 - checked in address
        for name, value in {"Authorization": self._bearer, **(headers or {})}.items():
            request.add_header(name, value)
        if body is not None:
            request.add_header("Content-Type", content_type)
            request.data = json.dumps(body).encode()
        return self._answered(request, f"{method} {path}", self._object)

    def find(self, path: str) -> dict[str, Any] | None:
        """Return what is at ``path``; None where there is nothing (any more). Errors as in ``call``."""
        try:
            return self.call("GET", path)
        except ApiRefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def items(self, path: str, query: Mapping[str, object] | None = None, most: int | None = None) -> Iterator[Any]:
        """Yield what a list holds, page by page, ``most`` at most. Errors as in ``call``."""
        left = most
        cursor: object = None
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = self.call("GET", path, query={**(query or {}), "limit": size, "cursor": cursor})
            yield from page["items"]
            cursor = page.get("next_cursor")
            left = None if left is None else left - len(page["items"])
            if cursor is None:
                return

    def lines(self, path: str, query: Mapping[str, object]) -> list[Any]:
        """Return the objects of an answer of JSON lines, as exports are. Errors as in ``call``."""
        request = Request(f"{self._url}{path}?{urlencode(query, doseq=True)}")  # noqa: S310 - checked in address
        request.add_header("Authorization", self._bearer)
        return self._answered(request, f"GET {path}", lambda answer: [json.loads(line) for line in answer])

    def _object(self, answer: HTTPResponse) -> dict[str, Any]:
        return _decoded(answer.read(), self._url, answer.headers)

    def _answered(self, request: Request, said: str, read: Callable[[HTTPResponse], T]) -> T:
        give_up = time.monotonic() + _WAITS_AT_MOST_S
        back_by = time.monotonic() + self._patience_s
        while True:
            try:
                with self._opener.open(request, timeout=_WITHIN_S) as answer:
                    return read(answer)
            except HTTPError as error:
                if _starts_again(error, request) and self._waits(back_by):
                    continue
                wait = _wait_for(error)
                if wait is None or time.monotonic() + wait > give_up:
                    raise _refused(error, said) from None
                self._say_once("The API takes only so many requests a minute; going on as fast as it lets")
                time.sleep(wait)
            except (URLError, OSError, HTTPException) as error:
                reason = getattr(error, "reason", None) or error
                # What was refused has not got there: that is as safe to send again as it was the first time.
                if isinstance(reason, ConnectionRefusedError) and self._waits(back_by):
                    continue
                raise ApiUnreachableError(
                    f"no API answers at {self._url} ({reason}); start one here with `make up`, or set {API_URL}"
                ) from None

    def _waits(self, until: float) -> bool:
        """Wait a little, if there is time yet, and say so once."""
        if time.monotonic() >= until:
            return False
        self._say_once(f"The API at {self._url} does not answer yet; trying for {self._patience_s:.0f} s")
        time.sleep(_LOOKS_AGAIN_S)
        return True

    def _say_once(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            sys.stderr.write(f"{words}\n")
            sys.stderr.flush()


def api_here(*, patient: bool = False) -> ApiClient:
    """Return a client of the API that the environment names, else of the one that ``make up`` runs here.

    A ``patient`` one waits a short while for an API that is being restarted, as deployments do.
    The token of what runs here goes to nowhere else: with HEADRACE_API_URL goes HEADRACE_API_TOKEN.

    Raises:
        NoApiError: Nothing says where the API is.
        NoTokenError: There is no token for it.
        EmptyVariableError: A variable for it is set, but empty.
        WrongAddressError: What is said is no address.
        WrongTokenError: What is said is no token.
    """
    state = running_state(default_home()) or {}
    here = state.get("api_url")
    url = given(API_URL) or here
    if not url:
        raise NoApiError(f"nothing runs here; start it with `make up`, or set {API_URL} and {API_TOKEN}")
    address(str(url))
    token = given(API_TOKEN) or (state.get("admin_token") if url == here else None)
    if not token:
        raise NoTokenError(f"there is no token for {url}; {_NEW_TOKEN}")
    return ApiClient(str(url), str(token), patience_s=_RESTARTS_WITHIN_S if patient else 0.0)


def path_of(*parts: object) -> str:
    """Return a path under ``/api/v1``, with each part quoted."""
    return "/".join(["/api/v1", *(quote(str(part), safe="") for part in parts)])


class _NoRedirect(HTTPRedirectHandler):
    """Follows none: a token goes where its user sends it."""

    @override
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Make the redirect the error that it is here."""
        del req, fp, code, msg, headers, newurl


def _opener(url: str) -> OpenerDirector:
    parts = address(url)
    # What runs here is reached without the proxy that the rest of the world may need.
    return build_opener(_NoRedirect, *([ProxyHandler({})] if parts.hostname in _LOOPBACK else []))


def _decoded(raw: bytes, url: str, headers: HTTPMessage) -> dict[str, Any]:
    if not raw:
        return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        kind = headers.get_content_type()
        raise ApiUnreachableError(f"what answers at {url} is no Headrace (it sends {kind}); is {API_URL} right?")
    return found


def _starts_again(error: HTTPError, request: Request) -> bool:
    """Tell whether to try again: it is not ready, and to do this twice is to do it once.

    What is read is, and a write of one version, which is not taken a second time.
    """
    repeatable = request.get_method() == "GET" or request.has_header("If-match")
    return error.code == HTTPStatus.SERVICE_UNAVAILABLE and repeatable


def _wait_for(error: HTTPError) -> float | None:
    if error.code != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    said = error.headers.get("Retry-After", "1")
    return float(said) if said.isdigit() else 1.0


def _refused(error: HTTPError, request: str) -> ApiRefusedError:
    raw = error.read().decode(errors="replace")
    try:
        problem = json.loads(raw)
    except (ValueError, RecursionError):
        problem = None
    if not isinstance(problem, dict):
        return ApiRefusedError(error.code, request, raw[:200] or error.reason, [])
    listed = problem.get("errors") or []
    errors = [FieldError(str(one.get("path", "")), str(one.get("message", ""))) for one in listed]
    return ApiRefusedError(error.code, request, str(problem.get("detail") or problem.get("title")), errors)


def _next_step(status: int) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return f"; {_NEW_TOKEN}"
    if status == HTTPStatus.PRECONDITION_FAILED:
        return "; somebody has changed it meanwhile: run this again to see what there is now"
    return ""
