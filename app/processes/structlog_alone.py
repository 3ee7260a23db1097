"""structlog without rich.

structlog loads rich where there is one, for tracebacks in colour, which nothing here prints: five megabytes in every
process that logs, since the command line brings rich along. So it finds none while it is imported.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_RICH: Final = "rich"


@contextmanager
def _without_rich() -> Iterator[None]:
    loaded: dict[str, Any] = sys.modules
    if _RICH in loaded:  # somebody else's is left alone
        yield
        return
    loaded[_RICH] = None
    try:
        yield
    finally:
        del loaded[_RICH]


with _without_rich():
    import structlog
    from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["EventDict", "Processor", "WrappedLogger", "structlog"]
