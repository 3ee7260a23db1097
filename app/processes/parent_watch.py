"""End this process when its parent has died: what a killed supervisor leaves behind must not live on."""

import os
import signal
import threading
import time
from typing import Final

PARENT_VARIABLE: Final = "HEADRACE_PARENT"
_LOOK_EVERY_S: Final = 1.0
_GRACE_S: Final = 20.0


def end_with_parent() -> None:
    """Watch the parent that ``HEADRACE_PARENT`` names, in a thread; without the variable do nothing.

    At its death this process gets SIGTERM, and where that does not end it within 20 s, an end by force.
    """
    named = os.environ.get(PARENT_VARIABLE, "")
    if named.isdigit():
        threading.Thread(target=_watch, args=(int(named),), name="parent watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)
