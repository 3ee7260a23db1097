"""What hostile JSON and text cost: twice as much of it takes about twice the CPU, wherever it comes in."""

import gc
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

import orjson
import pytest
from pydantic import ValidationError

from app.actions.addresses import split_list
from app.actions.configs import compile_action
from app.domain.connect_values import document
from app.domain.errors import ActionFailedError, InvalidError, PoisonError
from app.domain.mailboxes import parse_mailbox
from app.domain.moments import parse_days, read_moment
from app.domain.offsets import parse_offset
from app.domain.redaction import Redactor
from app.domain.values import equal, identity, shown
from app.services.delivery.letter_subjects import about
from app.services.ingest.source_envelopes import Opener
from app.services.operations.plain_values import plain
from app.services.workflows.drafts import merge_patch
from schemas.field_errors import field_errors
from schemas.incoming import decode_event, load_exactly
from schemas.integers import over_64_bits
from schemas.source import Source
from schemas.stored_json import read_json
from schemas.workflow import WorkflowDraft
from tests.support.records import FakeRecord

SIZE: Final = 32_768
# Twice as much may take a little more than twice as long; where it took four times, it grew with the square.
GROWTH: Final = 3.2
# What takes less is not worth a comparison, and says nothing on a busy machine.
SMALL_S: Final = 0.04
TRIES: Final = 4

