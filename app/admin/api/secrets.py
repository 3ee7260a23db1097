"""``/api/v1/secrets``: named values for action templates; for administrators, who write them and never see one."""

from typing import Final

from aiohttp import web

from app.admin.models import SecretList, SecretValue, SecretView
from app.admin.operations import JSON, Body, Operation
from app.admin.requests import CALLER, answer, read_document, read_model
from app.admin.state import STATE
from app.ports import SecretEntry
from app.services.access.secrets import SecretService, name_errors

_ROOT: Final = "/api/v1/secrets"
_ONE: Final = f"{_ROOT}/{{name}}"


async def list_secrets(request: web.Request) -> web.Response:
    """List names."""
    return answer(SecretList(items=[_view(entry) for entry in await _service(request).entries(request[CALLER])]))


async def put_secret(request: web.Request) -> web.Response:
    """Store one, or replace its value."""
    name, raw = request.match_info["name"], await read_document(request, (JSON,))
    wanted = read_model(raw, SecretValue, lambda _: name_errors(name))
    lists = wanted.model_dump(include={"owners", "workflows", "hosts"}, exclude_none=True)
    return answer(_view(await _service(request).put(request[CALLER], name, wanted.value, lists)))


async def delete_secret(request: web.Request) -> web.Response:
    """Remove one."""
    await _service(request).delete(request[CALLER], request.match_info["name"])
    return web.Response(status=204)


def _view(entry: SecretEntry) -> SecretView:
    return SecretView(
        name=entry.name,
        updated_by=entry.updated_by,
        updated_at=entry.updated_at,
        owners=list(entry.grant.owners),
        workflows=list(entry.grant.workflows),
        hosts=list(entry.grant.hosts),
    )


def _service(request: web.Request) -> SecretService:
    return request.app[STATE].secrets


_VALUE: Final = Body(
    {JSON: (SecretValue, False)},
    example={"value": "a-token-of-the-shop", "owners": ["*"], "hosts": ["api.example.com"]},
)

OPERATIONS: Final = (
    Operation(
        "GET", _ROOT, "listSecrets", "List the secrets' names; nothing answers a value", list_secrets,
        {200: SecretList}, tag="secrets", access="admin",
    ),
    Operation(
        "PUT", _ONE, "putSecret", "Store a secret, replace its value, or say who may use it", put_secret,
        {200: SecretView}, tag="secrets", access="admin", body=_VALUE,
    ),
    Operation(
        "DELETE", _ONE, "deleteSecret", "Remove a secret; actions that name it fail from then on", delete_secret,
        {204: None}, tag="secrets", access="admin",
    ),
)  # fmt: skip
