"""``/api/v1/api-keys``: keys for services, which administrators make and revoke; a key is answered once."""

from datetime import timedelta
from typing import Final

from aiohttp import web

from app.admin.key_models import ApiKeyDraft, ApiKeyList, ApiKeyMade, ApiKeyView, KeyRotation
from app.admin.operations import JSON, Body, Operation
from app.admin.requests import CALLER, answer, path_id, read_document, read_model
from app.admin.state import STATE
from app.ports import ApiKey
from app.services.access.api_keys import ApiKeyService

_ROOT: Final = "/api/v1/api-keys"


async def create_api_key(request: web.Request) -> web.Response:
    """Make one."""
    service = _service(request)
    raw = await read_document(request, (JSON,))
    draft = read_model(raw, ApiKeyDraft, lambda said: service.expired(said.get("expires_at")))
    made, key = await service.create(request[CALLER], draft.name, draft.permissions, draft.expires_at)
    return answer(ApiKeyMade(**_view(made).model_dump(), key=key), 201, {"Location": f"{_ROOT}/{made.id}"})


async def rotate_api_key(request: web.Request) -> web.Response:
    """Make one in place of another."""
    wanted = read_model(await read_document(request, (JSON,)), KeyRotation)
    overlap = timedelta(seconds=wanted.overlap_s)
    made, key = await _service(request).rotate(request[CALLER], path_id(request, "API key"), overlap)
    return answer(ApiKeyMade(**_view(made).model_dump(), key=key), 201, {"Location": f"{_ROOT}/{made.id}"})


async def list_api_keys(request: web.Request) -> web.Response:
    """List them, the revoked too."""
    return answer(ApiKeyList(items=[_view(key) for key in await _service(request).entries(request[CALLER])]))


async def revoke_api_key(request: web.Request) -> web.Response:
    """Revoke one."""
    await _service(request).revoke(request[CALLER], path_id(request, "API key"))
    return web.Response(status=204)


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        id=key.id,
        name=key.name,
        permissions=sorted(key.permissions),
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used=key.last_used,
        replaced_by=key.replaced_by,
    )


def _service(request: web.Request) -> ApiKeyService:
    return request.app[STATE].access.api_keys


_EXAMPLE: Final = {"name": "shop", "permissions": ["events:write"]}

OPERATIONS: Final = (
    Operation(
        "GET", _ROOT, "listApiKeys", "List the API keys of services, the revoked too; nothing answers a key",
        list_api_keys, {200: ApiKeyList}, tag="api-keys", access="admin",
    ),
    Operation(
        "POST", _ROOT, "createApiKey", "Make an API key; this answer is the only place where it is seen",
        create_api_key, {201: ApiKeyMade}, tag="api-keys",
        access="admin", body=Body({JSON: (ApiKeyDraft, False)}, example=_EXAMPLE), conflicts=True,
    ),
    Operation(
        "POST", f"{_ROOT}/{{id}}/rotate", "rotateApiKey", "Make an API key in place of one that holds for a while yet",
        rotate_api_key, {201: ApiKeyMade}, tag="api-keys",
        access="admin", conflicts=True,
        body=Body({JSON: (KeyRotation, False)}, optional=True, example={"overlap_s": 3600}),
    ),
    Operation(
        "DELETE", f"{_ROOT}/{{id}}", "revokeApiKey", "Revoke an API key; it is refused within a few seconds",
        revoke_api_key, {204: None}, tag="api-keys", access="admin",
    ),
)  # fmt: skip
