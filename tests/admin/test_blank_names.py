"""Whatever people call something by has to show: a name of nothing is refused where it is written, by its field."""

from typing import Any

import pytest

from tests.admin.conftest import Api, draft

BLANK = ("   ", "\u200b", "\u200b\u202e", "\u3164", "\u2800", "\u3000")
PLACEHOLDER = {"name": "tag", "type": "text", "label": "X"}
# Each kind of what has a name: its address, a body that is taken, and the path of what names it.
WRITTEN: dict[str, tuple[str, dict[str, Any], str]] = {
    "workflow": ("/api/v1/workflows", draft(), "name"),
    "template": ("/api/v1/templates", draft(), "name"),
    "message template": ("/api/v1/message-templates", {"name": "x", "kind": "sms", "text": "y"}, "name"),
    "channel": ("/api/v1/channels", {"name": "x", "url": "json://example.com"}, "name"),
    "key": ("/api/v1/api-keys", {"name": "x", "permissions": []}, "name"),
    "user": ("/api/v1/users", {"email": "someone@example.com", "name": "x", "role": "user"}, "name"),
    "customer": ("/api/v1/crm/customers", {"id": "x"}, "id"),
    "tag": ("/api/v1/crm/customers", {"id": "x", "tags": ["x"]}, "tags[0]"),
    "task": ("/api/v1/crm/tasks", {"title": "x"}, "title"),
    "note": ("/api/v1/crm/customers/x/notes", {"text": "x"}, "text"),
}


def named(body: dict[str, Any], path: str, name: str) -> dict[str, Any]:
    """The body with another name."""
    field = path.partition("[")[0]
    return {**body, field: [name] if path.endswith("]") else name}


@pytest.mark.parametrize("kind", WRITTEN)
async def test_a_name_of_nothing_is_refused(api: Api, kind: str) -> None:
    """With 400 that names the field."""
    admin = api.user("admin")
    path, body, field = WRITTEN[kind]
    for blank in BLANK:
        answer = await admin.call("POST", path, named(body, field, blank))
        assert answer.status == 400, (blank, answer)
        assert field in [one["path"] for one in answer.json["errors"]], (blank, answer.json)


async def test_a_placeholder_is_called_something(api: Api) -> None:
    """Its label is what a form shows."""
    written = draft(placeholders=[{**PLACEHOLDER, "label": "\u200b"}])
    answer = await api.user().call("POST", "/api/v1/templates", written)
    assert {"path": "placeholders[0].label", "message": "must not be blank"} in answer.json["errors"]


async def test_a_name_may_have_what_is_not_seen_beside_what_is(api: Api) -> None:
    """A joiner of emoji, a mark of direction."""
    await api.user().create(name="\u200f\u05d4\u05d6\u05de\u05e0\u05d4 👩\u200d🚀")
