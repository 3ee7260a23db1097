"""Where an attack takes place: one installation as in production, servers outside of it, and people of every kind."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import aiohttp
import psycopg
from psycopg.rows import TupleRow

from app.admin.auth import mint_token
from app.domain.callers import Permission, Role
from app.domain.ids import execution_id
from app.embedded.free_ports import pick_ports
from tests.attack.echoes import OUTSIDE, Echoes, echoes
from tests.attack.planted import Planted
from tests.support.fake_secrets import KEY
from tests.support.stack import ROLES, Stack
from tests.support.waiting import eventually

PRODUCTION: Final = {
    "HEADRACE_WEBHOOK_ALLOW_PRIVATE": "false",
    "HEADRACE_WEBHOOK_ALLOW_NETWORKS": f"{OUTSIDE}/32",
    "HEADRACE_SECRETS_KEY": KEY,
    "RATE_LIMIT_PER_MINUTE": "100",
    "HEADRACE_USER_PERMISSIONS": "none",
    # Breakers are probed, and what waits for one fails, sooner than by default: an outage is over within the attack.
    "CIRCUIT_BREAKER_TIMEOUT": "5000",
    "CIRCUIT_BREAKER_MAX_WAIT": "20000",
}
SOURCE: Final = "/attack"
_TOKEN_TTL_S: Final = 7200.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read as text; ``json`` is empty where it is none."""

    status: int
    headers: Any
    text: str
    json: Any


@dataclass(slots=True)
class Ground:
    """The installation under attack.

    Attributes:
        stack: Its processes.
        http: A client with no token.
        echoes: Its mail server and message providers, and a web server, which repeat what they are sent.
        metrics_ports: Where its workers' metrics are.
        answers: Texts of every answer seen, for the hunt after secrets.
    """

    stack: Stack
    http: aiohttp.ClientSession
    echoes: Echoes
    metrics_ports: list[int]
    answers: list[str] = field(default_factory=list)

    def token(self, role: Role = "user", *permissions: Permission, user: UUID | None = None) -> str:
        """Return a good token, of somebody new by default: each caller has a rate of their own."""
        return mint_token(self.stack.settings, user or uuid4(), role, _TOKEN_TTL_S, permissions)

    async def call(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Answer:
        """Call the API; an administrator nobody has met calls where no token is given."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Authorization", f"Bearer {token or self.token('admin')}")
        async with self.http.request(method, path, json=body, headers=named) as answer:
            text = await answer.text(errors="replace")
            self.answers.append(text)
            is_json = answer.content_type.endswith("json") and text
            return Answer(answer.status, answer.headers, text, await answer.json(content_type=None) if is_json else {})

    async def workflow(self, kind: str, *actions: dict[str, Any], token: str = "", **changes: Any) -> UUID:
        """Make a workflow and switch it on; returns its id.

        Raises:
            AssertionError: The API refuses it.
        """
        owner = token or self.token("admin")
        numbered = [{"order": order, **action} for order, action in enumerate(actions, 1)]
        draft = {"name": f"attack {kind}", "trigger": {"type": kind}, "actions": numbered, **changes}
        made = await self.call("POST", "/api/v1/workflows", draft, token=owner)
        assert made.status == 201, made.text
        path = f"/api/v1/workflows/{made.json['id']}/activate"
        answer = await self.call("POST", path, token=owner, If_Match=made.headers["ETag"])
        assert answer.status == 200, answer.text
        return UUID(made.json["id"])

    async def run(self, workflow: UUID, kind: str, data: list[dict[str, Any]], within: float = 120.0) -> list[TupleRow]:
        """Emit an event for each of ``data``, an entity each; returns the rows: data, status, steps, in order."""
        events = [
            {"specversion": "1.0", "id": uuid4().hex, "source": SOURCE, "type": kind, "subject": uuid4().hex, "data": d}
            for d in data
        ]
        await self.stack.emitter.emit_many(events)
        ids = [execution_id(workflow, SOURCE, str(event["id"])) for event in events]
        query = "SELECT id, status, actions_executed FROM automation_logs WHERE id = ANY(%s)"
        async with await psycopg.AsyncConnection.connect(self.stack.database_url, autocommit=True) as connection:

            async def finished() -> dict[UUID, TupleRow]:
                rows = await (await connection.execute(query, (ids,))).fetchall()
                return {row[0]: row for row in rows} if len(rows) == len(ids) else {}

            found: dict[UUID, TupleRow] = await eventually(
                finished, within=within, every=0.5, what=f"{len(ids)} rows of {kind}"
            )
        return [found[one] for one in ids]


@asynccontextmanager
async def ground(bootstrap: str, database_url: str, prefix: str, home: Path) -> AsyncIterator[Ground]:
    """Start an installation as in production, strict about permissions."""
    workers = [role for role in ROLES if role != "admin"]
    ports = dict(zip(workers, pick_ports(len(workers)), strict=True))
    pages = {role: {"HEADRACE_METRICS_PORT": str(port)} for role, port in ports.items()}
    async with AsyncExitStack() as opened:
        echo = await opened.enter_async_context(echoes(Planted()))
        environment = PRODUCTION | _outside(echo)
        stack = Stack(bootstrap, database_url, prefix, home, environment=environment, by_role=pages)
        await opened.enter_async_context(stack)
        connector = aiohttp.TCPConnector(limit=20)
        http = await opened.enter_async_context(aiohttp.ClientSession(stack.api.base_url, connector=connector))
        yield Ground(stack, http, echo, list(ports.values()))


def _outside(echo: Echoes) -> dict[str, str]:
    """Return the settings of what the operator has chosen to send by; each repeats the credentials that it gets."""
    secrets = echo.planted.installation
    return {
        "HEADRACE_SMTP_HOST": OUTSIDE,
        "HEADRACE_SMTP_PORT": str(echo.smtp_port),
        "HEADRACE_SMTP_USERNAME": "headrace",
        "HEADRACE_SMTP_PASSWORD": secrets["SMTP_PASSWORD"],
        "HEADRACE_TWILIO_BASE_URL": echo.url,
        "HEADRACE_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "HEADRACE_TWILIO_AUTH_TOKEN": secrets["TWILIO_AUTH_TOKEN"],
        "HEADRACE_TWILIO_FROM": "+4930123456",
        "HEADRACE_WHATSAPP_BASE_URL": echo.url,
        "HEADRACE_WHATSAPP_PHONE_NUMBER_ID": "1234567",
        "HEADRACE_WHATSAPP_ACCESS_TOKEN": secrets["WHATSAPP_ACCESS_TOKEN"],
    }
