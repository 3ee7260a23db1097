"""Connection strings: what Postgres's client would misread, and quote in its errors, never gets there."""

import pytest
from pydantic import SecretStr

from app.adapters.postgres.external import ExternalPostgres
from app.domain.dsn import dsn_problem
from app.domain.errors import SettingsError, SetupError
from app.settings import Settings, load_settings

GOOD = [
    "postgresql://localhost/headrace",
    "postgres://user:secret@[::1]:5432/name?sslmode=require",
    "postgresql://user:p%40ss%2Fword@a:1,b:2/name",
    "postgresql://user:pa:ss@host/name",
    "postgresql://user:pa?ss@host/name",
    "postgresql:///name?host=/var/run/postgresql",
    r"host=localhost password='it\'s' dbname=x",
    r"host = localhost password = a\'b user=",
    "",
]
BAD = [
    "postgresql://user:hid@den@host/name",
    "postgresql://user:hid/den@host/name",
    "postgresql//user:hidden@host/name",
    "postgresql:/user:hidden@host/name",
    "mysql://user:hidden@host/name",
    "host=localhost password=hid den",
    "host=localhost password='hidden",
    "hidden",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_can_be_read_is_taken(text: str) -> None:
    """URIs and words, as libpq documents them."""
    assert dsn_problem(text) is None
    assert Settings(database_url=SecretStr(text)).database_url.get_secret_value() == text


@pytest.mark.parametrize("text", BAD)
def test_what_would_be_misread_is_refused_and_not_quoted(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the settings and by the installation, before libpq sees it; the error names the variable alone."""
    monkeypatch.setenv("DATABASE_URL", text)
    with pytest.raises(SettingsError, match="DATABASE_URL") as refused:
        load_settings()
    with pytest.raises(SetupError, match="DATABASE_URL") as not_there:
        ExternalPostgres(text).wait_ready()
    for said in (refused, not_there):
        assert not any(part in str(said.value) for part in ("hid", "den"))
