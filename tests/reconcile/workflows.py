"""The workflows of the reconciliation, as a user would send them to the API.

What each is expected to do stands in ``oracle/<name>.sql``, written by hand from the same sentence; neither is made
from the other. ``{receiver}`` in a URL becomes the webhook receiver's address.
"""

from typing import Any, Final

Draft = dict[str, Any]


def _when(field: str, operator: str, value: Any, logic: str = "AND") -> Draft:
    return {"field": field, "operator": operator, "value": value, "logic": logic}


def _member(field: str, operator: str, value: Any) -> Draft:
    return {"field": field, "operator": operator, "value": value}


def _webhook(name: str, body: Any = None) -> Draft:
    config: Draft = {"url": f"{{receiver}}/{name}"}
    return {"type": "webhook", "config": config if body is None else {**config, "body": body}}


def _tag(tag: str, *conditions: Draft) -> Draft:
    return {"type": "apply_tag", "config": {"tag": tag}, "conditions": list(conditions)}


def _note(text: str, *conditions: Draft) -> Draft:
    return {"type": "create_note", "config": {"text": text}, "conditions": list(conditions)}


def _email(subject: str, text: str) -> Draft:
    config = {"to": ["{{ customer.id }}@customers.example"], "subject": subject, "text": text}
    return {"type": "send_email", "config": config}


def _workflow(name: str, trigger: str, conditions: list[Draft], *actions: Draft, priority: int = 5) -> Draft:
    return {
        "name": name,
        "priority": priority,
        "trigger": {"type": trigger},
        "conditions": conditions,
        "actions": [{"order": order, **action} for order, action in enumerate(actions, 1)],
    }


INBOX: Final = "5a0c2c5e-95c1-4c37-8a9a-3f6a8f0f1a11"
_CREDIT_OR_MANY: Final = {
    "any": [_member("order.payment.types", "contains", "credit_card"), _member("order.payment.installments", ">", 1)]
}
_BIG_IN_SP: Final = {"all": [_member("order.total", ">=", 200), _member("customer.state", "==", "SP")]}

