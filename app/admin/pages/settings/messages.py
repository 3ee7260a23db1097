"""``/settings/messages``: message templates, with what they come to for a sample event before they are stored."""

from typing import Any, Final, cast

from aiohttp import web

from app.actions.error_words import error_in_words
from app.admin.message_models import MessageTemplateQuery
from app.admin.pages.declared import form, page
from app.admin.pages.forms import see_other
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.rendering import environment
from app.admin.pages.sandboxed import sandboxed
from app.admin.pages.settings.people import people
from app.admin.pages.settings.reading import REFUSED, Refused, did_of, text_of, version_of, wrong
from app.admin.pages.settings.sections import ROOT, shown
from app.admin.pages.settings.words import KINDS
from app.admin.pages.triggers import event_in_words
from app.admin.requests import CALLER, path_id
from app.admin.state import STATE, Messages
from app.domain.errors import InvalidError
from app.domain.paging import read_cursor
from app.ports.message_templates import MessageFilter
from app.services.ingest.event_samples import SAMPLE_TYPES
from app.services.messages.previewing import DEFAULT_SAMPLE, MessagePreview
from schemas.message_template import MessageTemplate

_ALL: Final = f"{ROOT}/messages"
_DID: Final = {
    "stored": "The template is stored. Steps that run from now on send it as it is.",
    "deleted": "The template is gone.",
}
_WRITTEN: Final = ("name", "kind", "subject", "text", "html")
_WHAT: Final = "message template"


async def show_messages(request: web.Request) -> web.Response:
    """List them."""
    query, given, said = asked(request, MessageTemplateQuery, limit="50")
    wanted, after = MessageFilter(query.kind, query.search), read_cursor(query.cursor)
    found = await _of(request).templates.find(request[CALLER], wanted, after, query.limit)
    words = [f"of the kind {KINDS[query.kind]}"] if query.kind else []
    words += [f"with “{query.search}” in the name"] if query.search else []
    return shown(
        request,
        "messages.html",
        rows=found.items,
        people=await people(request, [row.created_by for row in found.items]),
        given=given,
        wrong=said,
        words=words,
        kinds=KINDS,
        whole=_ALL,
        first=link(_ALL, given) if query.cursor else None,
        next=next_page(request, _ALL, given, found.next_cursor),
        did=did_of(request, _DID),
    )


async def show_new(request: web.Request) -> web.Response:
    """Show the form of a new one."""
    return _form(request, {**dict.fromkeys(_WRITTEN, ""), "kind": "email", "version": ""}, None)


async def show_one(request: web.Request) -> web.Response:
    """Show the form of one."""
    template = await _of(request).templates.get(request[CALLER], path_id(request, _WHAT))
    return _form(request, template.model_dump(include={*_WRITTEN, "version"}), template)


async def add(request: web.Request) -> web.Response:
    """Store a new one."""
    try:
        await _of(request).templates.create(request[CALLER], _draft(request))
    except REFUSED as error:
        return _form(request, _typed(request), None, error)
    return see_other(f"{_ALL}?did=stored")


async def change(request: web.Request) -> web.Response:
    """Store one as it is written now."""
    template = await _of(request).templates.get(request[CALLER], path_id(request, _WHAT))
    try:
        await _of(request).templates.replace(request[CALLER], template.id, version_of(request), _draft(request))
    except REFUSED as error:
        return _form(request, _typed(request), template, error)
    return see_other(f"{_ALL}?did=stored")


async def delete(request: web.Request) -> web.Response:
    """Remove one."""
    await _of(request).templates.delete(request[CALLER], path_id(request, _WHAT), None)
    return see_other(f"{_ALL}?did=deleted")


async def preview(request: web.Request) -> web.Response:
    """Show what the form comes to, in the frame beside it."""
    draft = {**_draft(request), "name": "preview"}  # which it may not have yet
    return await _previewed(request, draft, text_of(request, "sample"))


async def preview_stored(request: web.Request) -> web.Response:
    """Show what a stored one comes to, in the frame beside its form."""
    template = await _of(request).templates.get(request[CALLER], path_id(request, _WHAT))
    return await _previewed(request, template.model_dump(include={*_WRITTEN}), DEFAULT_SAMPLE)


async def _previewed(request: web.Request, draft: dict[str, Any], sample: str) -> web.Response:
    try:
        made, errors = await _of(request).previews.of(request[CALLER], draft, sample), []
    except InvalidError as error:
        made, errors = MessagePreview(), error.errors
    said = [*(f"{one.path}: {one.message}" if one.path else one.message for one in errors), made.problem]
    problems = [error_in_words(f"send_{draft['kind']}", one) for one in said if one]
    page = environment().get_template("settings/message_preview.html")
    return sandboxed(page.render(made=made, kind=KINDS.get(draft["kind"], ""), problems=problems))


def _draft(request: web.Request) -> dict[str, Any]:
    return {name: text_of(request, name) for name in _WRITTEN}


def _typed(request: web.Request) -> dict[str, Any]:
    return {**_draft(request), "version": text_of(request, "version")}


def _form(
    request: web.Request, given: dict[str, Any], template: MessageTemplate | None, error: Refused | None = None
) -> web.Response:
    status, said = wrong(error) if error else (200, cast("dict[str, str]", {}))
    return shown(
        request,
        "message.html",
        status=status,
        given=given,
        stored=template,
        wrong=said,
        kinds=KINDS,
        samples={one: event_in_words(one) for one in SAMPLE_TYPES},
        sample=DEFAULT_SAMPLE,
    )


def _of(request: web.Request) -> Messages:
    return request.app[STATE].messages


PAGES: Final = (
    page(_ALL, "messageTemplatesPage", "Message templates", show_messages),
    form(_ALL, "addMessageTemplateForm", "Store a message template", add, conflicts=True),
    page(f"{_ALL}/new", "newMessageTemplatePage", "A new message template", show_new),
    form(f"{_ALL}/preview", "previewMessageForm", "Preview a message", preview),
    page(f"{_ALL}/{{id}}", "messageTemplatePage", "A message template", show_one),
    form(f"{_ALL}/{{id}}", "changeMessageTemplateForm", "Change a message template", change, conflicts=True),
    form(f"{_ALL}/{{id}}/delete", "deleteMessageTemplateForm", "Remove a message template", delete, conflicts=True),
    page(f"{_ALL}/{{id}}/preview", "messagePreviewPage", "A preview of a message template", preview_stored),
)
