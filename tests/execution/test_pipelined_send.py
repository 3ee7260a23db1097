"""Batches in two overlapping stages."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence

import pytest

from app.domain.errors import UnreachableError
from app.execution.parts import Part
from app.execution.pipelined_send import PipelinedSend
from app.ports import Record
from tests.support.waiting import eventually


class Line:
    """Batches of names go in; what happens to them is noted in order."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.crashes: list[BaseException] = []
        self.sending: dict[str, asyncio.Future[None]] = {}
        self.pipelined = PipelinedSend[str](self.process, outlet=self, ack=self.ack, crash=self.crash)

    async def process(self, batch: Iterable[str]) -> AsyncGenerator[Part]:
        """Carry out; names in capitals have nothing to send, each letter of a name is a part, the last one ends it."""
        for name in batch:
            self.noted.append(f"process {name}")
            for at, letter in enumerate(name, 1):
                records = [] if name.isupper() else [Record("t", None, letter.encode())]
                yield Part(records, [name] if at == len(name) else [])

    async def send_all(self, records: Sequence[Record]) -> None:
        """Send until the test says that it is durable."""
        name = b"".join(record.value or b"" for record in records).decode()
        self.noted.append(f"send {name}")
        self.sending[name] = asyncio.get_running_loop().create_future()
        await self.sending[name]

    def ack(self, batch: Sequence[str]) -> None:
        """Ack."""
        self.noted.append(f"ack {''.join(batch)}")

    async def crash(self, error: BaseException) -> None:
        """Crash."""
        self.crashes.append(error)

    async def begun(self, name: str) -> asyncio.Future[None]:
        """Wait until a batch is on its way."""
        await eventually(lambda: name in self.sending)
        return self.sending[name]


async def test_the_next_batch_is_carried_out_while_one_is_on_its_way() -> None:
    """Only the waiting overlaps: b is processed before a is durable, and sent after."""
    line = Line()
    await line.pipelined.run(["a"])
    sending = await line.begun("a")
    second = asyncio.create_task(line.pipelined.run(["b"]))
    await eventually(lambda: "process b" in line.noted)
    assert line.noted == ["process a", "send a", "process b"]
    sending.set_result(None)
    await second
    (await line.begun("b")).set_result(None)
    await line.pipelined.finish()
    assert line.noted == ["process a", "send a", "process b", "ack a", "send b", "ack b"]


async def test_nothing_is_acked_before_it_is_durable() -> None:
    """A batch on its way that is given up stays unacked."""
    line = Line()
    await line.pipelined.run(["a"])
    await line.begun("a")
    await line.pipelined.stop()
    assert line.noted == ["process a", "send a"]
    assert not line.crashes


async def test_of_a_batch_each_record_is_acked_when_all_that_follows_from_it_is_durable() -> None:
    """Part by part: each is sent when the one before it is durable."""
    line = Line()
    batch = asyncio.create_task(line.pipelined.run(["xy", "z", "A"]))
    told: list[str] = []
    for name, then in (("x", []), ("y", ["ack xy"]), ("z", ["ack z", "ack A"])):
        sending = await line.begun(name)
        told.append(f"send {name}")
        assert [one for one in line.noted if not one.startswith("process")] == told
        sending.set_result(None)
        told += then
    await batch
    assert [one for one in line.noted if not one.startswith("process")] == told


async def test_of_a_batch_no_more_is_made_than_what_waits_to_be_sent() -> None:
    """Of a thousand parts two at most are in memory: one on its way, and one that is made."""
    line, made = Line(), 0

    async def thousand(_: Iterable[str]) -> AsyncGenerator[Part]:
        nonlocal made
        for made in range(1, 1001):
            yield Part([Record("t", None, str(made).encode())], [])

    pipelined = PipelinedSend[str](thousand, outlet=line, ack=line.ack, crash=line.crash)
    running = asyncio.create_task(pipelined.run(["a"]))
    for at in range(1, 6):
        (await line.begun(str(at))).set_result(None)
        assert made <= at + 1
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await pipelined.stop()
    assert not any(one.startswith("ack") for one in line.noted)


async def test_a_batch_with_nothing_to_send_is_acked_after_the_one_before_it() -> None:
    """Acks keep the order of the batches."""
    line = Line()
    await line.pipelined.run(["a"])
    second = asyncio.create_task(line.pipelined.run(["B"]))
    (await line.begun("a")).set_result(None)
    await second
    assert line.noted[-2:] == ["ack a", "ack B"]


async def test_a_sender_that_gives_up_ends_the_process_and_the_line() -> None:
    """Kafka failed for good: no ack, the process is told to end, and no later batch overtakes the lost one."""
    line = Line()
    await line.pipelined.run(["a"])
    (await line.begun("a")).set_exception(UnreachableError("away"))
    await eventually(lambda: bool(line.crashes))
    with pytest.raises(UnreachableError):
        await line.pipelined.run(["b"])
    assert not any(note.startswith("ack") for note in line.noted)
    assert "send b" not in line.noted


async def test_what_processing_raises_reaches_the_caller() -> None:
    """Postgres failed for good: nothing is acked."""
    line = Line()

    async def fails(_: Iterable[str]) -> AsyncGenerator[Part]:
        raise UnreachableError("away")
        yield Part([], [])

    pipelined = PipelinedSend[str](fails, outlet=line, ack=line.ack, crash=line.crash)
    with pytest.raises(UnreachableError):
        await pipelined.run(["a"])
    assert not line.noted
