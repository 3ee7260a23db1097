"""A small client of the admin API, on the standard library: the supervisor stays small in memory."""

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from app.domain.errors import SetupError

_WITHIN_S = 15.0


class ApiClient:
    """Calls the API with one token.

    Args:
        url: ``http://host:port``.
        token: A bearer token.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request and return the answer's JSON object; empty for an empty answer.

        Raises:
            SetupError: It was refused or not answered; the message holds the problem.
        """
        request = Request(self._url + path, method=method)  # noqa: S310 - our own http URL
        request.add_header("Authorization", f"Bearer {self._token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if body is not None:
            request.add_header("Content-Type", content_type)
            request.data = json.dumps(body).encode()
        try:
            with urlopen(request, timeout=_WITHIN_S) as answer:  # noqa: S310 - our own http URL
                return json.loads(answer.read() or b"{}")  # type: ignore[no-any-return]  # the API answers objects
        except HTTPError as error:
            if error.code == HTTPStatus.TOO_MANY_REQUESTS:
                time.sleep(float(error.headers.get("Retry-After", "1")))
                return self.call(method, path, body, content_type=content_type, headers=headers)
            raise ApiRefusedError(error.code, f"{method} {path}: {error.code} {_problem(error)}") from None
        except (URLError, OSError) as error:
            raise SetupError(f"the API did not answer {method} {path}: {error}") from None

    def find(self, path: str) -> dict[str, Any] | None:
        """Return what is at ``path``; None where there is nothing (any more).

        Raises:
            SetupError: It was refused or not answered.
        """
        try:
            return self.call("GET", path)
        except ApiRefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise


class ApiRefusedError(SetupError):
    """The API answered with an error ``status``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _problem(error: HTTPError) -> str:
    raw = error.read().decode(errors="replace")
    try:
        problem = json.loads(raw)
    except json.JSONDecodeError:
        return raw[:200]
    fields = "; ".join(f"{one.get('path')}: {one.get('message')}" for one in problem.get("errors") or [])
    return f"{problem.get('detail') or problem.get('title')} {fields}".strip()
