"""The built-in templates: two for each category, ready to apply or to change."""

from typing import Any, Final
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("5d1b1a4e-6f0e-5a8e-9b1c-2f4c7c0e8a11")
OWNER: Final = UUID("00000000-0000-4000-8000-6865616472ac")
_SUPPORT: Final = "support@example.com"


def starter_id(draft: dict[str, Any]) -> UUID:
    """Return a built-in template's id: the same in every installation."""
    return uuid5(NAMESPACE, draft["name"])


def _mail(order: int, subject: str, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "send_email", "order": order, "config": {"subject": subject, "text": text, **more}}


def _tag(order: int, tag: str) -> dict[str, Any]:
    return {"type": "apply_tag", "order": order, "config": {"tag": tag}}


def _note(order: int, text: str) -> dict[str, Any]:
    return {"type": "create_note", "order": order, "config": {"text": text}}


def _template(category: str, name: str, description: str, trigger: str, **parts: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "category": category,
        "is_public": True,
        "trigger": {"type": trigger},
        **parts,
    }


STARTERS: Final = (
    _template(
        "welcome",
        "Welcome a new customer",
        "Greets who has just become a customer, and marks them as new.",
        "customer.created",
        actions=[
            _mail(
                1,
                "Welcome, {{ customer.name | default('dear customer') }}",
                "We are glad to have you. Reply to this mail whenever you need us.",
            ),
            _tag(2, "new-customer"),
        ],
    ),
    _template(
        "welcome",
        "Thank for the first order",
        "Thanks for an order where the event says that it is the customer's first.",
        "order.paid",
        conditions=[{"field": "customer.orders", "operator": "==", "value": 1}],
        actions=[
            _mail(1, "Thank you for your first order", "Your order {{ order.id }} is on its way."),
            _tag(2, "first-order"),
        ],
    ),
    _template(
        "reengagement",
        "Win back who has been away for 90 days",
        "Writes once to a customer whose last order is over 90 days old; the tag keeps it from writing again.",
        "customer.updated",
        conditions=[
            {"field": "customer.last_order_at", "operator": "<", "value": {"now": "-90d"}, "logic": "AND"},
            {"field": "customer.tags", "operator": "not_contains", "value": "win-back"},
        ],
        actions=[
            _mail(1, "We have missed you", "It has been a while. Here is what is new since your last order."),
            _tag(2, "win-back"),
        ],
    ),
    _template(
        "reengagement",
        "Offer another appointment",
        "Writes to a customer who missed an appointment, and notes it.",
        "appointment.missed",
        actions=[
            _mail(1, "Shall we find another time?", "You could not make it. Reply with a time that suits you."),
            _note(2, "Missed an appointment; offered another."),
        ],
    ),
    _template(
        "sales",
        "Thank for a big order",
        "Takes the high lane: thanks for an order over 1,000 and marks the customer as VIP.",
        "order.paid",
        priority=2,
        conditions=[{"field": "order.total", "operator": ">", "value": 1000}],
        actions=[_tag(1, "VIP"), _mail(2, "Thank you", "Your order {{ order.id }} made our day.")],
    ),
    _template(
        "sales",
        "Ask what stopped an order",
        "Asks a customer who cancelled an order for the reason, and notes it.",
        "order.cancelled",
        actions=[
            _mail(1, "What could we have done better?", "You cancelled your order {{ order.id }}. Tell us why?"),
            _note(2, "Cancelled order {{ order.id }}; asked why."),
        ],
    ),
    _template(
        "support",
        "Act on a bad review",
        "Tells the support team about a message with a score of 2 or less, and notes it.",
        "message.received",
        priority=3,
        conditions=[{"field": "message.score", "operator": "<=", "value": 2}],
        actions=[
            _mail(
                1,
                "Bad review of {{ customer.name | default(customer.id) }}",
                "Score {{ message.score }}: {{ message.text | default('no text') }}",
                to=_SUPPORT,
            ),
            _note(2, "Bad review, score {{ message.score }}."),
        ],
    ),
    _template(
        "support",
        "Ask how a conversation went",
        "Asks for feedback when a conversation was resolved.",
        "conversation.resolved",
        actions=[_mail(1, "How did we do?", "Your request was resolved. Reply with a word on how it went.")],
    ),
)
