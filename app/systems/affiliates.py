"""The reference Affiliates system: partners with a rate, and the commission on an order that one of them brought.

A partner is a customer of the CRM, which knows the name and the address; events are about the partner.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from uuid import uuid4

from app.domain.errors import ConflictError, FieldError, InvalidError
from app.ports.systems import Kind, Repository, Row
from app.systems.sales import ORDER

SOURCE: Final = "/headrace/affiliates"
PARTNER: Final = Kind(
    "partner",
    "affiliates.affiliates",
    "affiliate_id",
    "affiliate_id AS id, rate, created_at",
    customer="affiliate_id",
    status=None,
)
COMMISSION: Final = Kind(
    "commission",
    "affiliates.commissions",
    "commission_id",
    "commission_id AS id, order_id, affiliate_id, rate, amount, currency, status, created_at, paid_at",
    customer="affiliate_id",
    before={"paid": ("calculated",)},
    stamps={"paid": "paid_at"},
)
_CENT: Final = Decimal("0.01")
_EARNED: Final = ("paid", "delivered")


async def set_rate(repository: Repository, affiliate_id: str, rate: Decimal) -> Row:
    """Make a customer a partner, or change a partner's rate (per cent) for commissions to come."""
    await repository.meet(affiliate_id)
    await repository.set_rate(affiliate_id, rate)
    return await repository.get(PARTNER, affiliate_id)


async def calculate(repository: Repository, order_id: str) -> Row:
    """Calculate the commission on an order (``commission.calculated``); one that is there already stays as it is.

    Raises:
        InvalidError: There is no such order.
        ConflictError: The order is not paid, was brought by no one, or by one who is no partner.
    """
    order = await repository.find(ORDER, order_id, lock=True)
    if order is None:
        raise InvalidError([FieldError("order_id", "there is no such order")])
    known = await repository.of_order(COMMISSION, order_id)
    if known is not None:
        return known
    partner = await _partner(repository, order)
    rate = Decimal(partner["rate"])
    values = {
        "commission_id": uuid4(),
        "order_id": order_id,
        "affiliate_id": partner["id"],
        "rate": rate,
        "amount": (Decimal(order["total"]) * rate / 100).quantize(_CENT, ROUND_HALF_UP),
        "currency": order["currency"],
    }
    commission = await repository.add(COMMISSION, values)
    assert commission is not None  # the order is locked, the id is new
    await _announce(repository, "calculated", commission, order)
    return commission


async def pay(repository: Repository, commission_id: Any) -> Row:
    """Pay a commission (``commission.paid``).

    Raises:
        NotFoundError: There is no such commission.
        ConflictError: Its order was cancelled.
    """
    commission, changed = await repository.move(COMMISSION, commission_id, "paid")
    if changed:
        order = await repository.get(ORDER, commission["order_id"], lock=True)
        if order["status"] not in _EARNED:
            raise ConflictError(f"The order is {order['status']}; there is no commission on it")
        await _announce(repository, "paid", commission, order)
    return commission


async def _partner(repository: Repository, order: Row) -> Row:
    if order["status"] not in _EARNED:
        raise ConflictError(f"The order is {order['status']}; a commission is calculated on one that is paid")
    if order["affiliate_id"] is None:
        raise ConflictError("The order was brought by no partner")
    partner = await repository.find(PARTNER, order["affiliate_id"])
    if partner is None:
        raise ConflictError(f"{order['affiliate_id']} is no partner; set their rate first")
    return partner


async def _announce(repository: Repository, happened: str, commission: Row, order: Row) -> None:
    partner = await repository.get(PARTNER, commission["affiliate_id"])
    customer = await repository.customer(partner["id"])
    data = {"commission": commission, "affiliate": {**customer, **partner}, "order": order, "customer": customer}
    await repository.announce(SOURCE, f"commission.{happened}", partner["id"], data)
