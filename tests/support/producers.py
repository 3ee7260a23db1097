"""A producer of aiokafka's that dies of an error that it does not foresee, as its sending task can."""

from typing import Any, Never


def die(producer: Any) -> None:
    """Let what it sends next end the task that sends."""

    async def send(*_: Any, **__: Any) -> Never:
        raise RuntimeError("an error that nobody foresaw")

    producer.client.send = send
