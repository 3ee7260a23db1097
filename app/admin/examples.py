"""Examples that several operations show; each is accepted as it is (a test sends every operation's)."""

from typing import Any, Final

ORDER_DATA: Final[dict[str, Any]] = {
    "customer": {"id": "c-1042", "name": "Ada Lopes", "email": "ada@example.com"},
    "order": {"id": "o-5001", "total": "640.00", "status": "paid"},
}
EVENT: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "shop-5001-paid",
    "source": "/shop",
    "type": "order.paid",
    "subject": "c-1042",
    "datacontenttype": "application/json",
    "data": ORDER_DATA,
}
TRIAL: Final[dict[str, Any]] = {"event": {"type": "order.paid", "data": ORDER_DATA}}
WORKFLOW: Final[dict[str, Any]] = {
    "name": "Thank who orders for much",
    "description": "A tag at once, and a note a day later",
    "trigger": {"type": "order.paid", "config": {}},
    "conditions": [{"field": "order.total", "operator": ">", "value": 500}],
    "actions": [
        {"type": "apply_tag", "order": 1, "config": {"tag": "big-order"}},
        {"type": "delay", "order": 2, "config": {"duration": "1 day"}},
        {"type": "create_note", "order": 3, "config": {"text": "Paid {{ order.total }}: call {{ customer.name }}"}},
    ],
}
TEMPLATE: Final[dict[str, Any]] = {
    **WORKFLOW,
    "conditions": [{"field": "order.total", "operator": ">", "value": "[[amount]]"}],
    "category": "sales",
    "is_public": False,
    "placeholders": [
        {
            "name": "amount",
            "type": "money",
            "label": "From which total on",
            "help": "In the shop's currency",
            "default": 500,
            "minimum": 1,
        }
    ],
}
WORKFLOW_PATCH: Final[dict[str, Any]] = {"description": "For the sales team", "priority": 3}
