"""How many files and connections a process may have open: as many as it is allowed, not what shells begin with.

The soft limit is 1024 nearly everywhere, for programs that use ``select``, as none of ours does; the hard one is what
an operator decides by. Servers raise it themselves (nginx, the Go runtime), for 1,000 connections to the API with its
other files are more than 1024.
"""

import resource
from contextlib import suppress


def allow_open_files() -> int:
    """Raise the soft limit to the hard one, and return what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS says "unlimited", and takes less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft
