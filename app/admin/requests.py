"""Reading requests: bodies, query strings, ids, preconditions; what is wrong in them comes out as our own errors."""

import re
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from app.admin.bodies import read_body
from app.admin.cursors import mark_of, marked, unmarked
from app.admin.operations import OPERATION
from app.admin.problems import MAX_ERRORS, PreconditionRequiredError, UnsupportedTypeError
from app.admin.state import STATE
from app.domain.callers import Caller
from app.domain.errors import FieldError, InvalidError, NotFoundError, StaleVersionError
from app.domain.storable import is_storable, unstorable
from app.domain.versions import Expected
from schemas.base import encode
from schemas.field_errors import field_errors, path_text
from schemas.incoming import MAX_NESTING
from schemas.json_places import given_up_at, long_integers, may_repeat_keys, not_utf8, repeated_keys
from schemas.reading import Judge, read_whole

CALLER: Final = web.RequestKey("caller", Caller)
_NONE: Final[Mapping[str, str]] = {}
_LIST: Final = web.RequestKey("list", str)

M = TypeVar("M", bound=BaseModel)

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
_ANY_TAG: Final = re.compile(r'(?:W/)?"[^"]*"')
_ETAG: Final = re.compile(r'"(0|[1-9][0-9]{0,8})"')


def check_headers(request: web.Request) -> None:
    """Check that the headers are text: what is no UTF-8 comes as lone surrogates, which nothing can encode again.

    Raises:
        InvalidError: One is not.
    """
    unreadable = [name for name, value in request.headers.items() if not value.isascii() and not is_storable(value)]
    if unreadable:
        raise InvalidError([FieldError(name, "is no text in UTF-8") for name in sorted(set(unreadable))])


async def read_json(request: web.Request, accepted: Collection[str]) -> Any:
    """Read a JSON body of as many bytes as its operation says.

    Raises:
        UnsupportedTypeError: Its content type is none of ``accepted``.
        InvalidError: It is not JSON, holds an integer over 64 bits or a key twice, or nests too deep to be encoded.
        Exception: It cannot be read; see :func:`app.admin.bodies.read_body`.
    """
    return _parsed(await _body(request, accepted))


async def read_document(request: web.Request, accepted: Collection[str]) -> Any:
    """Read a JSON body that is to be stored, with nothing in it that Postgres or our encoder refuses.

    Of an operation whose body may be left out, none is an object without keys.

    Raises:
        UnsupportedTypeError: Its content type is none of ``accepted``.
        InvalidError: It is not JSON, holds a NUL character, an integer over 64 bits or a key twice, or nests too deep.
        Exception: It cannot be read; see :func:`app.admin.bodies.read_body`.
    """
    body = request[OPERATION].body
    if body is not None and body.optional and not request.body_exists:
        return {}
    return document_of(await _body(request, accepted))


def document_of(raw: bytes) -> Any:
    """Read JSON that is to be stored, wherever it was written.

    Raises:
        InvalidError: It is not JSON, holds a NUL character, an integer over 64 bits or a key twice, or nests too deep.
    """
    value = _parsed(raw)
    if len(raw) > 2 * MAX_NESTING or b"\\u0000" in raw:
        _refuse_unstorable(value)
    return value


async def _body(request: web.Request, accepted: Collection[str]) -> bytes:
    if request.content_type not in accepted:
        raise UnsupportedTypeError(f"Send the body as {' or '.join(accepted)}")
    if request.charset not in {None, "utf-8", "UTF-8"}:
        raise UnsupportedTypeError("Send the body in UTF-8")
    body = request[OPERATION].body
    assert body is not None, "an operation that reads a body declares it"
    return await read_body(request, request.app[STATE].bodies.limits, body.most)


def _parsed(raw: bytes) -> Any:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        deep = given_up_at(error, raw, MAX_NESTING)
        raise InvalidError([deep or FieldError("", f"the body {not_utf8(raw) or f'is not JSON: {error}'}")]) from None
    inexact = long_integers(raw)
    if inexact:
        raise InvalidError(inexact)
    try:
        again = orjson.dumps(value)
    except orjson.JSONEncodeError:
        _refuse_unstorable(value)
        raise
    repeated = repeated_keys(raw) if may_repeat_keys(raw, again) else ()
    if repeated:
        raise InvalidError(repeated)
    return value


