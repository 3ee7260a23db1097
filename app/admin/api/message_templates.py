"""``/api/v1/message-templates``: texts with a name, for the actions that send messages."""

from dataclasses import replace
from typing import Final

from aiohttp import web

from app.admin.limits import MIB
from app.admin.message_models import MessageTemplatePage, MessageTemplatePatch, MessageTemplateQuery
from app.admin.operations import JSON, MERGE_PATCH, Body, Operation
from app.admin.requests import CALLER, answer, etag, expected_version, next_cursor, path_id, read_document, read_query
from app.admin.state import STATE
from app.domain.paging import read_cursor
from app.ports.message_templates import MessageFilter
from app.services.messages.templates import MessageTemplateService
from schemas.message_template import MessageTemplate, MessageTemplateDraft

_ROOT: Final = "/api/v1/message-templates"
_ONE: Final = f"{_ROOT}/{{id}}"
_WHAT: Final = "message template"


async def create_message_template(request: web.Request) -> web.Response:
    """Store a new message template."""
    made = await _service(request).create(request[CALLER], await read_document(request, (JSON,)))
    return answer(made, 201, {**etag(made.version), "Location": f"{_ROOT}/{made.id}"})


async def list_message_templates(request: web.Request) -> web.Response:
    """List the caller's message templates."""
    query = read_query(request, MessageTemplateQuery)
    wanted = MessageFilter(query.kind, query.search)
    page = await _service(request).find(request[CALLER], wanted, read_cursor(query.cursor), query.limit)
    return answer(MessageTemplatePage(items=list(page.items), next_cursor=next_cursor(request, page.next_cursor)))


async def get_message_template(request: web.Request) -> web.Response:
    """Show one."""
    return _shown(await _service(request).get(request[CALLER], path_id(request, _WHAT)))


async def replace_message_template(request: web.Request) -> web.Response:
    """Replace what a user writes."""
    template_id, version = path_id(request, _WHAT), expected_version(request, required=True)
    raw = await read_document(request, (JSON,))
    return _shown(await _service(request).replace(request[CALLER], template_id, version, raw))


async def patch_message_template(request: web.Request) -> web.Response:
    """Apply a JSON merge patch."""
    template_id, version = path_id(request, _WHAT), expected_version(request, required=True)
    patch = await read_document(request, (MERGE_PATCH, JSON))
    return _shown(await _service(request).patch(request[CALLER], template_id, version, patch))


async def delete_message_template(request: web.Request) -> web.Response:
    """Remove one that no workflow uses."""
    version = expected_version(request, required=False)
    await _service(request).delete(request[CALLER], path_id(request, _WHAT), version)
    return web.Response(status=204)


def _shown(template: MessageTemplate) -> web.Response:
    return answer(template, headers=etag(template.version))


def _service(request: web.Request) -> MessageTemplateService:
    return request.app[STATE].messages.templates


# A text and its HTML, each at its most.
_MOST: Final = MIB
_EXAMPLE: Final = {
    "name": "order-thanks",
    "kind": "email",
    "subject": "Thank you, {{ customer.name }}",
    "text": "Order {{ order.id }} is paid, and on its way soon.",
}
_DRAFT: Final = Body({JSON: (MessageTemplateDraft, False)}, most=_MOST, example=_EXAMPLE)
_REPLACED: Final = replace(_DRAFT, example={**_EXAMPLE, "name": "order-thanks-again"})
_PATCH: Final = Body(
    {MERGE_PATCH: (MessageTemplatePatch, False), JSON: (MessageTemplatePatch, False)},
    most=_MOST,
    example={"subject": "Your order {{ order.id }}"},
)

OPERATIONS: Final = (
    Operation(
        "POST", _ROOT, "createMessageTemplate", "Create a message template", create_message_template,
        {201: MessageTemplate}, tag="message-templates", body=_DRAFT, etag=True, conflicts=True,
    ),
    Operation(
        "GET", _ROOT, "listMessageTemplates", "List message templates of one's own, newest first",
        list_message_templates, {200: MessageTemplatePage}, tag="message-templates", query=MessageTemplateQuery,
    ),
    Operation(
        "GET", _ONE, "getMessageTemplate", "Show a message template", get_message_template,
        {200: MessageTemplate}, tag="message-templates", etag=True,
    ),
    Operation(
        "PUT", _ONE, "replaceMessageTemplate", "Replace a message template; steps that run from then on send it",
        replace_message_template, {200: MessageTemplate}, tag="message-templates",
        body=_REPLACED, etag=True, if_match="required", conflicts=True,
    ),
    Operation(
        "PATCH", _ONE, "patchMessageTemplate", "Change parts of a message template", patch_message_template,
        {200: MessageTemplate}, tag="message-templates", body=_PATCH, etag=True, if_match="required", conflicts=True,
    ),
    Operation(
        "DELETE", _ONE, "deleteMessageTemplate", "Remove a message template that no workflow uses",
        delete_message_template, {204: None}, tag="message-templates", if_match="optional", conflicts=True,
    ),
)  # fmt: skip
