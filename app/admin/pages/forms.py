"""Forms: what a browser sends of one, read into a model; a wrong one is shown again, with what is wrong."""

from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel

from app.admin.bodies import HOLD, read_body
from app.admin.forgery import GIVEN
from app.admin.limits import KIB
from app.admin.problems import UnsupportedTypeError
from app.admin.requests import read_values
from app.admin.state import STATE
from app.domain.callers import NOBODY
from app.domain.errors import FieldError, InvalidError
from app.domain.storable import is_storable

_TYPE: Final = "application/x-www-form-urlencoded"
_MOST_BYTES: Final = 256 * KIB
_MOST_FIELDS: Final = 1000
_FORGERY: Final = "csrf_token"
_QUESTION: Final = "ask"

Fields = Mapping[str, list[str]]
FORM: Final = web.RequestKey("form", Fields)
# What is to be asked before the form does what it says; empty where it was asked by a dialog.
QUESTION: Final = web.RequestKey("question", str)
M = TypeVar("M", bound=BaseModel)


async def take_form(request: web.Request) -> None:
    """Read a form before it is known who sends it: its token says whether that is their own page.

    Raises:
        UnsupportedTypeError: It is no form.
        InvalidError: It is not text, or has too many fields.
        Exception: It cannot be read; see :func:`app.admin.bodies.read_body`.
    """
    if request.content_type != _TYPE:
        raise UnsupportedTypeError(f"Send the form as {_TYPE}")
    bodies = request.app[STATE].bodies
    with bodies.holding(NOBODY) as request[HOLD]:
        raw = await read_body(request, bodies.limits, _MOST_BYTES)
    fields = _fields(raw)
    request[QUESTION] = fields.pop(_QUESTION, [""])[0]
    request[GIVEN] = fields.pop(_FORGERY, [""])[0]
    request[FORM] = fields


def _fields(raw: bytes) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise InvalidError([FieldError("", f"the form is no text, or has more than {_MOST_FIELDS} fields")]) from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    wrong = [name for name, values in fields.items() if not all(map(is_storable, (name, *values)))]
    if wrong:
        raise InvalidError([FieldError(name, "has a character that cannot be stored") for name in wrong])
    return fields


def one_of_each(request: web.Request) -> dict[str, str]:
    """Return each field's value; of one that was sent several times the last: a checkbox's, after its hidden field."""
    return {name: values[-1] for name, values in request[FORM].items()}


def read_form(request: web.Request, model: type[M]) -> M:
    """Read the form into a model; a field that was left empty is as one that was not sent.

    Raises:
        InvalidError: A field is wrong, or unknown.
    """
    return read_values(request, {name: value for name, value in one_of_each(request).items() if value}, model)


def said_at(error: InvalidError) -> dict[str, str]:
    """Return what is wrong at each field, for the form that is shown again."""
    return {one.path: one.message for one in error.errors}


def see_other(path: str) -> web.Response:
    """Lead to a page after a form was done, so that loading it again does nothing twice."""
    return web.Response(status=303, headers={"Location": path}, text="")
