"""An installation full of attacks: every text that somebody from outside can write holds markup of theirs."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, get_args
from urllib.parse import quote, urlencode
from uuid import uuid4

import orjson

from app.admin.operations import Operation
from app.admin.pages.routes import PAGES
from app.ports.sent_messages import SentKind, SentMessage
from tests.admin.conftest import Answer, Api, User, draft
from tests.admin.log import Log
from tests.admin.test_dead_letters import letter
from tests.support.sessions import SignedIn
from tests.support.stored_markup import EVERYTHING, IN_NAMES, PAYLOADS, bundled

OURS: Final = tuple(one for one in PAGES if one.access != "public")
PLACE: Final = re.compile(r"\{[^}]*\}")
CRM: Final = "/api/v1/crm"
# Characters that a name may have.
_NAME: Final = 255
_PERSON: Final = 100


@dataclass
class Attacked:
    """What there is to look at.

    Attributes:
        places: What stands for a place of a page's path, by the path up to it.
        asked: What stands behind a page's path, after the question mark, by its path.
        shown: Texts that a page must show, by its path.
    """

    places: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    shown: dict[str, tuple[str, ...]] = field(default_factory=dict)


def looked_at(there: Attacked) -> Iterator[tuple[Operation, str]]:
    """Yield every page that is looked at, and where it is.

    Raises:
        AssertionError: What stands for a place of a page's path is not said in ``attacked.py``.
    """
    for one in OURS:
        if one.method == "GET":
            path = one.path
            while (place := PLACE.search(path)) is not None:
                before = path[: place.start()].rstrip("/")
                assert before in there.places, f"say in tests/admin/pages/attacked.py what to open for {one.path}"
                path = f"{path[: place.start()]}{quote(there.places[before], safe='')}{path[place.end() :]}"
            yield one, f"{path}?{there.asked[one.path]}" if one.path in there.asked else path


async def attacked(api: Api, admin: User, who: SignedIn, log: Log) -> Attacked:
    """Make it, as an administrator who is signed in."""
    made = Attacked()
    await _workflows(made, admin, log)
    await _texts(made, admin)
    await _settings(made, admin, who)
    await _customers(made, admin)
    await _letters_and_events(made, api, log)
    return made


async def _workflows(made: Attacked, admin: User, log: Log) -> None:
    for payload in bundled(PAYLOADS, _NAME):
        workflow = await admin.create(name=payload, description=payload, actions=[_tagging(payload)])
        about = {"error": payload, "status": "failed", "entity": payload, "event_id": payload, "at": datetime.now(UTC)}
        row = await log.add(workflow, **about, **_happened())
    made.places["/workflows"] = workflow["id"]
    made.places["/executions"] = str(row["id"])
    made.shown |= dict.fromkeys(("/executions", "/workflows"), PAYLOADS)
    template = await admin.call("POST", "/api/v1/templates", draft(name=PAYLOADS[0], description=EVERYTHING))
    made.places["/templates"] = _id(template)


def _tagging(payload: str) -> dict[str, Any]:
    return {
        "type": "create_note",
        "order": 1,
        "config": {"text": "{% raw %}" + payload.replace("endraw", "") + "{% endraw %}"},
    }


def _happened() -> dict[str, Any]:
    """Return what an execution's row holds: event, verdicts, and what a webhook has answered."""
    texts = dict(enumerate(PAYLOADS))
    data = {str(at): text for at, text in texts.items()} | {text: at for at, text in texts.items()}
    result = {
        "step": 0, "action_type": "webhook", "status": "failed", "error": EVERYTHING, "attempts": 2, "uncertain": True,
        "output": {"status": 200, "body": EVERYTHING, **data}, "executed_at": "2026-03-01T12:00:00Z",
        "duration_ms": 12, "verdicts": [],
    }  # fmt: skip
    verdict = {
        "path": "conditions[0]", "field": EVERYTHING[:500], "operator": "==", "expected": EVERYTHING, "met": False,
        "actual": EVERYTHING, "reason": EVERYTHING,
    }  # fmt: skip
    event = {"specversion": "1.0", "id": "e-1", "source": "/s", "type": "order.paid", "data": data}
    return {"event": event, "verdicts": [verdict], "results": [result], "met": False}


