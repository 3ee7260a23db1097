"""The API on a real Postgres, called over real HTTP; Kafka is the in-memory sender."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from aiohttp import ClientSession, DummyCookieJar
from aiohttp.test_utils import TestServer
from aiohttp.web import Application
from pydantic import SecretStr
from yarl import URL

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.database_roles import DatabaseRole
from app.admin.auth import mint_token
from app.admin.routes import build_app
from app.admin.segments import segment
from app.domain.callers import Permission, Role
from app.ports import HttpClient
from app.processes.admin_services import assemble
from app.processes.clocks import Clocks
from app.services.operations.background import Failures
from app.settings import Settings
from app.topics import Topics
from tests.admin.log import Log
from tests.support.addresses import addresses_of
from tests.support.depths import MemoryDepths
from tests.support.event_topics import MemoryEventTopics
from tests.support.fake_secrets import KEY
from tests.support.logins import as_role
from tests.support.postgres import new_database
from tests.support.sender import MemorySender

# Long enough for HS512: with a shorter one a token by it would be refused for the length alone.
SECRET = "a-secret-for-tests-of-64-bytes-or-more-so-that-it-signs-by-HS512-too"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read."""

    status: int
    headers: Mapping[str, str]
    json: Any


@dataclass
class User:
    """Somebody with a token, who calls the API."""

    client: Any
    token: str
    id: UUID = field(default_factory=uuid4)

    async def call(self, method: str, path: str | URL, json: Any = None, **options: Any) -> Answer:
        """Call the API; ``options`` are aiohttp's."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        async with self.client.request(method, path, json=json, headers=headers, **options) as response:
            is_json = response.content_type.endswith("json")
            body = await response.json(content_type=None) if is_json else await response.text()
            return Answer(response.status, response.headers, body)

    async def create(self, **changes: Any) -> dict[str, Any]:
        """Create a workflow and return it."""
        answer = await self.call("POST", "/api/v1/workflows", draft(**changes))
        assert answer.status == 201, answer
        created: dict[str, Any] = answer.json
        return created

    async def enter_customer(self, customer_id: str) -> str:
        """Enter a customer whose id other tests may have used as well, anew; return their name."""
        path = f"/api/v1/crm/customers/{segment(customer_id)}"
        forgotten = await self.call("DELETE", URL(path, encoded=True))
        assert forgotten.status in {204, 404}, forgotten
        entered = await self.call("POST", "/api/v1/crm/customers", {"id": customer_id, "name": f"Ada {customer_id}"})
        assert entered.status == 201, entered
        return f"Ada {customer_id}"


@dataclass
class Api:
    """A running API; ``url`` is without a slash at its end, ``now`` holds its clock, in seconds."""

    app: Application
    url: str
    client: ClientSession
    settings: Settings
    sender: MemorySender
    depths: MemoryDepths
    now: list[float]
    failures: Failures
    event_topics: MemoryEventTopics = field(default_factory=MemoryEventTopics)

    def user(self, role: Role = "user", *permissions: Permission) -> User:
        """Return somebody new, with permissions beside what every user may."""
        user_id = uuid4()
        return User(self.client, mint_token(self.settings, user_id, role, 600, permissions), user_id)


def draft(**changes: Any) -> dict[str, Any]:
    """A workflow draft; None removes a key."""
    written = {
        "name": "Big order",
        "description": "Tags who orders for much",
        "trigger": {"type": "order.paid", "config": {}},
        "conditions": [{"field": "order.total", "operator": ">", "value": 500}],
        "actions": [{"type": "apply_tag", "order": 1, "config": {"tag": "vip"}, "conditions": []}],
    }
    return {key: value for key, value in {**written, **changes}.items() if value is not None}


@pytest.fixture(scope="session")
def api_database(postgres: str, migrated_template: str) -> Iterator[str]:
    """An administrator's URL of the database that all of these tests share: each has users of its own."""
    with new_database(postgres, template=migrated_template) as url:
        yield url


@pytest.fixture(scope="session")
def settings(api_database: str) -> Settings:
    """Settings of an API on the shared database, which logs in as the API does in production."""
    return Settings(
        database_url=SecretStr(as_role(api_database, DatabaseRole.API)),
        jwt_secret=SecretStr(SECRET),
        secrets_key=SecretStr(KEY),
        topic_prefix="t.",
        pool_size=4,
        admin_port=0,
        rate_limit_per_minute=0,
        failed_tokens_per_minute=0,
        sign_ins_per_minute=0,
    )


@asynccontextmanager
async def serving(settings: Settings, http: HttpClient | None = None) -> AsyncIterator[Api]:
    """Run an API over settings; ``http`` is what asks outside, where something there is to be asked."""
    now = [0.0]
    pool, sender, depths, failures = ApiDatabase(settings), MemorySender(), MemoryDepths(), Failures(lambda: now[0])
    events = MemoryEventTopics(Topics(settings.topic_prefix).all_events())
    state = assemble(
        settings,
        pool,
        sender,
        depths,
        clocks=Clocks(lambda: now[0]),
        http=http,
        failures=failures,
        event_topics=events,
        resolve=addresses_of,
    )
    app = build_app(state)
    async with TestServer(app) as server:
        url = server.make_url("/")
        # Whoever calls brings their own cookies. Not aiohttp's test client: that one keeps the body of every answer.
        async with ClientSession(url, cookie_jar=DummyCookieJar()) as client:
            yield Api(app, str(url).rstrip("/"), client, settings, sender, depths, now, failures, events)
    await pool.close()


@pytest.fixture(scope="session")
async def running_api(settings: Settings) -> AsyncIterator[Api]:
    """A running API on the shared database."""
    async with serving(settings) as api:
        yield api


@pytest.fixture(scope="session")
async def strict_api(settings: Settings) -> AsyncIterator[Api]:
    """An API that grants nothing to everybody, on the shared database."""
    async with serving(settings.model_copy(update={"user_permissions": "none"})) as api:
        yield api


@pytest.fixture
def api(running_api: Api) -> Api:
    """The running API, with a broker that answers and has nothing yet."""
    running_api.sender.records.clear()
    running_api.depths.known.clear()
    running_api.event_topics.clear()
    for stand_in in (running_api.sender, running_api.depths, running_api.event_topics):
        stand_in.reachable = True
    return running_api


@pytest.fixture
def user(api: Api) -> User:
    """A user without any rows."""
    return api.user()


@pytest.fixture
def admin(api: Api) -> User:
    """An admin without any rows."""
    return api.user("admin")


@pytest.fixture
async def log(api_database: str) -> AsyncIterator[Log]:
    """The log of the shared database."""
    async with await psycopg.AsyncConnection.connect(api_database, autocommit=True) as connection:
        yield Log(connection)
