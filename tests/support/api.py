"""The admin API, as a test or a harness calls it."""

from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import aiohttp

from app.admin.auth import mint_token
from app.settings import Settings

_TOKEN_TTL_S = 6 * 3600.0
_NO_CONTENT = 204


class ApiError(AssertionError):
    """The API refused; the text has its problem document.

    Attributes:
        status: Of the HTTP answer.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Api:
    """A caller with the role ``admin``.

    Args:
        base_url: Such as ``http://127.0.0.1:8080``.
        settings: Those the API runs with; the token is made from their secret.
    """

    def __init__(self, base_url: str, settings: Settings) -> None:
        self.base_url = base_url
        token = mint_token(settings, uuid4(), "admin", _TOKEN_TTL_S)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(self.base_url, headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[Any, str]:
        """Call and return the JSON answer and its ETag; underscores in header names stand for hyphens.

        Raises:
            ApiError: The status is not 2xx.
        """
        assert self._http is not None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._http.request(method, path, json=body, headers=named) as answer:
            if not answer.ok:
                raise ApiError(answer.status, f"{method} {path}: {answer.status} {await answer.text()}")
            return (await answer.json() if answer.status != _NO_CONTENT else None), answer.headers.get("ETag", "*")

    async def answers(self, path: str = "/readyz") -> bool:
        """Tell whether the API answers ``path`` with 2xx."""
        assert self._http is not None
        try:
            async with self._http.get(path) as answer:
                return answer.ok
        except aiohttp.ClientConnectionError:
            return False

    async def create_workflow(self, draft: dict[str, Any], *, active: bool = True) -> UUID:
        """Create a workflow and, by default, switch it on; returns its id."""
        created, etag = await self.call("POST", "/api/v1/workflows", draft)
        if active:
            await self.call("POST", f"/api/v1/workflows/{created['id']}/activate", If_Match=etag)
        return UUID(created["id"])
