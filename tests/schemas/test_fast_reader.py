"""The fast reader of slips, held against pydantic, which reads them all."""

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Annotated, Any, Final

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from app.domain.errors import PoisonError
from app.execution.routing import Router, read_command
from app.topics import Topics
from schemas.base import Contract
from schemas.command import Command, PinnedRevision, read_pinned
from schemas.fast_reader import FastReader
from schemas.field_errors import field_errors
from schemas.incoming import MAX_SLIP_NESTING, load_object
from schemas.result import ActionResult
from tests.support.records import FakeRecord, cloud_event
from tests.support.slips import NOW, action, command

ROUTER: Final = Router(Topics("t."), frozenset({"apply_tag", "webhook"}))
_RESULT: Final = ActionResult(step=0, action_type="webhook", status="success", executed_at=NOW, output={"n": 1.5})
_SLIP: Final = command(
    action("webhook", url="http://x.example"),
    action(order=2, tag="vip"),
    step=1,
    results=[_RESULT],
    kept=[_RESULT.model_copy(update={"resume_at": NOW, "error": "é"})],
    verdicts=[{"path": "order.total", "met": True, "actual": 12.5}],
    waits_since=NOW,
    event_at=NOW.replace(microsecond=12),
    traceparent="00-1",
)
_FIELDS: Final[dict[str, Any]] = orjson.loads(_SLIP.encode())
# What JSON may hold in the place of anything, written out, since no encoder would write some of it.
_ODD: Final = (
    *(
        "null",
        "true",
        "false",
        "[]",
        "{}",
        '""',
        '"1"',
        '"a"',
        "[1]",
        "[{}]",
        '{"a":1}',
        '[{"a":[[1]]}]',
        '[{"1":null}]',
    ),
    *("0", "1", "-1", "-0", "1.0", "1.5", "-0.0", "1e2", "1e400", "01", "NaN", "Infinity", "-", "1.", ".5"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551616", "123456789012345678901234567890"),
    *(
        '"\\u0000"',
        '"a\\u0000"',
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        '"\\u00e9"',
        '{"\\u0000":1}',
        '"\x01"',
        '"\t"',
        '"\\x"',
    ),
    *('"2026-03-01T12:00:00Z"', '"2026-03-01T12:00:00.5Z"', '"2026-03-01T12:00:00.1234567Z"', '"2026-03-01T12:00:00"'),
    *('"2026-03-01T12:00:00.1234567"', '"2026-03-01T12:00:00.12345678Z"', '"2026-03-01T12:00:00.999999+00:00"'),
    *(
        '"2026-03-01 12:00:00Z"',
        '"2026-03-01t12:00:00z"',
        '"2026-03-01T12:00:00+0300"',
        '"2026-03-01"',
        '"2026-03-01T12:00Z"',
    ),
    *(
        '"2026-03-01T24:00:00Z"',
        '"2026-03-01T23:59:60Z"',
        '"2026-02-30T12:00:00Z"',
        '"0000-01-01T00:00:00Z"',
        "1772366400",
    ),
    *(
        '"normal"',
        '"high"',
        '"success"',
        '"6F1C2F0E3C6B5D079A430D8D0B7F3A11"',
        '"{6f1c2f0e-3c6b-5d07-9a43-0d8d0b7f3a11}"',
    ),
    "[" * 200 + "]" * 200,
    '{"a":' * 130 + "1" + "}" * 130,
)


def _paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [before, *(path for name, inner in items for path in _paths(inner, (*before, name)))]


_PATHS: Final = [path for path in _paths(_FIELDS) if path]


def slowly(value: bytes) -> Command:
    """Read a slip by pydantic alone."""
    try:
        return Command.model_validate(load_object(value, max_nesting=MAX_SLIP_NESTING))
    except ValidationError as error:
        raise PoisonError.naming("invalid_command", field_errors(error, Command)) from None


def outcome(read: Callable[[bytes], Command], value: bytes) -> tuple[str, ...]:
    """Return what a reader makes of a slip, so that 1, 1.0 and true are told apart; or why it makes nothing."""
    try:
        made = read(value)
    except PoisonError as error:
        return error.reason, error.detail
    own = PinnedRevision.model_validate(made.workflow.model_dump())
    made.workflow = own  # which is written by its fields, and not as it was read
    return repr(list(made.__dict__)), repr(made.encode())


def agree(value: bytes) -> None:
    """Both readers make the same of it, and the fast one nothing that is of another topic."""
    expected = outcome(slowly, value)
    try:
        command_type = orjson.loads(value)["workflow"]["actions"][slowly(value).step]["type"]
    except (PoisonError, orjson.JSONDecodeError, LookupError, TypeError):
        command_type = "webhook"
    found = outcome(lambda one: read_command(FakeRecord(one), command_type), value)
    assert found == expected or (found[0] == "invalid_command" and found[1].startswith("step: there are only"))


def changed(path: tuple[Any, ...], literal: str) -> bytes:
    """Return the slip with a literal in one place, as it is."""
    fields = orjson.loads(orjson.dumps(_FIELDS))
    place = fields
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = "@here@"
    return orjson.dumps(fields).replace(b'"@here@"', literal.encode("utf-8", "surrogatepass"))


@given(path=st.sampled_from(_PATHS), literal=st.sampled_from(_ODD))
@example(path=("matched_at",), literal='"2026-03-01T12:00:00.1234567Z"')
@example(path=("results", 0, "executed_at"), literal='"2026-03-01T12:00:00.9999999Z"')
@example(path=("matched_at",), literal='"2026-03-01T12:00:00"')
@example(path=("event", "id"), literal='"\\u0000"')
@example(path=("verdicts",), literal="[1]")
def test_both_readers_make_the_same_of_odd_values(path: tuple[Any, ...], literal: str) -> None:
    """Anything in any place of a slip: the same command, or the same reason and text."""
    agree(changed(path, literal))


@given(path=st.sampled_from(_PATHS), literal=st.sampled_from(_ODD), name=st.sampled_from(sorted(_FIELDS)))
def test_both_readers_make_the_same_of_a_name_that_is_there_twice(
    path: tuple[Any, ...], literal: str, name: str
) -> None:
    """The last one counts, and the one before must be JSON all the same."""
    twice = changed(path, literal)
    agree(b"{" + orjson.dumps(name) + b":" + literal.encode("utf-8", "surrogatepass") + b"," + twice[1:])
    agree(twice[:-1] + b"," + orjson.dumps(name) + b":" + orjson.dumps(_FIELDS[name]) + b"}")


@given(at=st.integers(0, len(_SLIP.encode())), cut=st.integers(0, 3), put=st.binary(max_size=3))
def test_both_readers_make_the_same_of_damaged_bytes(at: int, cut: int, put: bytes) -> None:
    """What is no JSON, no UTF-8 or no command any more is refused for the same reason."""
    whole = _SLIP.encode()
    agree(whole[:at] + put + whole[at + cut :])


@given(leave=st.sets(st.sampled_from(sorted(_FIELDS))), more=st.booleans())
def test_both_readers_fill_in_what_is_left_out(leave: set[str], *, more: bool) -> None:
    """An older writer's slip lacks fields, a newer one's has more."""
    fields = {name: value for name, value in _FIELDS.items() if name not in leave}
    agree(orjson.dumps({**fields, "colour": "red"} if more else fields))


def test_what_is_written_is_read_fast() -> None:
    """A slip of ours need not go through pydantic: the matcher's, a later one, one that waited."""
    reader = FastReader(Command, apart=("workflow",))
    for one in (_SLIP, command(action(), matched_at=NOW.astimezone(timezone(timedelta(0))))):
        read = reader.read(orjson.loads(one.encode()), workflow=one.workflow)
        assert read == one
        assert read is not None
        assert read.encode() == one.encode()


@pytest.mark.parametrize(("model", "apart"), [(Command, {"workflow"}), (ActionResult, set())])
def test_the_fast_reader_knows_every_field(model: type[Contract], apart: set[str]) -> None:
    """One that is added to the contract is read, too, and what is not given is each model's own."""
    reader = FastReader(model, apart=apart)
    least = {
        name: orjson.loads(_SLIP.encode() if model is Command else _RESULT.encode())[name] for name in required(model)
    }
    first, second = (reader.read(least, **dict.fromkeys(apart, _SLIP.workflow)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.__dict__.keys() == model.model_fields.keys()
    assert model.model_validate(first.__dict__) == first
    for name, value in first.__dict__.items():
        assert not isinstance(value, list | dict) or value is not getattr(second, name) or name in least


def required(model: type[Contract]) -> list[str]:
    """Return the fields that must be given."""
    return [name for name, info in model.model_fields.items() if info.is_required()]


def test_a_rule_that_msgspec_would_not_keep_is_refused_at_once() -> None:
    """Who adds one to a contract hears of it when the process starts, and not by a slip that should not be read."""

    class Bounded(Contract):
        text: Annotated[str, Field(max_length=3)]

    with pytest.raises(TypeError, match="text: a rule that msgspec is not told of"):
        FastReader(Bounded)


def test_what_a_command_holds_is_what_it_writes() -> None:
    """Another event, another revision, or a copy with other fields: never the bytes that were read."""
    made = read_command(FakeRecord(_SLIP.encode()), "apply_tag")
    event = cloud_event(id="another")
    other = made.model_copy(update={"event": event, "workflow": made.workflow.model_copy(update={"version": 77})})
    written = orjson.loads(other.encode())
    assert (written["event"], written["workflow"]["version"]) == (event, 77)
    made.event["id"], made.workflow = "changed", command(action(order=5)).workflow
    written = orjson.loads(made.encode())
    assert (written["event"]["id"], written["workflow"]["actions"][0]["order"]) == ("changed", 5)


def test_a_revision_goes_on_as_it_came() -> None:
    """A newer writer's fields in it reach the newer readers behind an older executor, and it is checked once."""
    fields = {**_FIELDS["workflow"], "colour": "red"}
    made = read_command(FakeRecord(orjson.dumps({**_FIELDS, "workflow": fields})), "apply_tag")
    assert orjson.loads(made.encode())["workflow"] == fields
    assert read_pinned(orjson.dumps(fields)) is made.workflow


def test_a_shared_revision_cannot_be_changed() -> None:
    """Commands of one revision hold one object."""
    made = read_command(FakeRecord(_SLIP.encode()), "apply_tag")
    with pytest.raises(ValidationError):
        made.workflow.version = 4  # type: ignore[misc]