async def _texts(made: Attacked, admin: User) -> None:
    harmless = [one for one in PAYLOADS if "{" not in one]
    body = {
        "name": f"t{uuid4().hex[:10]}", "kind": "email", "subject": harmless[5], "text": "\n".join(harmless),
        "html": "\n".join(harmless),
    }  # fmt: skip
    made.places["/settings/messages"] = _id(await admin.call("POST", "/api/v1/message-templates", body))


async def _settings(made: Attacked, admin: User, who: SignedIn) -> None:
    for name in bundled(IN_NAMES, _PERSON):
        user = {"email": f"{uuid4().hex}@example.com", "name": name}
        made.places["/settings/users"] = _id(await admin.call("POST", "/api/v1/users", user))
    for name in bundled(IN_NAMES[::5], _PERSON):
        key = {"name": name, "permissions": ["events:write"]}
        made.places["/settings/keys"] = _id(await admin.call("POST", "/api/v1/api-keys", key))
    made.shown |= {"/settings/users": IN_NAMES, "/settings/keys": IN_NAMES[::5]}
    channel = {"name": f"c{uuid4().hex[:10]}", "url": "json://hooks.example.com/x", "owners": [str(who.id)]}
    made.places["/settings/channels"] = _id(await admin.call("POST", "/api/v1/channels", channel))
    secret = {"value": "hunter2-hunter2", "owners": ["*"], "hosts": ["api.example.com"]}
    assert (await admin.call("PUT", "/api/v1/secrets/ATTACKED", secret)).status == 200
    made.places["/settings/secrets"] = "ATTACKED"
    made.places["/settings/sessions"] = str(who.session_id)


async def _customers(made: Attacked, admin: User) -> None:
    customer = f"c-{uuid4().hex}"
    body = {"id": customer, "name": IN_NAMES[0], "tags": list(IN_NAMES[:40]), "note": EVERYTHING}
    created = await admin.call("POST", f"{CRM}/customers", body)
    assert created.status == 201, created
    for text in (EVERYTHING, *PAYLOADS[:3]):
        noted = await admin.call("POST", f"{CRM}/customers/{customer}/notes", {"text": text})
        assert noted.status == 201, noted
    await admin.call("POST", f"{CRM}/tasks", {"title": IN_NAMES[1], "customer_id": customer})
    talk = {"id": f"v-{uuid4().hex}", "customer_id": customer, "subject": IN_NAMES[2]}
    await admin.call("POST", f"{CRM}/conversations", talk)
    await admin.call("POST", f"{CRM}/conversations/{talk['id']}/messages", {"text": EVERYTHING, "channel": "chat"})
    made.places["/customers"] = customer


async def _letters_and_events(made: Attacked, api: Api, log: Log) -> None:
    evil = {"reason": "not_json", "key": EVERYTHING.encode(), "value": EVERYTHING.encode(), "entity": PAYLOADS[0]}
    headers = [(PAYLOADS[5], EVERYTHING.encode())]
    made.places["/queue/dead-letters"] = str(await letter(log, **evil, headers=headers))
    data = {str(at): text for at, text in enumerate(PAYLOADS)} | dict.fromkeys(PAYLOADS, 1)
    for payload in PAYLOADS[:10]:
        event = {
            "specversion": "1.0",
            "id": payload,
            "source": "/shop",
            "type": "order.paid",
            "subject": payload,
            "data": data,
        }
        api.event_topics.put("t.events.order", b"c-1", orjson.dumps(event), at=time.time())
    made.places["/events"] = PAYLOADS[0]
    made.asked["/events/one"] = urlencode({"source": "/shop", "id": PAYLOADS[0]})
    made.places |= {"/outbox": "mail", "/outbox/mail": "1"}


class AttackedOutbox:
    """Implements ``app.ports.sent_messages.SentMessages``: a message of each kind, which is an attack in every part."""

    async def newest(self, kind: SentKind | None, before: float | None, count: int) -> list[SentMessage]:
        """Return one of each kind that is asked for."""
        kinds = [one for one in get_args(SentKind) if kind in {None, one}]
        return [] if before else [await self.get(one, 1) for one in kinds][:count]

    async def get(self, kind: SentKind, number: int) -> SentMessage:
        """Return one in full."""
        facts = {"From": IN_NAMES[1], **{text[:60]: text for text in PAYLOADS}}
        at = datetime.now(UTC)
        return SentMessage(kind, number, at, IN_NAMES[0], " ".join(IN_NAMES), EVERYTHING, EVERYTHING, facts)


def _id(answer: Answer) -> str:
    assert answer.status == 201, answer
    made: str = answer.json["id"]
    return made