WORKFLOWS: Final[tuple[Draft, ...]] = (
    # A paid order over 500 in at least 3 instalments.
    _workflow(
        "big-order",
        "order.paid",
        [_when("order.total", ">", 500), _when("order.payment.installments", ">=", 3)],
        _webhook(
            "big-order", {"order": "{{ order.id }}", "total": "{{ order.total }}", "customer": "{{ customer.id }}"}
        ),
        _tag("big-order"),
    ),
    # A delivery that came late: tag, note and an apology.
    _workflow(
        "late-delivery",
        "order.delivered",
        [_when("order.days_late", ">", 0)],
        _tag("late-delivery"),
        _note("Order {{ order.id }} came {{ order.days_late }} days late to {{ customer.city }}"),
        _email("Sorry: {{ order.days_late }} days late", "Olá {{ customer.city }},\n\norder {{ order.id }} was late."),
    ),
    # A review of 1 or 2 stars, in the high lane; the note only where there is text.
    _workflow(
        "bad-review",
        "message.received",
        [_when("message.score", "<=", 2), _when("message.channel", "==", "review")],
        _webhook("bad-review", {"message": "{{ message.id }}", "score": "{{ message.score }}"}),
        _note("{{ message.score }} of 5: {{ message.text }}", _when("message.text", "!=", None)),
        _tag("unhappy"),
        priority=2,
    ),
    # Ordered or paid before.
    _workflow(
        "repeat-customer",
        "order.created",
        [_when("customer.orders", ">", 1, "OR"), _when("customer.ltv", ">", 0)],
        _tag("repeat-customer"),
    ),
    # The first order of somebody in one of the remote states.
    _workflow(
        "first-from-state",
        "order.created",
        [_when("customer.orders", "==", 1), _when("customer.state", "in", ["AC", "RR", "AP", "AM", "RO"])],
        _webhook("first-from-state", {"state": "{{ customer.state }}", "city": "{{ customer.city }}"}),
        _tag("first-{{ customer.state }}"),
    ),
    # Every cancelled order, without conditions; the webhook sends the event as it is.
    _workflow(
        "cancelled",
        "order.cancelled",
        [],
        _webhook("cancelled"),
        _note("Order {{ order.id }} was cancelled"),
        _tag("cancelled"),
    ),
    # Nested groups: big in SP, or neither by credit card nor in instalments; and not cancelled.
    _workflow(
        "nested",
        "order.created",
        [{"any": [_BIG_IN_SP, {"not": _CREDIT_OR_MANY}]}, _when("order.status", "!=", "cancelled")],
        _tag("nested"),
    ),
    # Fields that are often missing: a second item, the first item's category.
    _workflow(
        "often-missing",
        "order.created",
        [
            _when("order.items.1.price", ">=", 50, "OR"),
            _when("order.items.0.category", "==", None),
            _when("order.payment.installments", "<", 2),
        ],
        _note("Look at order {{ order.id }}"),
    ),
    # Stops half-way for customers in SP.
    _workflow(
        "stop-halfway",
        "order.paid",
        [_when("order.total", ">", 100)],
        _webhook("stop-halfway", {"order": "{{ order.id }}"}),
        {
            "type": "stop_workflow",
            "config": {"reason": "SP is served by others"},
            "conditions": [_when("customer.state", "==", "SP")],
        },
        _tag("not-stopped"),
        _note("Order {{ order.id }} went all the way"),
    ),
    # Digits in a string compared with a number.
    _workflow(
        "zip-code",
        "customer.created",
        [_when("customer.zip_prefix", "<", 20000), _when("customer.zip_prefix", ">=", 1000)],
        _tag("zip-below-20000"),
    ),
    # Neither from the three big states nor by slip or voucher.
    _workflow(
        "far-and-card",
        "order.created",
        [
            _when("customer.state", "not_in", ["SP", "RJ", "MG"]),
            _when("order.payment.types", "not_in", ["boleto", "voucher"]),
        ],
        _tag("far-and-card"),
    ),
    # Text with accents, passed on unchanged.
    _workflow(
        "accents",
        "message.received",
        [_when("message.text", "contains", "não"), _when("message.text", "not_contains", "recomendo")],
        _webhook("accents", {"text": "{{ message.text }}", "score": "{{ message.score }}"}),
    ),
    # The envelope's own fields.
    _workflow(
        "envelope",
        "customer.created",
        [
            _when("event.source", "==", "/crm"),
            _when("event.time", ">=", "2017-06-01T00:00:00Z"),
            _when("event.subject", "starts_with", "a"),
        ],
        _email("Bem-vindo a {{ customer.city }}", "Welcome, {{ customer.id }}."),
    ),
    # AND binds tighter than OR.
    _workflow(
        "precedence",
        "order.delivered",
        [
            _when("order.days_late", ">", 5, "OR"),
            _when("order.total", ">", 300, "AND"),
            _when("customer.state", "==", "RJ", "OR"),
            _when("customer.city", "==", "sao paulo"),
        ],
        _tag("precedence"),
        _email("About order {{ order.id }}", "Total: {{ order.total }}"),
    ),
    # A template that fails where the order has no items; the tag depends on the note's result.
    _workflow(
        "first-item",
        "order.cancelled",
        [_when("order.payment.types", "contains", "boleto")],
        _note("First item: {{ order.items[0].product_id }}"),
        _tag("cancelled-with-item", _when("results.0.status", "==", "success")),
        _webhook("first-item", {"order": "{{ order.id }}"}),
    ),
    # Ends of strings, and a small total.
    _workflow(
        "small-in-paulo",
        "order.paid",
        [
            _when("customer.city", "ends_with", "paulo"),
            _when("order.total", "<=", 50),
            _when("order.currency", "!=", "USD"),
        ],
        _tag("small-in-paulo"),
    ),
    # A delivery more than three days late: somebody is to call, and the appointment for it stands.
    _workflow(
        "care-call",
        "order.delivered",
        [_when("order.days_late", ">", 3)],
        {
            "type": "create_task",
            "config": {"title": "Call about {{ order.id }}", "description": "{{ customer.city }}", "assignee": "care"},
        },
        {
            "type": "create_appointment",
            "config": {"title": "Call {{ customer.id }}", "starts_at": "2035-01-02T10:00:00Z", "assignee": "care"},
        },
    ),
    # The worst reviews become somebody's conversation.
    _workflow(
        "worst-review",
        "message.received",
        [_when("message.score", "==", 1)],
        {
            "type": "assign_conversation",
            "config": {"conversation_id": "review-{{ message.id }}", "assignee": "care"},
        },
    ),
    # New customers in SP get a field of their own.
    _workflow(
        "profile",
        "customer.created",
        [_when("customer.state", "==", "SP")],
        {"type": "update_customer", "config": {"set": {"greeted_as": "{{ customer.id }}"}}},
    ),
    # A tag for a second: put on, waited for, taken off.
    _workflow(
        "for-a-second",
        "order.cancelled",
        [],
        _tag("for-a-second"),
        {"type": "delay", "config": {"duration": "1s"}},
        {"type": "remove_tag", "config": {"tag": "for-a-second"}},
    ),
    # Messages over both providers and into an inbox, about what somebody paid much for.
    _workflow(
        "messages",
        "order.paid",
        [_when("order.total", ">", 1000)],
        {"type": "send_sms", "config": {"to": "+5511912345678", "text": "Paid: {{ order.id }}"}},
        {"type": "send_whatsapp", "config": {"to": "+5511912345678", "text": "Paid: {{ order.id }}"}},
        {
            "type": "send_notification",
            "config": {"user": INBOX, "title": "Order {{ order.id }}", "body": "{{ order.total }}"},
        },
    ),
)


def drafts(receiver: str) -> list[Draft]:
    """Return the drafts with the webhook receiver's URL filled in."""
    return [{**draft, "actions": [_aimed(action, receiver) for action in draft["actions"]]} for draft in WORKFLOWS]


def _aimed(action: Draft, receiver: str) -> Draft:
    config = action["config"]
    if "url" not in config:
        return action
    return {**action, "config": {**config, "url": config["url"].replace("{receiver}", receiver)}}
