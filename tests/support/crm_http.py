"""A user's CRM over HTTP for tests: our own API on real Postgres, which speaks the contract strictly."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from app.adapters.http.client import open_http_client
from app.adapters.http.crm import CrmServer, HttpCrm
from app.adapters.postgres.api_engine import ApiDatabase
from app.admin.auth import mint_token
from app.admin.routes import build_app
from app.processes.admin_services import assemble
from app.settings import Settings
from tests.support.deadlines import scaled
from tests.support.depths import MemoryDepths
from tests.support.sender import MemorySender

_SECRET = "a-secret-for-tests-of-32-bytes-or-more"


@asynccontextmanager
async def served_crm(database: str, topic_prefix: str) -> AsyncIterator[CrmServer]:
    """Serve the reference systems of a database, as a user's own."""
    settings = Settings(
        database_url=SecretStr(database),
        jwt_secret=SecretStr(_SECRET),
        topic_prefix=topic_prefix,
        rate_limit_per_minute=0,
    )
    pool = ApiDatabase(settings)
    server = TestServer(build_app(assemble(settings, pool, MemorySender(), MemoryDepths())))
    await server.start_server()
    try:
        # It hands causation on.
        token = mint_token(settings, uuid4(), "user", 3600, permissions=["events:write"])
        yield CrmServer(str(server.make_url("/api/v1")), token, within=scaled(5))
    finally:
        await server.close()
        await pool.close()


@asynccontextmanager
async def crm_over_http(database: str, topic_prefix: str) -> AsyncIterator[HttpCrm]:
    """Return the client of such a CRM; each request has a key of its own."""
    async with served_crm(database, topic_prefix) as server, open_http_client(allow_private=True) as client:
        yield HttpCrm(client, server, key=lambda: str(uuid4()), causation=None, within=scaled(5))
