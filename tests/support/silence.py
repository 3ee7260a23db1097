"""Something between a client and Postgres that falls silent: connections stay and are taken, and no byte passes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.embedded.free_ports import HOST
from tests.support.wires import Wire, laid


class Between(Wire):
    """The way to Postgres.

    Args:
        url: Any libpq connection string.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        target = conninfo_to_dict(url)
        super().__init__(str(target["host"]), int(target.get("port") or 5432))

    @property
    def url(self) -> str:
        """The same, through this, while it is laid."""
        return make_conninfo(self._url, host=HOST, port=self.port)


@asynccontextmanager
async def between(url: str) -> AsyncIterator[Between]:
    """Stand between Postgres and who asks it by :attr:`Between.url`."""
    here = Between(url)
    async with laid(here):
        yield here
