"""What is private in asyncio, mode, Faust and aiokafka: used in few places, and still there in the versions we have."""

import ast
import asyncio
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from app.adapters.kafka import channel_queue
from app.adapters.kafka.consumer import Consumer
from app.adapters.kafka.faust_private import OnOwnLoop, Recovery, Tables
from app.adapters.kafka.fetch_sessions import _SessionFetch
from app.adapters.kafka.group_client import GroupClient
from app.adapters.kafka.messages import TrackedMessage
from app.adapters.kafka.odd_headers import KeptRecords, TolerantRecords, _Batch
from app.adapters.kafka.transport import App, FlowControl, Stream, Transport
from tests.support.waiting import in_time
from tests.test_structure import ROOT, module_name

REACH_IN = {
    "app.adapters.kafka.channel_queue",
    "app.adapters.kafka.faust_private",
    "app.adapters.kafka.aiokafka_private",
}
NO_LIBRARY = {"os._exit"}
SUBCLASSES = (
    App,
    Consumer,
    FlowControl,
    GroupClient,
    KeptRecords,
    OnOwnLoop,
    Recovery,
    Stream,
    Tables,
    TolerantRecords,
    TrackedMessage,
    Transport,
    _Batch,
    _SessionFetch,
)
# Of our subclasses: what they fill in or correct, which the library must still call.
OVERRIDDEN = [
    *((App, name) for name in ("on_start", "on_rebalance_end", "flow_control")),
    *((Consumer, name) for name in ("ack", "stop_flow", "wait_empty", "perform_seek", "verify_all_partitions_active")),
    *((Consumer, name) for name in ("on_partitions_revoked", "on_partitions_assigned")),
    *((Consumer, name) for name in ("on_buffer_drop", "resume_partitions")),
    *((GroupClient, name) for name in ("on_start", "highwater", "on_thread_stop")),
    *((OnOwnLoop, name) for name in ("call_thread", "on_stop", "close", "maybe_start", "start", "stop", "crash")),
    (OnOwnLoop, "set_shutdown"),
    (FlowControl, "resume"),
    (Stream, "__aiter__"),
    (Recovery, "_set_recovery_started"),
    *((Tables, name) for name in ("on_start", "recovery")),
    (_SessionFetch, "build"),
    (TolerantRecords, "__next__"),
]


def is_private(name: str) -> bool:
    """Whether a name is private."""
    return name.startswith("_") and not name.startswith("__")


def reached_into(path: Path) -> Iterator[str]:
    """Yield the private attributes that a file takes of what is not its own ``self``, ``cls`` or ``super()``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            written = ast.unparse(node)
            if not written.startswith((f"self.{node.attr}", f"cls.{node.attr}", f"super().{node.attr}")):
                yield written
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"getattr", "setattr"}:
            name = node.args[1]
            if isinstance(name, ast.Constant) and is_private(str(name.value)):
                yield ast.unparse(node)


def test_three_files_reach_into_the_libraries() -> None:
    """Everything else uses what is public, or what a subclass inherits."""
    folders = [ROOT / folder for folder in ("app/adapters/kafka", "app/processes", "agents", "tables")]
    found = {
        module_name(path): names
        for folder in folders
        for path in folder.rglob("*.py")
        if (names := set(reached_into(path)) - NO_LIBRARY)
    }
    assert set(found) == REACH_IN, found


def own_names(cls: type) -> tuple[set[str], set[str], set[str]]:
    """Return the private names that a class loads, stores and defines."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    loaded: set[str] = set()
    stored: set[str] = set()
    defined: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if ast.unparse(node.value) in {"self", "super()"}:
                (stored if isinstance(node.ctx, ast.Store) else loaded).add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_private(node.name):
            defined.add(node.name)
    return loaded, stored, defined


def foreign(cls: type) -> list[type]:
    """Return the classes of libraries that a class descends from."""
    return [base for base in cls.__mro__ if not base.__module__.startswith(("app.", "builtins", "typing", "abc"))]


def mentions(bases: list[type], name: str) -> bool:
    """Whether one of the classes has an attribute of that name, or speaks of it on its objects."""
    return any(hasattr(base, name) or re.search(rf"\bself\.{name}\b", _source(base)) for base in bases)


