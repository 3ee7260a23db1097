"""An API with everything set up and something of each kind in it, for what does each of its operations."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import orjson
from pydantic import SecretStr

from app.adapters.postgres.database_roles import DatabaseRole
from app.admin.auth import mint_token
from app.admin.examples import EVENT
from app.services.ingest.event_samples import sample_event
from app.settings import Settings
from app.topics import Topics
from tests.admin.conftest import SECRET, Api, User, serving
from tests.openapi.ready import Things
from tests.openapi.rows import Rows, rows_of
from tests.support.fake_secrets import KEY
from tests.support.logins import as_role
from tests.support.openid_issuer import CLIENT, OpenIdIssuer
from tests.support.openid_issuer import SECRET as CLIENT_SECRET
from tests.support.sessions import signed_in

PUBLIC: Final = "http://127.0.0.1:8080"
# Without limits on how often it is asked, and on what is made.
UNLIMITED: Final = {
    "rate_limit_per_minute": 0,
    "event_requests_per_minute": 0,
    "page_reads_per_minute": 0,
    "failed_tokens_per_minute": 0,
    "sign_ins_per_minute": 0,
    "workflows_per_user": 0,
    "active_per_trigger": 0,
    "executions_per_minute": 0,
    "events_per_minute": 0,
}


@dataclass(frozen=True)
class Ground:
    """The API, an administrator who is a user too, and what operations can be called on.

    Attributes:
        rows: What only the pipeline makes, for other processes than this.
    """

    api: Api
    caller: User
    things: Things
    rows: Rows
    url: str


@asynccontextmanager
async def issuing() -> AsyncIterator[OpenIdIssuer]:
    """Run an issuer, at which somebody has an account."""
    who = {"sub": "s-1", "email": "grace@example.com", "email_verified": True, "name": "Grace"}
    issuer = OpenIdIssuer(f"{PUBLIC}/api/v1/session/oidc/callback", who)
    async with issuer.server:
        yield issuer


def openid_settings(issuer: OpenIdIssuer) -> dict[str, str]:
    """Return the settings, by their names, of an API that people sign in to at an issuer."""
    client = {"oidc_client_id": CLIENT, "oidc_client_secret": CLIENT_SECRET, "public_url": PUBLIC}
    return {"oidc_issuer": issuer.url, "oidc_create_users": "true", **client}


@asynccontextmanager
async def prepared_ground(url: str, count: int) -> AsyncIterator[Ground]:
    """Run an API on a migrated database.

    Args:
        url: An administrator's URL of it.
        count: How many there are of what calls use up, and only the pipeline makes.
    """
    async with issuing() as issuer:
        settings = Settings.model_validate(
            {
                "DATABASE_URL": SecretStr(as_role(url, DatabaseRole.API)),
                "jwt_secret": SecretStr(SECRET),
                "secrets_key": SecretStr(KEY),
                "topic_prefix": "t.",
                "pool_size": 4,
                "admin_port": 0,
                **UNLIMITED,
                **openid_settings(issuer),
            }
        )
        async with serving(settings) as api:
            for event in (EVENT, sample_event("customer.created")):
                topic = Topics(settings.topic_prefix).events(event["type"])
                api.event_topics.put(topic, b"c-1042", orjson.dumps(event), at=time.time())
            who = (await signed_in(url, settings, "admin")).id
            caller = User(api.client, mint_token(settings, who, "admin", 6 * 3600), who)
            # What is used up is used up once: what this process calls on, and what others do.
            own, rows = [await rows_of(caller, url, settings, count) for _ in range(2)]
            yield Ground(api, caller, Things(caller, own), rows, url)
