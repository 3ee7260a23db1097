"""What ``make bench-api`` asks for: every list in every order and by every filter, alone and together, and who asks.

What a filter names is drawn anew each time, frequent and rare; ``none`` names what there is none of, which is what an
index that does not fit is worst at.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final
from uuid import UUID, uuid4

PAGE_MS: Final = 300.0

Params = Mapping[str, str]
Draw = Callable[[random.Random], Params]

EXECUTIONS: Final = "/api/v1/executions"
OWNERS: Final = {
    "big owner": UUID("00000000-0000-4000-8000-000000000000"),
    "owner": UUID("00000000-0000-4000-8000-000000000003"),
    "small owner": UUID("00000000-0000-4000-8000-000000000014"),
}
_OF: Final = {"admin": range(200), "big owner": range(80), "owner": range(120, 140), "small owner": range(194, 195)}
KINDS: Final = ("order.paid", "shop.cart.abandoned")
STATUSES: Final = ("success", "skipped", "failed", "partial", "timed_out", "blocked", "stopped")
SORTS: Final = ("created_at", "updated_at", "name", "last_run_at")


@dataclass(frozen=True, slots=True)
class Look:
    """One question, as often asked as there are rounds, with other values each time.

    Attributes:
        name: The list, and what is asked of it.
        within_ms: What 95 of 100 may take at most.
    """

    name: str
    path: str
    draw: Draw
    within_ms: float = 100.0

    def params(self, rng: random.Random) -> Params:
        """Return the query string of one request."""
        return self.draw(rng)


def _fixed(**params: Any) -> Draw:
    given = {name.rstrip("_"): str(value) for name, value in params.items()}
    return lambda _: given


def workflow_id(number: int) -> str:
    """Return the id of a workflow, as api_things.sql makes it."""
    return f"00000000-0000-4000-9000-{number:012x}"


def _customer(rng: random.Random) -> str:
    return f"c-{int(200_000 * rng.random() ** 2)}"


def _ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days)).isoformat()


def looks(who: str) -> list[Look]:
    """Return all that one caller asks."""
    found = [*_executions(who), *_workflows(), *_engine(who), *_customers(), *_search(), *_pages(who)]
    return [*found, *_administrators()] if who == "admin" else found


def _executions(who: str) -> list[Look]:
    """Return the questions to the log: each filter, each two, the frequent three, in both orders, with the spans."""
    busy, rare = workflow_id(_OF[who][0]), workflow_id(_OF[who][-1])
    values: dict[str, dict[str, Draw]] = {
        "workflow_id": {"busy": _fixed(workflow_id=busy), "rare": _fixed(workflow_id=rare)},
        "status": {
            "frequent": _fixed(status="success"),
            "rare": _fixed(status="timed_out"),
            "several": _fixed(status="failed,partial,timed_out"),
        },
        "event_type": {"frequent": _fixed(event_type="order.paid"), "none": _fixed(event_type="order.refunded")},
        "entity": {
            "frequent": _fixed(entity="c-0"),
            "any": lambda rng: {"entity": _customer(rng)},
        },
        "event_id": {"any": lambda rng: {"event_id": f"evt-{rng.randrange(2_500_000)}"}},
        "search": {
            "frequent": _fixed(search="503"),
            "rare": _fixed(search="connection refused by 10.0.0.1"),
            "name": _fixed(search="Welcome"),
            "none": _fixed(search="no such words"),
        },
        "time": {
            "a day": lambda rng: {"from": _ago(day := rng.uniform(1, 58)), "to": _ago(day - 1)},
            "a month": _fixed(from_=_ago(45), to=_ago(15)),
        },
    }
    one = [(f"{name}={kind}", draw) for name, kinds in values.items() for kind, draw in kinds.items()]
    two = [
        (f"{a} {b}", _both(x, y))
        for (a, x), (b, y) in product(one, one)
        if list(values).index(a.split("=")[0]) < list(values).index(b.split("=")[0])
    ]
    mismatch = _fixed(workflow_id=busy, event_type="shop.cart.abandoned")
    three = [
        ("workflow_id=busy event_type=other", mismatch),
        (
            "workflow_id=busy status=rare a month",
            _fixed(workflow_id=busy, status="timed_out", from_=_ago(45), to=_ago(15)),
        ),
        ("status=each", lambda rng: {"status": rng.choice(STATUSES)}),
        ("workflow_id=each", lambda rng: {"workflow_id": workflow_id(rng.choice(_OF[who]))}),
        ("to=long ago", lambda rng: {"to": _ago(rng.uniform(1, 59))}),
        ("limit=200", _fixed(limit=200)),
    ]
    asked = [("", _fixed()), *one, *two, *three]
    first = [Look(f"executions {name}".strip(), EXECUTIONS, draw) for name, draw in asked]
    oldest = _fixed(sort="executed_at")
    return first + [
        Look(f"executions oldest first {name}".strip(), EXECUTIONS, _both(draw, oldest))
        for name, draw in (asked[0], *one)
    ]


def _both(x: Draw, y: Draw) -> Draw:
    return lambda rng: {**x(rng), **y(rng)}


def _workflows() -> list[Look]:
    given: dict[str, Draw] = {
        **{f"sort={way}{key}": _fixed(sort=f"{way}{key}") for way, key in product(("", "-"), SORTS)},
        "active": _fixed(active="true"),
        "trigger_type": _fixed(trigger_type="order.paid"),
        "search": _fixed(search="welcome"),
        "search=none": _fixed(search="no such words"),
        "draft": _fixed(draft="true"),
        "deleted": _fixed(deleted="true"),
        "last run, active": _fixed(sort="-last_run_at", active="true", limit=200),
    }
    return [Look(f"workflows {name}", "/api/v1/workflows", draw) for name, draw in given.items()]


def _engine(who: str) -> list[Look]:
    one = workflow_id(_OF[who][0])
    templates: dict[str, Draw] = {
        "": _fixed(), "category": _fixed(category="category 3"), "trigger_type": _fixed(trigger_type="order.paid"),
        "public": _fixed(public="true"), "mine": _fixed(mine="true"), "search": _fixed(search="template 4"),
        "search=none": _fixed(search="no such words"),
    }  # fmt: skip
    waiting: dict[str, Draw] = {
        "": _fixed(), "workflow_id": _fixed(workflow_id=one), "entity": lambda rng: {"entity": _customer(rng)},
    }  # fmt: skip
    return [
        *(Look(f"templates {name}".strip(), "/api/v1/templates", draw) for name, draw in templates.items()),
        Look("template categories", "/api/v1/templates/categories", _fixed()),
        *(Look(f"waiting {name}".strip(), f"{EXECUTIONS}/waiting", draw) for name, draw in waiting.items()),
        Look("queue", "/api/v1/queue", _fixed()),
        Look("revisions", f"/api/v1/workflows/{one}/revisions", _fixed()),
        Look("message templates", "/api/v1/message-templates", _fixed()),
        Look("message templates search", "/api/v1/message-templates", _fixed(search="message 7")),
        Look("message templates kind", "/api/v1/message-templates", _fixed(kind="sms")),
        Look("notifications", "/api/v1/notifications", _fixed()),
        Look("notifications unread", "/api/v1/notifications", _fixed(unread="true")),
        Look("sessions", "/api/v1/sessions", _fixed()),
        Look("event types", "/api/v1/event-types", _fixed()),
    ]


def _customers() -> list[Look]:
    """Return the questions to the reference systems: each list, a customer's of it, and by frequent and rare states."""
    crm = "/api/v1/crm"
    lists = {
        f"{crm}/tasks": ("open", "done"),
        f"{crm}/appointments": ("missed", "completed"),
        f"{crm}/conversations": ("open", "resolved"),
        "/api/v1/sales/orders": ("cancelled", "delivered", "paid"),
        "/api/v1/affiliates/commissions": ("calculated", "paid"),
    }
    by_customer: Draw = lambda rng: {"customer_id": f"c-{rng.randrange(20_000)}"}  # noqa: E731
    found = [
        Look("customers", f"{crm}/customers", lambda rng: {"after": _customer(rng)}),
        Look("partners", "/api/v1/affiliates/partners", _fixed()),
        Look("notes", f"{crm}/customers/c-7/notes", _fixed()),
        Look("messages", f"{crm}/conversations/v-7/messages", _fixed()),
    ]
    for path, states in lists.items():
        name = path.rsplit("/", 1)[1]
        found += [Look(name, path, _fixed()), Look(f"{name} customer", path, by_customer)]
        found += [Look(f"{name} status={state}", path, _fixed(status=state)) for state in states]
    return found


