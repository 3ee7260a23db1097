"""Batches in two overlapping stages."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from app.domain.errors import UnreachableError
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

    async def process(self, batch: Sequence[str]) -> AsyncGenerator[list[Record]]:
        """Carry out; names in capitals have nothing to send, each letter of a name is a part."""
        self.noted.append(f"process {''.join(batch)}")
        for at in range(max(map(len, batch))):
            yield [Record("t", None, name[at].encode()) for name in batch if not name.isupper() and name[at:]]

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


async def test_a_batch_that_makes_much_is_sent_in_parts_and_acked_after_the_last() -> None:
    """Each part is sent when the one before it is durable; none with nothing in it."""
    line = Line()
    batch = asyncio.create_task(line.pipelined.run(["xyz", "A"]))
    for name in "xyz":
        sending = await line.begun(name)
        assert line.noted[1:] == [f"send {one}" for one in "xyz"[: "xyz".index(name) + 1]]
        sending.set_result(None)
    await batch
    await line.pipelined.finish()
    assert line.noted == ["process xyzA", "send x", "send y", "send z", "ack xyzA"]


async def test_of_a_batch_no_more_is_made_than_what_waits_to_be_sent() -> None:
    """Of a thousand parts three at most are in memory: one on its way, one that waits, one that is being made."""
    line, made = Line(), 0

    async def thousand(_: Sequence[str]) -> AsyncGenerator[list[Record]]:
        nonlocal made
        for made in range(1, 1001):
            yield [Record("t", None, str(made).encode())]

    pipelined = PipelinedSend[str](thousand, outlet=line, ack=line.ack, crash=line.crash)
    running = asyncio.create_task(pipelined.run(["a"]))
    for at in range(1, 6):
        (await line.begun(str(at))).set_result(None)
        assert made <= at + 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await pipelined.stop()
    assert not any(one.startswith("ack") for one in line.noted)


async def test_a_batch_whose_middle_fails_is_not_acked() -> None:
    """What was sent of it comes again, with the rest."""
    line = Line()

    async def breaks(_: Sequence[str]) -> AsyncGenerator[list[Record]]:
        yield [Record("t", None, b"a")]
        yield [Record("t", None, b"b")]
        raise UnreachableError("away")

    pipelined = PipelinedSend[str](breaks, outlet=line, ack=line.ack, crash=line.crash)
    running = asyncio.create_task(pipelined.run(["a"]))
    (await line.begun("a")).set_result(None)
    with pytest.raises(UnreachableError):
        await running
    await pipelined.finish()
    assert line.noted == ["send a"]


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

    async def fails(_: Sequence[str]) -> AsyncGenerator[list[Record]]:
        raise UnreachableError("away")
        yield []

    pipelined = PipelinedSend[str](fails, outlet=line, ack=line.ack, crash=line.crash)
    with pytest.raises(UnreachableError):
        await pipelined.run(["a"])
    assert not line.noted
