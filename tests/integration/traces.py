"""Looks for a word in everything that an installation keeps: rows, records, logs."""

from app.actions.registry import REGISTRY
from app.topics import declare
from tests.integration.site import Site
from tests.support.topic_records import read_all

_TABLES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


async def traces(site: Site, word: str) -> list[str]:
    """Return where a word is to be found, in any case, also within bytes: tables, topics and processes, by name."""
    return [*await _rows(site, word), *await _records(site, word), *_lines(site, word)]


async def _rows(site: Site, word: str) -> list[str]:
    found = []
    for table in await site.fetch(_TABLES):
        name = table["name"]
        query = f"SELECT 1 FROM {name} t WHERE t::text ILIKE %s OR t::text LIKE %s LIMIT 1"  # noqa: S608 - names from the catalogue
        if await site.fetch(query, f"%{word}%", f"%{word.encode().hex()}%"):
            found.append(name)
    return found


async def _records(site: Site, word: str) -> list[str]:
    topics = [spec.name for spec in declare(site.stack.settings, REGISTRY.names())]
    records = await read_all(site.stack.bootstrap, *topics)
    return sorted({record.topic for record in records if word.casefold() in repr(record).casefold()})


def _lines(site: Site, word: str) -> list[str]:
    return [worker.name for worker in site.stack.workers if word.casefold() in worker.log_text().casefold()]
