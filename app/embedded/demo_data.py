"""What the demo consists of: three workflows as a marketer might write them, and an event that starts each."""

from datetime import UTC, datetime
from typing import Any

_BIG_ORDER = 200


def demo_workflows(receiver_url: str) -> list[dict[str, Any]]:
    """Return the drafts of the demo's workflows; webhooks go to ``receiver_url``."""
    return [_big_order(receiver_url), _welcome(), _bad_review()]


def demo_events() -> dict[str, dict[str, Any]]:
    """Return an event without id for each trigger type of the demo's workflows."""
    customer = {"id": "demo-ada", "name": "Ada Lovelace", "email": "ada@example.com", "orders": 3, "ltv": 741.5}
    order = {"id": "demo-order-1", "total": 249.9, "currency": "EUR", "status": "created"}
    message = {"id": "demo-message-1", "channel": "review", "score": 1, "text": "Arrived late, and broken."}
    return {
        "customer.created": _event("customer.created", "/crm", {"customer": customer}),
        "order.created": _event("order.created", "/sales", {"customer": customer, "order": order}),
        "message.received": _event("message.received", "/crm", {"customer": customer, "message": message}),
    }


def _event(event_type: str, source: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "source": source,
        "type": event_type,
        "subject": data["customer"]["id"],
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }


def _big_order(receiver_url: str) -> dict[str, Any]:
    return {
        "name": "Demo: big order",
        "description": "Tells the warehouse about an order over 200, and marks the customer.",
        "priority": 2,
        "trigger": {"type": "order.created", "config": {}},
        "conditions": [{"field": "order.total", "operator": ">", "value": _BIG_ORDER}],
        "actions": [
            {
                "type": "webhook",
                "order": 1,
                "config": {
                    "url": f"{receiver_url}/warehouse",
                    "body": {"order": "{{ order.id }}", "total": "{{ order.total }}", "customer": "{{ customer.id }}"},
                },
            },
            {"type": "apply_tag", "order": 2, "config": {"tag": "big-order"}},
        ],
    }


def _welcome() -> dict[str, Any]:
    return {
        "name": "Demo: welcome",
        "description": "Greets a new customer by e-mail, and notes that on the customer.",
        "trigger": {"type": "customer.created", "config": {}},
        "conditions": [],
        "actions": [
            {
                "type": "send_email",
                "order": 1,
                "config": {
                    "to": ["{{ customer.email }}"],
                    "subject": "Welcome, {{ customer.name }}",
                    "text": "Hello {{ customer.name }},\n\nthank you for joining us.\n",
                },
            },
            {"type": "create_note", "order": 2, "config": {"text": "Welcomed by e-mail."}},
        ],
    }


def _bad_review() -> dict[str, Any]:
    return {
        "name": "Demo: bad review",
        "description": "Marks a customer who gave one or two stars, and notes what they wrote.",
        "trigger": {"type": "message.received", "config": {}},
        "conditions": [{"field": "message.score", "operator": "<=", "value": 2}],
        "actions": [
            {"type": "apply_tag", "order": 1, "config": {"tag": "unhappy"}},
            {
                "type": "create_note",
                "order": 2,
                "config": {"text": "Review with {{ message.score }} of 5: {{ message.text }}"},
            },
        ],
    }
