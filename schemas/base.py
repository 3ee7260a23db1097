"""What all contracts share: schema version, tolerant readers, fast encoding."""

from functools import cache
from typing import Any, Final, Self

import orjson
from pydantic import BaseModel, ConfigDict

_WRITTEN_OUT: Final = len("10000000000000000000") - len("1e+19")


class Contract(BaseModel):
    """A message that crosses a process boundary.

    Readers ignore fields they don't know, so that an older reader survives a newer writer.
    """

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        """Return one of all its fields, which have been checked; in a fifth of the time of ``model_construct``.

        Args:
            fields: Every field by its name; the model keeps them.
        """
        made = cls.__new__(cls)
        # What a pickle is made to an object again by.
        made.__setstate__(
            {
                "__dict__": fields,
                "__pydantic_fields_set__": _names(cls),
                "__pydantic_extra__": None,
                "__pydantic_private__": None,
            }
        )
        return made

    def encode(self) -> bytes:
        """Return the JSON bytes for Kafka; about ten times cheaper than ``model_dump_json``.

        Raises:
            TypeError: A value is not JSON (our own mistake, never bad input: input came in as JSON).
        """
        return encode(self)

    def written(self) -> Any:
        """Return the fields as JSON has them, or what is JSON already."""
        return self.__dict__


@cache
def _names(model: type[Contract]) -> set[str]:
    return set(model.model_fields)


def encode(value: object) -> bytes:
    """Return the JSON bytes of contracts, or of plain dicts with contracts and :class:`orjson.Fragment` in them.

    Raises:
        TypeError: A value is not JSON.
    """
    return orjson.dumps(value, default=written, option=orjson.OPT_UTC_Z)


def stored_size(encoded: bytes) -> int:
    """Return the bytes that JSON may take, at most, when it comes back from Postgres and is encoded again.

    ``jsonb`` writes numbers out: ``1e+19`` comes back as a whole number of twenty digits. From ``1e+20`` on they no
    longer fit an integer and are numbers with an exponent again.
    """
    return len(encoded) + _WRITTEN_OUT * encoded.count(b"e+1")


def written(value: object) -> Any:
    """Return the fields of a model as JSON has them: what :func:`orjson.dumps` asks for of what it does not know.

    Raises:
        TypeError: It is no model.
    """
    if isinstance(value, Contract):
        return value.written()
    if isinstance(value, BaseModel):
        return value.__dict__
    raise TypeError(f"not JSON: {type(value).__name__}")
