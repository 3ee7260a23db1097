"""The secured broker of a file's tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.secured.cluster import Secured, secured_kafka
from tests.support.secured.installation import PRINCIPALS
from tests.support.secured.tokens import TokenEndpoint, token_endpoint

# Who logs in: the operator may do everything, a stranger nothing.
USERS = ("stranger", *PRINCIPALS)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """One broker that demands a login and encryption."""
    home: Path = tmp_path_factory.mktemp("secured")
    with secured_kafka(home, USERS) as cluster:
        yield cluster


@pytest.fixture
async def tokens() -> AsyncIterator[TokenEndpoint]:
    """A token endpoint of this test's own."""
    async with token_endpoint() as endpoint:
        yield endpoint