def _search() -> list[Look]:
    draws: dict[str, Draw] = {
        "a name": _fixed(q="welcome"),
        "a customer": lambda rng: {"q": _customer(rng)},
        "an event": lambda rng: {"q": f"evt-{rng.randrange(2_500_000)}"},
        "no execution": lambda _: {"q": str(uuid4())},
        "nothing": _fixed(q="no such words"),
    }
    return [Look(f"search {name}", "/api/v1/search", draw) for name, draw in draws.items()]


def _pages(who: str) -> list[Look]:
    """Return the pages that read the most: their HTML, whole."""
    busy = workflow_id(_OF[who][0])
    asked: dict[str, Draw] = {
        "/": _fixed(),
        "/workflows": _fixed(),
        "/workflows/new": _fixed(),
        f"/workflows/{busy}": _fixed(),
        f"/workflows/{busy}/history": _fixed(),
        "/executions": _fixed(),
        "/executions/waiting": _fixed(),
        "/customers": _fixed(),
        "/customers/c-7": _fixed(),
        "/templates": _fixed(),
        "/search": lambda rng: {"q": _customer(rng)},
        **({"/queue": _fixed(), "/settings/users": _fixed(), "/settings/audit": _fixed()} if who == "admin" else {}),
    }
    by_filters = {"status": "failed", "workflow_id": busy, "last": "24h"}
    return [
        *(Look(f"page {path.replace(busy, '(busy)')}", path, draw, PAGE_MS) for path, draw in asked.items()),
        *(
            Look(f"page /executions {name}", "/executions", _fixed(**{name: value}), PAGE_MS)
            for name, value in by_filters.items()
        ),
    ]


