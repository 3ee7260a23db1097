"""What all contracts share: schema version, tolerant readers, fast encoding."""

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A message that crosses a process boundary.

    Readers ignore fields they don't know (DESIGN 3), so that an older reader survives a newer writer.
    """

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    def encode(self) -> bytes:
        """Return the JSON bytes for Kafka; about ten times cheaper than ``model_dump_json``.

        Raises:
            TypeError: A value is not JSON (our own mistake, never bad input: input came in as JSON).
        """
        return encode(self)


def encode(value: object) -> bytes:
    """Return the JSON bytes of contracts, or of plain dicts with contracts and :class:`orjson.Fragment` in them.

    Raises:
        TypeError: A value is not JSON.
    """
    return orjson.dumps(value, default=_fields, option=orjson.OPT_UTC_Z)


def _fields(value: object) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return value.__dict__
    raise TypeError(f"not JSON: {type(value).__name__}")
