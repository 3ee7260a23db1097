"""Browsers, for tests: what calls the API with cookies, and nothing else of its own."""

from dataclasses import dataclass, field
from typing import Any

from app.admin.forgery import HEADER
from tests.admin.conftest import Answer, Api


@dataclass
class Visitor:
    """Somebody with a browser, who may sign in with it.

    Attributes:
        cookies: What the browser keeps.
        csrf: What the page that they look at knows.
    """

    api: Api
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    async def call(self, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        """Call as a page of ours does; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**({"Cookie": cookie} if cookie else {}), **({HEADER: self.csrf} if self.csrf else {}), **named}
        async with self.api.client.request(method, path, json=json, headers=sent, allow_redirects=False) as response:
            self._keep(response)
            is_json = response.content_type.endswith("json")
            body = await response.json(content_type=None) if is_json else await response.text()
            return Answer(response.status, response.headers, body)

    async def sign_in(self, email: str, password: str, **headers: str) -> Answer:
        """Sign in with a password."""
        return self._signed(
            await self.call("POST", "/api/v1/session", {"email": email, "password": password}, **headers)
        )

    async def follow(self, token: str, **headers: str) -> Answer:
        """Sign in by a link."""
        return self._signed(await self.call("POST", "/api/v1/session/link", {"token": token}, **headers))

    def _signed(self, answer: Answer) -> Answer:
        if answer.status == 200:
            self.csrf = answer.json["csrf_token"]
        return answer

    def _keep(self, response: Any) -> None:
        for name, morsel in response.cookies.items():
            self.cookies.pop(name, None)
            if morsel["max-age"] != "0":
                self.cookies[name] = morsel.value
