"""A client and a server, both on loopback."""

from collections.abc import AsyncIterator

import pytest

from app.adapters.http.client import open_http_client
from app.ports import HttpClient
from tests.support.raw_http import RawServer, raw_server


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    """A client that may reach loopback."""
    async with open_http_client(allow_private=True) as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    """A server on loopback."""
    async with raw_server() as served:
        yield served
