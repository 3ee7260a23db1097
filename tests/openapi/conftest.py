"""The API that these tests share."""

from collections.abc import AsyncIterator

import pytest

from tests.openapi.ground import Ground, prepared_ground
from tests.support.postgres import new_database


@pytest.fixture(scope="session")
async def ground(postgres: str, migrated_template: str) -> AsyncIterator[Ground]:
    """An API with everything set up, on a database of its own."""
    with new_database(postgres, template=migrated_template) as url:
        async with prepared_ground(url, 10) as made:
            yield made
