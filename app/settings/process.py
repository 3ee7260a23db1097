"""Processes: name, files, log and page of each, and the database."""

import re
import socket
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator

from app.domain.dsn import dsn_problem
from app.settings.base import Group

INSTANCE_CHARACTERS: Final = 64  # as many as Linux gives a host's name
_NO_INSTANCE: Final = re.compile(r"[^A-Za-z0-9._-]")


def instance_of(host: str) -> str:
    """Return a host's name as an instance id, so that each container or pod of a role has one of its own.

    What an id may not hold becomes a hyphen. Of a name that is too long the end counts: that is where those of a
    StatefulSet differ.
    """
    return _NO_INSTANCE.sub("-", host)[-INSTANCE_CHARACTERS:] or "1"


class ProcessSettings(Group):
    """What every process is told: who it is, where it keeps files, what it logs and serves, and its Postgres."""

    database_url: SecretStr = Field(
        SecretStr("postgresql://localhost/headrace"),
        alias="DATABASE_URL",
        description="Postgres as this role's user (`headrace database-users`); any libpq connection string",
    )
    pool_size: int = Field(4, ge=1, le=50, description="Connections to Postgres of one process, at most")
    instance: str = Field(
        "",
        pattern=rf"^[A-Za-z0-9._-]{{0,{INSTANCE_CHARACTERS}}}$",
        description="Stable id of this worker in its role; empty: the host's name",
        validate_default=True,
    )
    data_dir: Path = Field(
        Path(".headrace/workers"), description="Where Faust keeps a worker's files; nothing to back up"
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Our own lines from this level on (docs/logs.md)"
    )
    log_format: str = Field(
        "auto",
        pattern="^(auto|json|console)$",
        description="json: an object a line; console: for people; auto: console where standard error is a terminal",
    )
    metrics_host: str = Field(
        "127.0.0.1", min_length=1, description="Where a worker's page listens; it asks for no token"
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Of a worker's page: health, readiness, metrics; 0: none; unset: the role's own, from 9464 on",
    )

    @field_validator("instance")
    @classmethod
    def _of_this_host(cls, value: str) -> str:
        return value or instance_of(socket.gethostname())

    @field_validator("database_url")
    @classmethod
    def _readable_dsn(cls, value: SecretStr) -> SecretStr:
        problem = dsn_problem(value.get_secret_value())
        if problem:
            raise ValueError(problem)
        return value
