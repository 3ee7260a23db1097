"""What every test can ask for: one broker and one Postgres a session, one database and one topic prefix a test.

``KAFKA_BOOTSTRAP_SERVERS`` and ``DATABASE_URL`` are honoured; without them both start from ``app.embedded``. Where
neither can be had the tests that ask for them fail and say what to install: nothing is skipped.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.embedded.mail import Mailbox
from app.embedded.message_providers import MessageProviders
from app.embedded.webhook_receiver import WebhookReceiver
from app.processes.open_files import allow_open_files
from tests.support import long_runs, running_order
from tests.support.broker import remove_topics, running_kafka
from tests.support.deadlines import scaled
from tests.support.logins import make_logins
from tests.support.memory_watch import MemoryWatch
from tests.support.postgres import database_name, new_database, running_postgres
from tests.support.providers import LOGIN
from tests.support.session_home import session_home

# For ``make mutants``, where a test's red is all that is asked for.
hypothesis_settings.register_profile(
    "mutants", phases=(Phase.explicit, Phase.generate), database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="session", autouse=True)
def _first_draw() -> None:
    """Let Hypothesis read all of our files for constants, and make its tables of Unicode, before a test has to wait.

    In a new clone that takes seconds, for which the first test that drew a text failed as too slow.
    """

    @hypothesis_settings(max_examples=1, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=1))
    def draw(_: str) -> None:
        """Draw one."""

    draw()


def pytest_configure(config: pytest.Config) -> None:
    """Bound the session's own memory, let it have as many connections as the API takes, and put the files in order."""
    allow_open_files()
    config.pluginmanager.register(MemoryWatch(), "memory watch")
    config.pluginmanager.register(long_runs, "long runs")
    config.pluginmanager.register(running_order, "running order")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Scale a test's own timeout, or that of all, to the machine as it is now; one from the command line stays."""
    if item.config.getoption("timeout") is None:
        own = item.get_closest_marker("timeout")
        seconds = own.args[0] if own else item.config.getini("timeout")
        item.add_marker(pytest.mark.timeout(scaled(float(seconds))), append=False)


@pytest.fixture(scope="session")
def services_home() -> Iterator[Path]:
    """The folder of this session's broker and database."""
    with session_home() as home:
        yield home


@pytest.fixture(scope="session")
def kafka(services_home: Path) -> Iterator[str]:
    """Bootstrap servers of the session's broker."""
    with running_kafka(services_home) as bootstrap_servers:
        yield bootstrap_servers


@pytest.fixture(scope="session")
def postgres(services_home: Path) -> Iterator[str]:
    """An administrator's URL of the session's Postgres."""
    with running_postgres(services_home) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(postgres: str) -> Iterator[str]:
    """Name of a database with every migration applied, which nobody connects to."""
    from app.adapters.postgres.migrate import upgrade  # noqa: PLC0415 - only who asks for a database needs Alembic

    with ExitStack() as stack:
        url = stack.enter_context(new_database(postgres))
        upgrade(url)
        make_logins(url)
        yield database_name(url)


@pytest.fixture
def database(postgres: str, migrated_template: str) -> Iterator[str]:
    """An administrator's URL of a fresh, migrated database of this test's own."""
    with new_database(postgres, template=migrated_template) as url:
        yield url


@pytest.fixture
async def topic_prefix(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A prefix that no other test's topics have; its topics are deleted afterwards."""
    bootstrap_servers = request.getfixturevalue("kafka") if "kafka" in request.fixturenames else None
    prefix = f"t{uuid4().hex[:10]}."
    yield prefix
    if bootstrap_servers:
        await remove_topics(bootstrap_servers, prefix)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A strict mail server of this test's own."""
    server = Mailbox()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A strict webhook receiver of this test's own."""
    server = WebhookReceiver()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def providers() -> AsyncIterator[MessageProviders]:
    """A strict Twilio and Meta of this test's own."""
    server = MessageProviders(LOGIN)
    await server.start()
    yield server
    await server.stop()
