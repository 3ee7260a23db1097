"""An installation on a secured Kafka: each role logs in as itself, and may do what `headrace topics --acls` grants."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.domain.kafka_connection import KafkaConnection
from app.processes.kafka_access import SENDER, TOPICS_COMMAND, needed_commands
from app.processes.role_names import role_names
from app.settings import Settings
from tests.integration.site import Site, new_prefix, running_site
from tests.support.secured.acls import Grant, give, grants
from tests.support.secured.cluster import Secured

ROLES: Final = (*role_names(), "admin")
PRINCIPALS: Final = tuple(f"headrace-{role}" for role in (*ROLES, TOPICS_COMMAND, SENDER))


@dataclass(frozen=True, slots=True)
class Locked:
    """An installation that runs, and what was granted for it."""

    site: Site
    cluster: Secured
    settings: Settings
    granted: list[Grant]

    def connection(self, role: str) -> KafkaConnection:
        """Return how a role reaches Kafka."""
        return self.cluster.login(f"headrace-{role}")


@asynccontextmanager
async def locked_site(
    cluster: Secured, database_url: str, home: Path, *, roles: Mapping[str, int] | None = None
) -> AsyncIterator[Locked]:
    """Grant what is printed, no more, and run workers of each role on it."""
    prefix = new_prefix()
    settings = Settings(topic_prefix=prefix)
    granted = grants(needed_commands(settings, "User:headrace-{role}"))
    await give(cluster.inner, granted)
    by_role = {role: cluster.environment(f"headrace-{role}") for role in (*ROLES, TOPICS_COMMAND)}
    sender = cluster.environment(f"headrace-{SENDER}")
    async with running_site(
        cluster.inner, database_url, home, sender, by_role=by_role, roles=roles, prefix=prefix
    ) as site:
        yield Locked(site, cluster, settings, granted)