DOCUMENTS: Final[dict[str, Callable[[int], str]]] = {
    "digits": lambda size: '{"a":' + "9" * size + "}",
    "fraction": lambda size: '{"a":0.' + "1" * size + "}",
    "an exponent": lambda size: '{"a":1e' + "9" * size + "}",
    "exponents": lambda size: '{"a":[' + ",".join(["1e300"] * (size // 6)) + "]}",
    "quotes": lambda size: '{"a":"' + '\\"' * (size // 2) + '"}',
    "backslashes": lambda size: '{"a":"' + "\\\\" * (size // 2) + '"}',
    "arrays in arrays": lambda size: '{"a":[' + ",".join(["[" * 60 + "]" * 60] * (size // 121)) + "]}",
    "one key": lambda size: "{" + ",".join(['"k":1'] * (size // 6)) + "}",
    "keys": lambda size: "{" + ",".join(f'"k{n}":1' for n in range(size // 10)) + "}",
    "a long key": lambda size: '{"' + "k" * size + '":1}',
    "objects": lambda size: '{"a":[' + ",".join(['{"a":{"a":{}}}'] * (size // 15)) + "]}",
    "texts": lambda size: '{"a":[' + ",".join(['""'] * (size // 3)) + ",1234567890123456789]}",
    "numbers": lambda size: '{"a":[' + ",".join(["1"] * (size // 2)) + ",1234567890123456789]}",
    "escapes": lambda size: '{"a":"' + "\\ud83d\\ude00" * (size // 12) + '"}',
    "no JSON, quotes": lambda size: '{"a":' + '\\"' * (size // 2),
    "no JSON, an escaped text": lambda size: '{"' + '\\"' * (size // 2),
    "no JSON, a text": lambda size: '{"a":"' + "x" * size,
    "no JSON, braces": lambda size: "{" * size,
    "no JSON, spaces": lambda size: "{" + ('"a"' + " " * 100) * (size // 103),
    "no JSON, a number": lambda size: '{"a":1' + "e+-." * (size // 4),
}
PIECES: Final = (
    *("{{", "}}", "{%", "{#", "{{ ", "{{a.", '{{"', "{%- ", "- ", '"', '\\"', "\\", "\\\\", ",", " ", "\t", "\n"),
    *("a.", "a@", "@", "a", "1", "-", ".", "+1d ", " 1", "<", ">", '"a', "%", "/", "?", "[", "]", "mon,", "-mon"),
    *("\u2028", "&", "&#", "%41", "\\u0041", " for ", "*.", "a-", ":", "'", "\U0001f600"),
)
REFUSALS: Final = (ActionFailedError, InvalidError, PoisonError, ValidationError, ValueError)


def _source(type_name: str) -> Opener:
    written = {"name": "a", "topic": "b", "format": "json", "type": "custom.x", "entity": "a"}
    return Opener(Source.model_validate({**written, "types": {"a.*": type_name}}))


def _drafted(value: Any) -> list[Any]:
    try:
        return [WorkflowDraft.model_validate(value)]
    except ValidationError as error:
        return field_errors(error, WorkflowDraft)


BYTES: Final[dict[str, Callable[[bytes], object]]] = {
    "load_exactly": load_exactly,
    "over_64_bits": lambda raw: over_64_bits(orjson.dumps(orjson.loads(raw))),
    "decode_event": lambda raw: decode_event(FakeRecord(raw)),
    "what a dead letter is about": lambda raw: about(FakeRecord(raw)),
    "read_json": read_json,
    "a JSON column": lambda raw: document(raw.decode()),
    "decimals of a source": _source("decimal(2)").open,
    "decimals of many decimals": _source("decimal(4000)").open,
    "redaction": lambda raw: Redactor(["geheimnis-secret-123"]).text(raw.decode()),
}
VALUES: Final[dict[str, Callable[[Any], object]]] = {
    "equal": lambda value: equal(value, value),
    "identity": lambda value: hash(identity(value, 64)),
    "shown": shown,
    "plain": plain,
    "merge_patch": lambda value: merge_patch(value, value),
    "a draft": _drafted,
    "parts of a draft": lambda value: _drafted(
        {"name": value, "trigger": value, "conditions": value.get("a"), "actions": value.get("a")}
    ),
}
TEXTS: Final[dict[str, Callable[[str], object]]] = {
    "split_list": split_list,
    "parse_mailbox": parse_mailbox,
    "parse_offset": parse_offset,
    "parse_days": parse_days,
    "read_moment": read_moment,
    "send_email": lambda text: compile_action("send_email", {"to": text, "subject": text, "text": text}),
    "webhook": lambda text: compile_action("webhook", {"url": "https://a.example/" + text, "headers": {text: text}}),
    "send_sms": lambda text: compile_action("send_sms", {"to": text, "text": text}),
    "delay": lambda text: compile_action("delay", {"duration": text}),
}


def cpu(work: Callable[[Any], object], value: Any) -> float:
    """What a piece of work takes, whatever comes of it that is an error of ours."""
    gc.disable()  # a full collection in the midst of it says nothing of the work
    try:
        began = time.thread_time()
        with suppress(*REFUSALS):
            work(value)
        return time.thread_time() - began
    finally:
        gc.enable()


def too_steep(work: Callable[[Any], object], make: Callable[[int], Any]) -> str | None:
    """Say by how much the cost grows, where it grows faster than the input in every one of some tries."""
    once, twice = make(SIZE), make(2 * SIZE)
    before = cpu(work, once)
    if before > 25 * SMALL_S:  # so many characters of anything are read in milliseconds
        return f"{before * 1000:.0f} ms for {SIZE}"
    for _ in range(TRIES):
        took = cpu(work, twice)
        if took < max(SMALL_S, GROWTH * before):
            return None
        before = cpu(work, once)
    return f"{before * 1000:.0f} ms for {SIZE}, {took * 1000:.0f} ms for twice as much"


def steep(works: dict[str, Callable[[Any], object]], make: Callable[[int], Any]) -> dict[str, str]:
    """Those that are too steep, and by how much."""
    found = ((name, too_steep(work, make)) for name, work in works.items())
    return {name: said for name, said in found if said}


def loaded(documents: Iterable[str]) -> list[str]:
    """Those that are JSON."""
    return [name for name in documents if not name.startswith("no JSON") and name not in ("digits", "an exponent")]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_bytes_cost_what_they_are_long(name: str) -> None:
    """Records, bodies and columns: no document takes more than twice the CPU for twice the bytes, JSON or not."""
    assert not steep(BYTES, lambda size: DOCUMENTS[name](size).encode())


@pytest.mark.parametrize("name", loaded(DOCUMENTS))
def test_values_cost_what_they_are_large(name: str) -> None:
    """What is compared, logged, merged and checked, once it is read."""
    assert not steep(VALUES, lambda size: orjson.loads(DOCUMENTS[name](size)))


@pytest.mark.parametrize("before", ["", '"'])
@pytest.mark.parametrize("piece", PIECES)
def test_texts_cost_what_they_are_long(piece: str, before: str) -> None:
    """Fields of configs, made of the very characters that their patterns look for."""
    assert not steep(TEXTS, lambda size: before + piece * (size // len(piece)))


def test_decimals_are_not_blown_up() -> None:
    """Seven bytes of a record may become 4,000 digits, but not thirty thousand times."""
    raw = orjson.dumps({"a": ["AQ=="] * 30_000})
    with pytest.raises(
        PoisonError, match=r"a\.262: 'AQ==' is too much beside the others: they become more than 104857"
    ):
        _source("decimal(4000)").open(raw)


def test_an_error_names_no_more_of_a_value_than_it_needs() -> None:
    """A wrong value of a source is cut, or called by its kind."""
    for value, said in (
        ([1] * 9_000, "the array of 9000"),
        ("x" * 9_000, "'" + "x" * 99 + "…"),
        ({}, "the object of 0"),
    ):
        with pytest.raises(PoisonError) as caught:
            _source("date").open(orjson.dumps({"a": [value]}))
        assert str(caught.value) == f"source_mismatch: a.0: {said} is no number of days"


def test_a_body_of_wrong_fields_is_answered_in_short() -> None:
    """A thousand wrong fields are named, each by a hundred characters; of the others it is said how many they are."""
    with pytest.raises(ValidationError) as caught:
        WorkflowDraft.model_validate({f"{n:05d}{'k' * 500}": 1 for n in range(3_000)})
    errors = field_errors(caught.value, WorkflowDraft)
    assert len(errors) == 1_001
    assert max(len(error.path) for error in errors) == 100
    assert errors[-1].message.endswith("more fields are wrong")
