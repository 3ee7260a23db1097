"""A process of ours: its name, its files, its log, and the database."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from app.domain.dsn import dsn_problem
from app.settings.base import Group


class ProcessSettings(Group):
    """What every process is told: who it is, where it keeps files, what it logs and serves, and its Postgres."""

    database_url: SecretStr = Field(SecretStr("postgresql://localhost/headrace"), alias="DATABASE_URL")
    pool_size: int = Field(4, ge=1, le=50)
    instance: str = Field("1", pattern=r"^[A-Za-z0-9._-]{1,60}$", description="Stable id of this worker in its role")
    data_dir: Path = Path(".headrace/workers")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    metrics_port: int = Field(0, ge=0, le=65535, description="0: the worker serves no metrics page")

    @field_validator("database_url")
    @classmethod
    def _readable_dsn(cls, value: SecretStr) -> SecretStr:
        problem = dsn_problem(value.get_secret_value())
        if problem:
            raise ValueError(problem)
        return value
