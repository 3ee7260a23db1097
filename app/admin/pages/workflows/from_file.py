"""``/workflows/new/file``: workflows as ``headrace workflows export`` writes them, or as a colleague has sent them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from app.admin.pages.declared import form, page
from app.admin.pages.forms import one_of_each, see_other
from app.admin.pages.rendering import rendered
from app.admin.pages.workflows.addresses import NEW, did, editor
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import FieldError, InvalidError
from app.domain.wall import WallReachedError, walled
from app.services.workflows.files.documents import Document, documents_of, written
from app.services.workflows.files.yaml_values import UnreadableError

_PATH: Final = f"{NEW}/file"
_MOST: Final = 20
_NAME: Final = "the text"
_LONG: Final = "takes too long to read here; the command headrace workflows apply takes larger ones"


async def show_file(request: web.Request) -> web.Response:
    """Show where to put the file's text."""
    return _shown(request, "", [])


def _shown(request: web.Request, text: str, wrong: Sequence[str]) -> web.Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return rendered(request, "workflows/file.html", status=status, text=text, wrong=wrong)


async def make_of_file(request: web.Request) -> web.Response:
    """Make the workflows that a text holds, switched off; none of them where anything is wrong with any."""
    text = one_of_each(request).get("text", "")
    try:
        documents = _documents(text)
    except (UnreadableError, WallReachedError) as error:
        return _shown(request, text, [_unread(error)])
    wrong = [said for one in documents for said in await _wrong(request, one)]
    if wrong:
        return _shown(request, text, wrong)
    state, caller = request.app[STATE], request[CALLER]
    made = [await state.workflows.create(caller, written(one.value)) for one in documents]
    return see_other(editor(made[0].id)) if len(made) == 1 else did(request, "made", [one.id for one in made])


def _documents(text: str) -> list[Document]:
    """Read the text.

    Raises:
        UnreadableError: It is no YAML or JSON, holds no workflow, or too many.
        WallReachedError: It takes too long.
    """
    if not text.strip():
        raise UnreadableError(None, "is empty; choose a file, or paste what it says")
    documents = walled(documents_of, _NAME, text)
    if len(documents) > _MOST:
        raise UnreadableError(None, f"holds {len(documents)} workflows; at most {_MOST} are made at once")
    return documents


def _unread(error: UnreadableError | WallReachedError) -> str:
    if isinstance(error, WallReachedError):
        return f"The text {_LONG}."
    where = f"Line {error.line}: the text" if error.line else "The text"
    return f"{where} {error.message}."


async def _wrong(request: web.Request, document: Document) -> list[str]:
    try:
        await request.app[STATE].workflows.read(written(document.value))
    except InvalidError as error:
        return [_said(document, one) for one in error.errors]
    return []


def _said(document: Document, error: FieldError) -> str:
    line = document.place(error.path).removeprefix(_NAME).removeprefix(":")
    return ": ".join(filter(None, [f"Line {line}" if line else "", error.path, error.message]))


PAGES: Final = (
    page(_PATH, "workflowFromFilePage", "Workflows from a file", show_file),
    form(_PATH, "workflowFromFileForm", "Make workflows from a file", make_of_file, conflicts=True),
)
