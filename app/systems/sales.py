"""The reference Sales system: orders, from created over paid to delivered, or cancelled."""

from decimal import Decimal
from typing import Final
from uuid import uuid4

import orjson

from app.domain.errors import ConflictError
from app.ports.systems import Kind, Repository, Row
from app.systems.models import NewOrder

SOURCE: Final = "/headrace/sales"
ORDER: Final = Kind(
    "order",
    "sales.orders",
    "order_id",
    "order_id AS id, customer_id, affiliate_id, status, total, currency, items::text AS items,"
    " created_at, paid_at, cancelled_at, delivered_at",
    before={"paid": ("created",), "cancelled": ("created", "paid"), "delivered": ("paid",)},
    stamps={"paid": "paid_at", "cancelled": "cancelled_at", "delivered": "delivered_at"},
    json=("items",),
)


async def create_order(repository: Repository, draft: NewOrder) -> Row:
    """Take an order in (``order.created``); its total is what its items come to, unless it says otherwise.

    Raises:
        ConflictError: There is one of this id.
    """
    await repository.meet(draft.customer_id)
    named = draft.id or str(uuid4())
    items = [item.shown() for item in draft.items]
    total = sum((item.price * item.quantity for item in draft.items), Decimal()) if draft.total is None else draft.total
    values = {
        "order_id": named,
        "customer_id": draft.customer_id,
        "affiliate_id": draft.affiliate_id,
        "total": total,
        "currency": draft.currency,
        "items": orjson.dumps(items).decode(),
    }
    order = await repository.add(ORDER, values)
    if order is None:
        raise ConflictError(f"There is an order {named} already")
    await _announce(repository, "created", order)
    return order


async def move_order(repository: Repository, order_id: str, to: str) -> Row:
    """Bring an order into a state: ``paid``, ``cancelled`` or ``delivered`` (``order.paid`` and so on).

    Raises:
        NotFoundError: There is no such order.
        ConflictError: The state cannot be reached from the one it is in.
    """
    order, changed = await repository.move(ORDER, order_id, to)
    if changed:
        await _announce(repository, to, order)
    return order


async def _announce(repository: Repository, happened: str, order: Row) -> None:
    customer = await repository.customer(order["customer_id"])
    await repository.announce(SOURCE, f"order.{happened}", customer["id"], {"order": order, "customer": customer})
