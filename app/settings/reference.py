"""``make settings``: writes docs/settings.md, every setting with its unit, default, meaning and readers."""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.settings import Settings
from app.settings.base import Group
from app.settings.readers import Entry, Readers, derived_fields, sources_of

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs/settings.md"
_WORKER: Final = (Entry("app/commands/worker.py", "worker"), Entry("app/processes/worker.py", "run_role"))
_BUILT: Final = ("matcher", "executor", "sink", "sources")
ROLES: Final[dict[str, tuple[Entry, ...]]] = {
    # `build_role` loads the module of a role by its name.
    **{role: (*_WORKER, Entry(f"app/processes/roles/{role}.py", "build")) for role in _BUILT},
    "scheduler": _WORKER,
    "admin": (Entry("app/commands/admin.py"), Entry("app/processes/admin.py", "run_admin")),
}
# What starts a role is that role's; what they share is no command.
_NO_COMMANDS: Final = ("__init__", "admin", "worker", "preflight", "jsonl", "starting", "up_run")
# Every process hides all secrets from its log: that makes it no reader of them.
_NOT_READ: Final = "credentials"
UNITS: Final = {
    "pool_size": "connections",
    "events_partitions": "partitions",
    "actions_partitions": "partitions",
    "replication_factor": "copies",
    "admin_connections": "connections",
    "admin_streams": "streams",
    "admin_streams_per_caller": "streams",
    "admin_connections_per_address": "connections",
    "admin_port": "port",
    "metrics_port": "port",
    "smtp_port": "port",
    "rate_limit_per_minute": "requests a minute",
    "event_requests_per_minute": "requests a minute",
    "page_reads_per_minute": "requests a minute",
    "failed_tokens_per_minute": "tokens a minute",
    "sign_ins_per_minute": "attempts a minute",
    "executions_per_minute": "executions a minute",
    "events_per_minute": "events a minute",
    "workflows_per_user": "workflows",
    "active_per_trigger": "workflows",
    "queue_concurrency": "actions",
    "action_retry_max_attempts": "retries",
    "retry_jitter": "share",
    "circuit_breaker_threshold": "attempts",
    "circuit_release_rate": "commands a second",
    "run_budget": "runs",
    "audience_rate": "customers a second",
}
_SUFFIXES: Final = {"_ms": "ms", "_s": "s", "_mb": "MiB", "_days": "days"}
_CHOICES: Final = re.compile(r"^\^\(([A-Za-z0-9_|-]*)\)\$$")
_DEFAULTS: Final = {"instance": "the host's name", "metrics_port": "the role's own"}
_HEADER: Final = """# Settings

Every setting is an environment variable, read once when a process starts; `app/settings` holds them all. This page is
written from there by `make settings`. A wrong value, or one that is missing where it is needed, ends a process at its
start with the variable's name.

Under *Read by*: roles (`executor`: those of all four families) and commands. A variable is of no use to the others.
"""


def variable(name: str, field: FieldInfo) -> str:
    """Return the environment variable of a setting."""
    return field.alias or f"HEADRACE_{name.upper()}"


def unit(name: str, field: FieldInfo) -> str:
    """Return the unit of a number, else what kind of text it is; empty where a number has none."""
    if name in UNITS:
        return UNITS[name]
    kinds = _kinds(field.annotation)
    if kinds & {int, float}:
        return next((said for suffix, said in _SUFFIXES.items() if name.endswith(suffix)), "")
    if bool in kinds:
        return "true, false"
    if SecretStr in kinds:
        return "secret"
    return "path" if Path in kinds else "URL" if name.endswith("_url") else "text"


def bounds(field: FieldInfo) -> str:
    """Return what values there may be, in words."""
    limits = {type(one).__name__: one for one in field.metadata}
    least = getattr(limits.get("Ge"), "ge", None)
    most = getattr(limits.get("Le"), "le", None)
    pattern = next((one.pattern for one in field.metadata if getattr(one, "pattern", None)), "")
    choices = _CHOICES.match(str(pattern))
    if choices:
        return "one of " + ", ".join(f"`{one}`" for one in choices[1].split("|") if one)
    if least is not None and most is not None:
        return f"{least:_} to {most:_}".replace("_", " ")
    return f"{least} or more" if least is not None else ""


def default(name: str, field: FieldInfo) -> str:
    """Return a setting's default, as it would be written."""
    if name in _DEFAULTS:
        return _DEFAULTS[name]
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "none" if value is None else f"`{value}`" if str(value) else "empty"


def groups() -> Iterator[tuple[type[Group], dict[str, FieldInfo]]]:
    """Yield each concern's class with its own settings, in the order in which they stand there."""
    for owner in Settings.__mro__:
        if issubclass(owner, Group) and owner not in {Settings, Group}:
            own = {name: Settings.model_fields[name] for name in owner.__annotations__ if name in Settings.model_fields}
            yield owner, own


@cache
def readers() -> Mapping[str, frozenset[str]]:
    """Return for each setting the roles and commands that read it.

    Found once in a process: it reads all of our source, which takes seconds.
    """
    sources = sources_of(ROOT, ("app",))
    own = (text for file, text in sources.items() if file.startswith("app/settings/"))
    derived = {**derived_fields(own, Settings.model_fields), _NOT_READ: frozenset[str]()}
    found = Readers(sources, derived)
    entries: dict[str, tuple[Entry, ...]] = dict(ROLES)
    for path in sorted((ROOT / "app/commands").glob("*.py")):
        if path.stem not in _NO_COMMANDS:
            entries[f"`headrace {path.stem.replace('_', '-')}`"] = (Entry(f"app/commands/{path.name}"),)
    read = {who: found.of(who, begin) for who, begin in entries.items()}
    found_by = {n: frozenset(who for who, names in read.items() if n in names) for n in Settings.model_fields}
    return MappingProxyType(found_by)


def page() -> str:
    """Return the whole page."""
    read = readers()
    parts = [_HEADER]
    for owner, fields in groups():
        title, _, about = (inspect.getdoc(inspect.getmodule(owner)) or "").partition("\n")[0].partition(": ")
        rows = [_row(name, field, read) for name, field in fields.items()]
        table = ["| Variable | Unit | Default | Meaning | Read by |", "| --- | --- | --- | --- | --- |", *rows]
        parts.append(f"\n## {title}\n\n{about[:1].upper()}{about[1:]}\n\n" + "\n".join(table) + "\n")
    return "".join(parts)


def _row(name: str, field: FieldInfo, read: Mapping[str, frozenset[str]]) -> str:
    meaning = " ".join((field.description or "").split())
    within = bounds(field)
    cells = (
        f"`{variable(name, field)}`",
        unit(name, field),
        default(name, field),
        (f"{meaning}; {within}" if within else meaning).replace("|", "\\|"),
        _who(read[name]),
    )
    return f"| {' | '.join(cells)} |"


def _who(who: frozenset[str]) -> str:
    roles = [role for role in ROLES if role in who]
    said = ["all roles"] if len(roles) == len(ROLES) else roles
    return ", ".join([*said, *sorted(who - ROLES.keys())])


def _kinds(annotation: Any) -> set[Any]:
    if isinstance(annotation, UnionType):
        return {one for one in get_args(annotation) if one is not NoneType}
    return {annotation}


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())
    sys.stdout.write(f"{len(Settings.model_fields)} settings in {PAGE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
