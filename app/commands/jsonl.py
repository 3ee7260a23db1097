"""Read events from a file of JSON lines, compressed or not, and remember on which line each one stands."""

import gzip
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click
import orjson

from app.domain.errors import FieldError
from schemas.incoming import MAX_NESTING
from schemas.integers import over_64_bits
from schemas.json_places import deep_place, may_repeat_keys, nests_too_deep, not_utf8, repeated_keys


@dataclass(frozen=True, slots=True)
class JsonLines:
    """An open file.

    Attributes:
        text: Its lines, decompressed.
        raw: The file as it is on disk, whose position tells the progress.
        size: Bytes on disk; None for a pipe.
    """

    text: Iterable[bytes]
    raw: io.BufferedReader
    size: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some events in a row.

    Attributes:
        events: The decoded events.
        numbers: The line of each, from 1.
        size: Bytes of the file read for them.
    """

    events: list[dict[str, Any]]
    numbers: list[int]
    size: int

    def joined(self, other: "Batch") -> "Batch":
        """Return these and those after them."""
        return Batch([*self.events, *other.events], [*self.numbers, *other.numbers], self.size + other.size)

    def where(self, error: FieldError) -> str:
        """Say on which line an error of ``emit_many`` stands: its path begins with the position, ``[3].type``."""
        position, _, path = error.path.removeprefix("[").partition("]")
        line = self.numbers[int(position)] if position.isdigit() else self.numbers[0]
        return f"line {line}: {path.lstrip('.')}: {error.message}" if path else f"line {line}: {error.message}"

    def before(self, error: FieldError) -> "Batch":
        """Return the events that stand before the one of an error."""
        position, _, _ = error.path.removeprefix("[").partition("]")
        size = int(position) if position.isdigit() else 0
        return Batch(self.events[:size], self.numbers[:size], 0)


class BadLineError(click.ClickException):
    """A line is no event.

    Attributes:
        before: The events of its batch that stand before it.
    """

    exit_code = 2

    def __init__(self, message: str, before: Batch) -> None:
        super().__init__(message)
        self.before = before

    def __str__(self) -> str:
        return self.message


@contextmanager
def open_jsonl(file: Path) -> Iterator[JsonLines]:
    """Open a file, ``-`` for standard input; what begins as gzip does is decompressed, under any name."""
    if str(file) == "-":
        piped: io.BufferedReader = io.BufferedReader(cast("Any", sys.stdin.buffer))  # peek() is all that it adds
        yield JsonLines(_decompressed(piped), piped, None)
        return
    with file.open("rb") as opened:
        yield JsonLines(_decompressed(opened), opened, file.stat().st_size)


def batches(lines: JsonLines, size: int) -> Iterator[Batch]:
    """Yield the events in batches of at most ``size``; blank lines are passed over.

    Raises:
        BadLineError: A line is no JSON object, or the compressed data is damaged; names the line.
    """
    events: list[dict[str, Any]] = []
    numbers: list[int] = []
    position = 0
    read = enumerate(_safe(lines.text), start=1)
    while True:
        try:
            number, line = next(read, (0, b""))
            decoded = _decoded(line, number) if line.strip() else None
        except _NoEventError as error:
            raise BadLineError(str(error), Batch(events, numbers, 0)) from None
        if not number:
            break
        if decoded is not None:
            events.append(decoded)
            numbers.append(number)
        if len(events) == size:
            reached = _position(lines)
            yield Batch(events, numbers, reached - position)
            events, numbers, position = [], [], reached
    if events:
        yield Batch(events, numbers, _position(lines) - position)


class _NoEventError(Exception):
    """What is read is no event."""


def _decompressed(raw: io.BufferedReader) -> Iterable[bytes]:
    return gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == b"\x1f\x8b" else raw


def _safe(text: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from text
    except (EOFError, OSError) as error:
        raise _NoEventError(f"the file cannot be read to its end: {error}") from None


def _decoded(line: bytes, number: int) -> dict[str, Any]:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if nests_too_deep(error):
            raise _too_deep(line, number) from None
        raise _NoEventError(f"line {number} {not_utf8(line) or f'is no JSON: {error}'}") from None
    if not isinstance(event, dict):
        raise _NoEventError(f"line {number} is no JSON object")
    inexact = over_64_bits(line)
    if inexact is not None:
        raise _NoEventError(f"line {number}: {inexact}")
    try:
        again = orjson.dumps(event)
    except orjson.JSONEncodeError:
        raise _too_deep(line, number) from None
    repeated = repeated_keys(line) if may_repeat_keys(line, again) else ()
    if repeated:
        raise _NoEventError(f"line {number}: {repeated[0].path}: {repeated[0].message}")
    return event


def _too_deep(line: bytes, number: int) -> _NoEventError:
    deep = deep_place(line, MAX_NESTING)
    return _NoEventError(f"line {number}: {deep.path}: {deep.message}" if deep else f"line {number} nests too deep")


def _position(lines: JsonLines) -> int:
    return lines.raw.tell() if lines.size is not None else 0
