"""What a request and a connection may take of the API; docs/operating.md lists it all ("Limits of the API")."""

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """What bodies may take; how large one may be stands at its operation (``app.admin.operations.Body``).

    Attributes:
        within: Seconds in which a body must be here whole.
        grace: Seconds after which it must have come at ``rate`` on the average.
        rate: Bytes a second.
        most: Bytes of bodies that are read or worked on at once, over all callers.
        most_each: The same, of one caller.
    """

    within: float = 30.0
    grace: float = 5.0
    rate: int = KIB
    most: int = 64 * MIB
    most_each: int = 16 * MIB


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What connections may take.

    Attributes:
        headers_within: Seconds in which a request's headers must be here whole: after the connection was made, or after
            their first byte.
        idle: Seconds that a connection is kept between two requests; more than the usual proxies keep theirs (60).
        answer_within: Seconds in which a caller must take up what is written.
        most: Connections in all.
        most_each: Connections from one address; what trusted proxies hand on comes from one, and is not bounded so.
        lingering: Seconds in which the rest of a body that is not read is thrown away, so that the answer is seen.
        read_buffer: Bytes of a body that are held before they are read; twice that at most.
    """

    headers_within: float = 10.0
    idle: float = 75.0
    answer_within: float = 30.0
    most: int = 1000
    most_each: int = 100
    lingering: float = 2.0
    read_buffer: int = 16 * KIB