def _source(cls: type) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):  # compiled
        return ""


@pytest.mark.parametrize("cls", SUBCLASSES, ids=lambda cls: cls.__name__)
def test_what_our_subclasses_inherit_is_there(cls: type) -> None:
    """What they only load, what they only store and what they only define is the library's; it must know of it."""
    loaded, stored, defined = own_names(cls)
    theirs = (loaded ^ (stored | defined)) - _of_our_bases(cls)
    bases = foreign(cls)
    assert {name for name in theirs if not mentions(bases, name)} == set()


def _of_our_bases(cls: type) -> set[str]:
    ours = [base for base in cls.__mro__[1:] if base.__module__.startswith("app.")]
    return {name for base in ours for name in set().union(*own_names(base)[1:])}


@pytest.mark.parametrize(("cls", "name"), OVERRIDDEN, ids=lambda one: getattr(one, "__name__", one))
def test_what_our_subclasses_override_is_there(cls: type, name: str) -> None:
    """By its name, and called with as many arguments: what nobody calls any more would correct nothing."""
    base = next((getattr(one, name) for one in foreign(cls) if name in vars(one)), None)
    assert base is not None
    ours = inspect.getattr_static(cls, name)
    if inspect.isfunction(base) and inspect.isfunction(ours):
        assert _arity(ours) >= _arity(base)


def _arity(function: Callable[..., Any]) -> int:
    return len(inspect.signature(function).parameters)


def test_tables_start_as_fausts_do_but_for_the_pause() -> None:
    """What a new version does there beside it, ours would have to do as well."""
    theirs, ours = ([ast.unparse(line) for line in _body(cls)] for cls in (Tables.__mro__[1], Tables))
    assert theirs == ["await self.sleep(1.0)", *ours]


def _body(cls: type) -> list[ast.stmt]:
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(vars(cls)["on_start"]))).body
    assert isinstance(function, ast.AsyncFunctionDef)
    return function.body[1:]  # after the docstring


def queue(*items: int, size: int = 10) -> Any:
    """Return a queue as a channel's, with items in it."""
    flow = FlowControlEvent(initially_suspended=False)
    made: Any = ThrowableQueue(maxsize=size, flow_control=flow, clear_on_resume=True)
    channel_queue.put_many(made, items)
    return made


async def test_putting_many_wakes_who_waits() -> None:
    """However many: the getter takes the first, the rest is there."""
    one = queue()
    waiting = asyncio.create_task(one.get())
    await asyncio.sleep(0)
    channel_queue.put_many(one, range(20))
    assert await in_time(waiting, 5, what="the first") == 0
    assert one.qsize() == 19


async def test_taking_more_takes_what_is_there() -> None:
    """In order, at most so many, and who could not put goes on."""
    one = queue(1, 2, 3, size=3)
    putting = asyncio.create_task(one.put(4))
    await asyncio.sleep(0)
    assert channel_queue.take_more(one, 2) == [1, 2]
    await in_time(putting, 5, what="the fourth")
    assert channel_queue.take_more(one, 10) == [3, 4]
    assert channel_queue.take_more(one, 10) == []


async def test_who_waits_for_the_queue_to_drain_is_told_once() -> None:
    """When it is at two fifths; until then it does not count as nearly full a second time."""
    one, told = queue(*range(8)), []
    assert channel_queue.is_nearly_full(one)
    channel_queue.when_drained(one, lambda: told.append("drained"))
    assert not channel_queue.is_nearly_full(one)
    channel_queue.take_more(one, 3)
    assert not told
    channel_queue.take_more(one, 1)
    assert told == ["drained"]
    channel_queue.put_many(one, range(8))
    channel_queue.take_more(one, 20)
    assert told == ["drained"]


async def test_modes_own_get_tells_too() -> None:
    """A queue that is read one by one ends the wait as well; one that was forgotten is not told."""
    one, told = queue(*range(8)), []
    channel_queue.when_drained(one, lambda: told.append("drained"))
    for _ in range(6):
        one.get_nowait()
    assert told == ["drained"]
    channel_queue.when_drained(one, lambda: told.append("again"))
    channel_queue.forget_waiting(one)
    channel_queue.take_more(one, 20)
    assert told == ["drained"]
