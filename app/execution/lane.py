"""A lane of an executor, as one of its commands sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.execution.bulkhead import Bulkhead


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane.

    Attributes:
        places: Where attempts take their places.
        is_closing: Tells whether a record is to be given back, because its partition is being taken away.
    """

    places: Bulkhead
    is_closing: Callable[[Any], bool]
