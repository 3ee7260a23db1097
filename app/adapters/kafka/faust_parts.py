"""What we use of Faust, imported without what Faust imports and a worker never calls; everything of ours takes it here.

Its types name an HTTP client's class, its codecs try YAML, its timers can read cron's lines: twelve megabytes of every
worker. While Faust is imported, empty modules stand in their places; afterwards those are gone, so that who needs the
real ones imports them as ever. A module that is loaded already is used as it is. A test says that no worker has them
(tests/processes/test_imports.py).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

# By module: the names that Faust takes from it. It takes YAML for missing where importing it fails.
_NEVER_CALLED: Final[dict[str, tuple[str, ...]]] = {
    "aiohttp": (),
    "aiohttp.client": ("ClientSession",),
    "croniter": (),
    "croniter.croniter": ("croniter",),
}
_OPTIONAL: Final = ("yaml",)


class _NeverCalled:
    """Stands for a class that Faust names and nothing here makes an object of."""


@contextmanager
def _without_the_unused() -> Iterator[None]:
    loaded: dict[str, Any] = sys.modules
    placed = [name for name in (*_NEVER_CALLED, *_OPTIONAL) if name.partition(".")[0] not in loaded]
    for name in placed:
        loaded[name] = _stand_in(name) if name in _NEVER_CALLED else None
    try:
        yield
    finally:
        for name in placed:
            del loaded[name]


def _stand_in(name: str) -> ModuleType:
    module = ModuleType(name)
    for attribute in _NEVER_CALLED[name]:
        setattr(module, attribute, _NeverCalled)
    return module


with _without_the_unused():
    from faust.app.base import App as FaustApp
    from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials
    from faust.exceptions import ConsumerNotStarted
    from faust.streams import Stream as FaustStream
    from faust.tables.globaltable import GlobalTable
    from faust.tables.manager import TableManager
    from faust.tables.recovery import Recovery as FaustRecovery
    from faust.transport.drivers import aiokafka as driver
    from faust.types import TP, ConsumerMessage
    from faust.worker import Worker as FaustWorker
    from mode import Service
    from mode.supervisors import CrashingSupervisor
    from mode.utils.queues import FlowControlEvent

# Of Faust's settings: it would look the class up.
NO_HTTP_CLIENT: Final = _NeverCalled

__all__ = [
    "NO_HTTP_CLIENT",
    "TP",
    "ConsumerMessage",
    "ConsumerNotStarted",
    "CrashingSupervisor",
    "FaustApp",
    "FaustRecovery",
    "FaustStream",
    "FaustWorker",
    "FlowControlEvent",
    "GlobalTable",
    "OAuthCredentials",
    "SASLCredentials",
    "SSLCredentials",
    "Service",
    "TableManager",
    "driver",
]