def _administrators() -> list[Look]:
    letters: dict[str, Draw] = {
        "": _fixed(), "state=open": _fixed(state="open"), "state=replayed": _fixed(state="replayed"),
        "topic": _fixed(topic="events.order"), "reason": _fixed(reason="poison"), "role": _fixed(role="sink"),
        "event_id": lambda rng: {"event_id": f"evt-{rng.randrange(50_000)}"}, "source": _fixed(source="/shop"),
        "entity": lambda rng: {"entity": f"c-{rng.randrange(50_000)}"},
        "time": _fixed(from_=_ago(20), to=_ago(19)), "none": _fixed(topic="events.order", role="sink"),
    }  # fmt: skip
    audit: dict[str, Draw] = {
        "": _fixed(), "who": _fixed(who=OWNERS["owner"]), "what": _fixed(what="deleted"), "kind": _fixed(kind="secret"),
        "id": _fixed(id=workflow_id(7)), "time": _fixed(from_=_ago(40), to=_ago(39)),
        "none": _fixed(what="revoked"), "kind what": _fixed(kind="secret", what="activated"),
    }  # fmt: skip
    users: dict[str, Draw] = {
        "": _fixed(), "search": _fixed(search="user 12"), "role": _fixed(role="admin"),
        "disabled": _fixed(disabled="true"), "search=none": _fixed(search="no such words"),
    }  # fmt: skip
    owner = Look("workflows owner", "/api/v1/workflows", _fixed(owner=OWNERS["owner"]))
    return [
        *(Look(f"dead letters {name}".strip(), "/api/v1/dead-letters", draw) for name, draw in letters.items()),
        *(Look(f"audit {name}".strip(), "/api/v1/audit", draw) for name, draw in audit.items()),
        *(Look(f"users {name}".strip(), "/api/v1/users", draw) for name, draw in users.items()),
        owner,
        *(Look(name, f"/api/v1/{name}", _fixed()) for name in ("channels", "secrets", "api-keys")),
    ]