def read_query(request: web.Request, model: type[M]) -> M:
    """Read the query string into a model that knows every key; of a list, ``cursor`` is the position that it names.

    Raises:
        InvalidError: A key is unknown, given twice, or its value is wrong; the cursor is of another list.
    """
    query = request.query
    wrong = {key: "is given more than once" for key in sorted(query.keys()) if len(query.getall(key)) > 1}
    wrong |= {key: "is no text that can be looked up" for key, value in query.items() if not is_storable(value)}
    return read_values(request, dict(query), model, wrong)


def read_values(request: web.Request, values: Mapping[str, str], model: type[M], wrong: Mapping[str, str] = _NONE) -> M:
    """Read texts, as a query or a form has them, into a model; of a list, ``cursor`` is the position that it names.

    Args:
        request: Where they come from.
        values: By name.
        model: Says what they are.
        wrong: What is wrong with some of them already.

    Raises:
        InvalidError: A name is unknown, or its value is wrong; the cursor is of another list.
    """
    errors = [FieldError(key, said) for key, said in wrong.items()]
    try:
        read = model.model_validate(values)
    except ValidationError as error:
        errors += [one for one in field_errors(error, model) if one.path not in wrong]
        raise InvalidError(errors) from None
    if errors:
        raise InvalidError(errors)
    return _at_its_place(request, read) if "cursor" in model.model_fields else read


def _at_its_place(request: web.Request, query: M) -> M:
    """Return a list's query with the position in place of the token."""
    request[_LIST] = mark_of(request.path, query)
    token: str | None = getattr(query, "cursor", None)
    return query if token is None else query.model_copy(update={"cursor": unmarked(request[_LIST], token)})


def next_cursor(request: web.Request, position: str | None) -> str | None:
    """Return the token of the next page's position, for the list whose query was read."""
    return marked(request[_LIST], position)


def read_model(value: Any, model: type[M], judge: Judge = lambda _: ()) -> M:
    """Read a JSON value into a model; ``judge`` says what else is wrong with the fields that hold.

    Raises:
        InvalidError: A field is wrong, or unknown.
    """
    return read_whole(value, model, judge)


def path_id(request: web.Request, what: str) -> UUID:
    """Read the id in the path.

    Raises:
        NotFoundError: It is no id, so nothing can have it.
    """
    try:
        return UUID(request.match_info["id"])
    except ValueError:
        raise NotFoundError(f"There is no such {what}") from None


def path_number(request: web.Request, what: str, name: str = "number") -> int:
    """Read a number in the path.

    Raises:
        NotFoundError: It is no number, so nothing can have it.
    """
    number = request.match_info[name]
    if _NUMBER.fullmatch(number) is None:
        raise NotFoundError(f"There is no such {what}")
    return int(number)


def expected_version(request: web.Request, *, required: bool) -> Expected:
    """Read ``If-Match``: the versions that the caller takes; None for any (``*``, or none where it is optional).

    It is a list (RFC 9110, 13.1.1), in one line or several. A tag that is not of ours, or weak, is of no version.

    Raises:
        PreconditionRequiredError: It is required and missing.
        StaleVersionError: It is an ETag that no version has.
    """
    header = ",".join(request.headers.getall("If-Match", ())).strip()
    if header == "*" or (not header and not required):
        return None
    if not header:
        raise PreconditionRequiredError("Send If-Match with the ETag you have read, or * for any")
    rest = {one.strip() for one in _ANY_TAG.sub("\0", header).split(",")}
    known = [_ETAG.fullmatch(one.group()) for one in _ANY_TAG.finditer(header)]
    versions = frozenset(int(one[1]) for one in known if one)
    if not versions or not rest <= {"", "\0"}:
        raise StaleVersionError('If-Match names no version; send the ETag as it came, such as "3"')
    return versions


def etag(version: int) -> dict[str, str]:
    """The header that carries a version."""
    return {"ETag": f'"{version}"'}


def answer(body: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with a model as JSON."""
    return web.Response(body=encode(body), status=status, content_type="application/json", headers=headers)


def _refuse_unstorable(value: Any) -> None:
    """Refuse NUL characters, which Postgres cannot store, and nesting that our encoder cannot write.

    Raises:
        InvalidError: It holds either, and where.
    """
    errors: list[FieldError] = []
    for one in islice(unstorable(value, MAX_NESTING), MAX_ERRORS + 1):
        error = FieldError(path_text(one.place), one.message)
        if one.is_deep:
            raise InvalidError([error])
        errors.append(error)
    if errors:
        raise InvalidError(errors)
