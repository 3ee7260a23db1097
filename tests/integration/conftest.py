"""What the tests of the whole pipeline share: one running installation a module."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.site import Site, running_site
from tests.support.postgres import new_database


@pytest.fixture(scope="module")
async def site(
    kafka: str, postgres: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """Every role as a process, on topics and a database of this module's own."""
    home: Path = tmp_path_factory.mktemp("site")
    with new_database(postgres, template=migrated_template) as database_url:
        async with running_site(kafka, database_url, home) as running:
            yield running
