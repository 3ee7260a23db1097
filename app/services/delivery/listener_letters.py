"""Letters of services that listen: a service that may write their topic may say anything in them.

So they are stored as letters of a listener, also where they name a role of ours, and never in the place of one of our
own roles'. A letter that names a topic which only Headrace writes is not replayed: a command or an event of Headrace's
own would be made of it that never was there.
"""

from typing import Final

import orjson

from app.topics import Topics
from schemas.incoming import MAX_SLIP_NESTING, Incoming, load_object

LISTENER: Final = "subscriber"


def of_a_listener(record: Incoming, topics: Topics) -> str:
    """Return a listener's letter as it is stored.

    Raises:
        PoisonError: The record is no letter.
    """
    letter = load_object(record.value or b"", max_nesting=MAX_SLIP_NESTING)
    theirs = {"role": LISTENER, "digest": f"{LISTENER}:{letter.get('digest')}", "barred": _barred(letter, topics)}
    return orjson.dumps({**letter, **theirs}).decode()


def _barred(letter: dict[str, object], topics: Topics) -> str | None:
    """Say why a letter is not to be replayed, if it is not."""
    if letter.get("topic") in topics.outside_events():
        return None
    return "It is the letter of a service that listens, which may say anything; of such only events.* are replayed"
