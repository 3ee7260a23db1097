"""The order that test files run in: those that need no server first, then the long ones.

The first are quick, and most mistakes end there. Long files must not come last: of sessions side by side
(``pytest -n 2 --dist loadfile``) each takes the next file when it has none, and one with a long file at the end is
what the other waits for.
"""

from typing import Final

import pytest

SERVERS: Final = frozenset({"kafka", "postgres"})
LONG: Final = ("tests/properties/", "tests/integration/test_", "tests/embedded/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files; within one, and among equals, everything stays where it is."""
    served = {_file(item) for item in items if _needs_servers(item)}
    items.sort(key=lambda item: rank(_file(item), needs_servers=_file(item) in served))


def rank(file: str, *, needs_servers: bool) -> int:
    """Return when a file's turn comes: the lower the sooner."""
    if not needs_servers:
        return 0
    return next((1 + place for place, begins in enumerate(LONG) if file.startswith(begins)), 1 + len(LONG))


def _needs_servers(item: pytest.Item) -> bool:
    """Whether it asks for the session's, or says by a marker that it starts its own."""
    names = {*getattr(item, "fixturenames", ()), *(marker.name for marker in item.iter_markers())}
    return not SERVERS.isdisjoint(names)


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
