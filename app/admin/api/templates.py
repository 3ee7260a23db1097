"""``/api/v1/templates``: the gallery of workflow templates."""

from typing import Final

from aiohttp import web

from app.admin.examples import TEMPLATE
from app.admin.hints import hinted
from app.admin.models import (
    TemplateApplication,
    TemplateCategories,
    TemplateCategory,
    TemplateForm,
    TemplatePage,
    TemplatePatch,
    TemplateQuery,
)
from app.admin.operations import JSON, MERGE_PATCH, Body, Operation
from app.admin.requests import (
    CALLER,
    answer,
    etag,
    expected_version,
    next_cursor,
    path_id,
    read_document,
    read_model,
    read_query,
)
from app.admin.state import STATE
from app.domain.paging import read_cursor
from app.ports.templates import TemplateFilter
from app.services.workflows.templates import TemplateService
from schemas.template import Template, TemplateDraft, TemplateMetadata
from schemas.workflow import Workflow

_ROOT: Final = "/api/v1/templates"
_ONE: Final = f"{_ROOT}/{{id}}"
_WORKFLOWS: Final = "/api/v1/workflows"


async def create_template(request: web.Request) -> web.Response:
    """Store a new template."""
    return _made(await _service(request).create(request[CALLER], await read_document(request, (JSON,))))


async def create_template_from(request: web.Request) -> web.Response:
    """Store a workflow as a template."""
    workflow_id = path_id(request, "workflow")
    metadata = read_model(await read_document(request, (JSON,)), TemplateMetadata)
    return _made(await _service(request).create_from(request[CALLER], workflow_id, metadata))


async def list_templates(request: web.Request) -> web.Response:
    """List the caller's templates and the public ones."""
    query = read_query(request, TemplateQuery)
    wanted = TemplateFilter(query.category, query.trigger_type, query.search, query.public, query.mine)
    page = await _service(request).find(request[CALLER], wanted, read_cursor(query.cursor), query.limit)
    return answer(TemplatePage(items=list(page.items), next_cursor=next_cursor(request, page.next_cursor)))


async def list_categories(request: web.Request) -> web.Response:
    """List the categories of the templates that the caller can list."""
    counted = await _service(request).categories(request[CALLER])
    return answer(TemplateCategories(items=[TemplateCategory(category=name, templates=n) for name, n in counted]))


async def get_form(request: web.Request) -> web.Response:
    """Show what a template asks for."""
    return answer(TemplateForm(form=await _service(request).form(request[CALLER], path_id(request, "template"))))


async def get_template(request: web.Request) -> web.Response:
    """Show one."""
    return _shown(await _service(request).get(request[CALLER], path_id(request, "template")))


async def replace_template(request: web.Request) -> web.Response:
    """Replace what a user writes."""
    template_id, version = path_id(request, "template"), expected_version(request, required=True)
    raw = await read_document(request, (JSON,))
    return _shown(await _service(request).replace(request[CALLER], template_id, version, raw))


async def patch_template(request: web.Request) -> web.Response:
    """Apply a JSON merge patch."""
    template_id, version = path_id(request, "template"), expected_version(request, required=True)
    patch = await read_document(request, (MERGE_PATCH, JSON))
    return _shown(await _service(request).patch(request[CALLER], template_id, version, patch))


async def delete_template(request: web.Request) -> web.Response:
    """Remove one; workflows made of it stay."""
    version = expected_version(request, required=False)
    await _service(request).delete(request[CALLER], path_id(request, "template"), version)
    return web.Response(status=204)


async def apply_template(request: web.Request) -> web.Response:
    """Make a workflow of a template, with the placeholders' values, changed by a merge patch."""
    template_id = path_id(request, "template")
    customizations = await read_document(request, (MERGE_PATCH, JSON))
    workflow = await _service(request).apply(request[CALLER], template_id, customizations)
    headers = {**etag(workflow.version), "Location": f"{_WORKFLOWS}/{workflow.id}"}
    return answer(hinted(request, workflow), 201, headers)


def _made(template: Template) -> web.Response:
    return answer(template, 201, {**etag(template.version), "Location": f"{_ROOT}/{template.id}"})


def _shown(template: Template) -> web.Response:
    return answer(template, headers=etag(template.version))


def _service(request: web.Request) -> TemplateService:
    return request.app[STATE].templates


_DRAFT: Final = Body({JSON: (TemplateDraft, False)}, example=TEMPLATE)
_PATCH: Final = Body(
    {MERGE_PATCH: (TemplatePatch, False), JSON: (TemplatePatch, False)}, example={"category": "welcome"}
)
_CUSTOM: Final = Body(
    {MERGE_PATCH: (TemplateApplication, False), JSON: (TemplateApplication, False)},
    optional=True,
    example={"placeholders": {"amount": "250.00"}, "name": "Big orders"},
)
_METADATA: Final = Body(
    {JSON: (TemplateMetadata, False)}, optional=True, example={"name": "Big orders", "category": "sales"}
)

OPERATIONS: Final = (
    Operation(
        "POST", _ROOT, "createTemplate", "Create a workflow template", create_template,
        {201: Template}, tag="templates", body=_DRAFT, etag=True,
    ),
    Operation(
        "GET", _ROOT, "listTemplates", "List templates of one's own and public ones, newest first", list_templates,
        {200: TemplatePage}, tag="templates", query=TemplateQuery,
    ),
    Operation(
        "GET", f"{_ROOT}/categories", "listTemplateCategories", "List the categories of templates", list_categories,
        {200: TemplateCategories}, tag="templates",
    ),
    Operation(
        "GET", f"{_ONE}/form", "getTemplateForm", "Show the JSON Schema of what a template asks for", get_form,
        {200: TemplateForm}, tag="templates",
    ),
    Operation("GET", _ONE, "getTemplate", "Show a template", get_template, {200: Template}, tag="templates", etag=True),
    Operation(
        "PUT", _ONE, "replaceTemplate", "Replace a template", replace_template,
        {200: Template}, tag="templates", body=_DRAFT, etag=True, if_match="required",
    ),
    Operation(
        "PATCH", _ONE, "patchTemplate", "Change parts of a template", patch_template,
        {200: Template}, tag="templates", body=_PATCH, etag=True, if_match="required",
    ),
    Operation(
        "DELETE", _ONE, "deleteTemplate", "Remove a template; workflows made of it stay", delete_template,
        {204: None}, tag="templates", if_match="optional",
    ),
    Operation(
        "POST", f"{_ONE}/apply", "applyTemplate", "Make a workflow of a template",
        apply_template, {201: Workflow}, tag="templates", body=_CUSTOM, etag=True, conflicts=True,
    ),
    Operation(
        "POST", f"{_WORKFLOWS}/{{id}}/template", "createTemplateFromWorkflow", "Store a workflow as a template",
        create_template_from, {201: Template}, tag="templates", body=_METADATA, etag=True,
    ),
)  # fmt: skip
