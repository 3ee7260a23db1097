"""What is known of objects, by which object it is."""

import copy

from app.domain.by_identity import ByIdentity


class Thing:
    """Equal to all of its kind, so that it can be told from them by nothing but its identity."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)

    __hash__ = None  # type: ignore[assignment]  # as a pydantic model


def test_what_is_known_of_an_object_is_not_known_of_its_like() -> None:
    """Neither of an equal one nor of a copy."""
    known, thing = ByIdentity[Thing, str](), Thing()
    assert known.put(thing, "a") == "a"
    assert (known.get(thing), known.get(Thing()), known.get(copy.copy(thing))) == ("a", None, None)


def test_nothing_is_kept_of_an_object_that_is_gone() -> None:
    """The next object, which may stand at its place in memory, is another one."""
    known = ByIdentity[Thing, str]()
    for _ in range(1000):
        thing = Thing()
        assert known.get(thing) is None
        known.put(thing, "a")
    del thing
    assert len(known) == 0
