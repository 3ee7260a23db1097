"""JSON as Postgres holds it, read with any numbers in it: ``jsonb`` keeps some that nothing else can."""

import json
import sys
from typing import Any

import orjson


def read_json(stored: str | bytes) -> Any:
    """Read JSON.

    A number beyond all floats becomes the largest, so that it can be compared and written on; what is nested deeper
    than can be read becomes an object that says so.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        return orjson.loads(stored)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(stored, parse_int=_number, parse_float=_number)
    except RecursionError:
        return {"unreadable": "nested too deeply"}


def _number(literal: str) -> float:
    try:
        number: float = orjson.loads(literal)
    except orjson.JSONDecodeError:
        return -sys.float_info.max if literal.startswith("-") else sys.float_info.max
    return number
