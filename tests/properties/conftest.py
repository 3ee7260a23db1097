"""One installation for all properties; see ``tests/properties/engine.py``."""

from collections.abc import AsyncIterator

import pytest

from tests.admin.conftest import (  # noqa: F401 - pytest finds fixtures by name; these have a database of their own here
    Api,
    api_database,
    log,
    running_api,
    settings,
)
from tests.properties.engine import Engine, running_engine


@pytest.fixture(scope="session")
async def running(running_api: Api, api_database: str) -> AsyncIterator[Engine]:  # noqa: F811 - as a parameter
    """The running installation."""
    async with running_engine(running_api, api_database) as engine:
        yield engine


@pytest.fixture
def engine(running: Engine) -> Engine:
    """The running installation, with nothing in Kafka and nothing sent outside."""
    running.forget()
    return running


@pytest.fixture
def api(engine: Engine) -> Api:
    """Its API."""
    return engine.api
