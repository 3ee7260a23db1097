"""Looks at an installation as its roles find it: what each checks at its start, and ``headrace check`` at once."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from app.actions.registry import REGISTRY
from app.adapters.kafka.topic_partitions import topic_partitions
from app.adapters.postgres.database_roles import of_process
from app.adapters.postgres.installation import PostgresFacts, look_at_postgres
from app.adapters.postgres.revisions import known_revisions
from app.domain.errors import HeadraceError, SecretsKeyError, SettingsError, UnreachableError
from app.processes.kafka_access import concrete, denial, denied_to
from app.processes.role_names import role_names
from app.services.operations.findings import Finding, of_accounts, of_migrations, of_secrets, of_topics
from app.settings import Settings
from app.topics import TopicSpec, declare

ADMIN: Final = "admin"
SOURCES: Final = "sources"


async def examine(settings: Settings, role: str | None) -> list[Finding]:
    """Look at what a role needs, or for None at what all of them do.

    Kafka and Postgres are asked side by side, so that both are said of where both are away, within some ten seconds.
    """
    found = await asyncio.gather(_of_postgres(settings, role), _of_kafka(settings, role))
    return [finding for findings in found for finding in findings]


async def _of_postgres(settings: Settings, role: str | None) -> list[Finding]:
    url = settings.database_url.get_secret_value()
    try:
        facts = await look_at_postgres(url, None if role is None else of_process(role))
    except UnreachableError as error:
        return [Finding("postgres", "problem", str(error), "or start one here with `headrace up`", passing=True)]
    findings = [Finding("postgres", "ok", f"lets {facts.user} in"), of_migrations(facts.version, known_revisions())]
    if facts.version is not None and (login := _of_login(facts, role)):
        findings.append(login)
    if role is None or role.startswith("executor-"):
        key = settings.secrets_key.get_secret_value()
        findings.append(of_secrets(facts.sealed, has_key=bool(key), opens=_opener(key)))
    if role in (None, "executor-notification"):
        findings += of_accounts(facts.in_use, settings)
    return findings


def _of_login(facts: PostgresFacts, role: str | None) -> Finding | None:
    if role is None:
        names = ", ".join(sorted(name.removeprefix("headrace_") for name in facts.may_act_as)) or "none of the roles"
        return Finding("login", "ok" if facts.may_act_as else "problem", f"{facts.user} may act as {names}")
    missing = [name for name in of_process(role).acted_as if name not in facts.may_act_as and name != "authenticated"]
    if not missing:
        return None
    do = "log in as the user of this role (`headrace database-users` makes it)"
    return Finding("login", "problem", f"the user {facts.user} may not act as {', '.join(missing)}", do)


async def _of_kafka(settings: Settings, role: str | None) -> list[Finding]:
    try:
        there = await topic_partitions(settings.kafka_connection)
        missing = [] if role is None else await denied_to(role, settings)
    except UnreachableError as error:
        return [Finding("kafka", "problem", str(error), "or start one here with `headrace up`", passing=True)]
    except SettingsError as error:
        return [Finding("settings", "problem", str(error))]
    finding = Finding("kafka", "ok", f"answers at {settings.kafka_connection}")
    if missing:
        says = denial(str(role), settings, missing)
        finding = Finding("kafka", "problem", says, "`headrace topics --acls` prints what grants it")
    hidden = {access.name for access in missing}  # whether they are there is not to be known
    needed = [spec for spec in needed_topics(settings, role) if spec.name not in hidden]
    return [finding, *of_topics(there, needed, settings.topic_prefix), *_of_sources(there, settings, role)]


def needed_topics(settings: Settings, role: str | None) -> list[TopicSpec]:
    """Return the topics of the installation that a role reads or writes, or for None all of them."""
    declared = declare(settings, REGISTRY.names())
    if role is None:
        return list(declared)
    names = {access.name for access in concrete(role, settings)}
    return [spec for spec in declared if spec.name in names]


def _of_sources(there: Mapping[str, int], settings: Settings, role: str | None) -> Iterator[Finding]:
    if role not in (None, SOURCES) or not (settings.sources or role):
        return
    from app.services.ingest.source_settings import load_sources  # noqa: PLC0415 - no other role reads sources

    try:
        configured = load_sources(settings.sources, settings.topic_prefix)
    except SettingsError:
        return  # said with the settings
    for position, source in enumerate(configured):
        if source.topic not in there:
            says = f"HEADRACE_SOURCES: [{position}].topic: Kafka has no topic {source.topic}"
            yield Finding("sources", "problem", says, "create it, or correct its name")


def of_role(settings: Settings, role: str | None) -> Iterator[Finding]:
    """Say what is missing or wrong of what single roles read."""
    if role in (None, ADMIN) and not (settings.jwt_secret.get_secret_value() or settings.jwks_url):
        says = "neither HEADRACE_JWT_SECRET nor HEADRACE_JWKS_URL is set: the API could let nobody in"
        yield Finding("settings", "problem", says, "set one of them (32 bytes or more: `openssl rand -hex 32`)")
    if role == SOURCES or (role is None and settings.sources):
        from app.services.ingest.source_settings import load_sources  # noqa: PLC0415 - no other role reads sources

        try:
            load_sources(settings.sources, settings.topic_prefix)
        except HeadraceError as error:
            yield Finding("settings", "problem", str(error))


def _opener(key: str) -> Callable[[bytes], bool]:
    from app.adapters.secrets.cipher import FernetCipher  # noqa: PLC0415 - executors alone open secrets

    cipher = FernetCipher(key)

    def opens(sealed: bytes) -> bool:
        try:
            cipher.decrypt(bytes(sealed))
        except SecretsKeyError:
            return False
        return True

    return opens


def roles_of(settings: Settings) -> Sequence[str]:
    """Return the roles that an installation with these settings has."""
    return [*role_names(), *([SOURCES] if settings.sources else []), ADMIN]
