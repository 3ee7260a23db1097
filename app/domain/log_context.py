"""What the work under way is about, for the lines that are logged meanwhile.

Set once for each record, event or request, and asked only when a line is written: in the good case nothing is logged,
so setting it costs a reference, and the ids are not even made into text. What is logged of a whole batch, or of the
process, is about nothing: whoever goes over to that calls :func:`about_nothing`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, ParamSpec

P = ParamSpec("P")
Ids = Mapping[str, object]

_ABOUT: Final[ContextVar[Callable[[], Ids] | None]] = ContextVar("about", default=None)


def about(ids: Callable[P, Ids], *things: P.args, **named: P.kwargs) -> None:
    """Say what this task's lines are about from now on; ``ids`` names it by ``things`` when a line is written."""
    _ABOUT.set(partial(ids, *things, **named))


def about_nothing() -> None:
    """Say that this task's lines are about nothing in particular from now on."""
    _ABOUT.set(None)


@contextmanager
def aside() -> Iterator[None]:
    """Say for a block that this task's lines are about nothing in particular; then they are what they were about."""
    token = _ABOUT.set(None)
    try:
        yield
    finally:
        _ABOUT.reset(token)


@contextmanager
def all_about(**ids: object) -> Iterator[None]:
    """Name what the lines of a block are about."""
    token = _ABOUT.set(lambda: ids)
    try:
        yield
    finally:
        _ABOUT.reset(token)


def ids_here() -> dict[str, Any]:
    """Return the ids of what is under way here, for a line; never raises."""
    ids = _ABOUT.get()
    if ids is None:
        return {}
    try:
        return dict(ids())
    except Exception as error:  # noqa: BLE001 - a line without its ids says more than none
        return {"ids_unknown": type(error).__name__}
