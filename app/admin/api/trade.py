"""``/api/v1/sales`` and ``/api/v1/affiliates``: the reference systems for orders and commissions."""

from typing import Final

from app.admin.api.systems import changing, json_body, listing, of_customers, reading
from app.admin.models import ThingQuery
from app.admin.operations import Operation
from app.systems import affiliates, sales
from app.systems.models import NewCommission, NewOrder, Rate
from app.systems.views import Commission, CommissionPage, Order, OrderPage, Partner, PartnerPage

_ORDERS: Final = "/api/v1/sales/orders"
_ORDER: Final = f"{_ORDERS}/{{order}}"
_PARTNERS: Final = "/api/v1/affiliates/partners"
_COMMISSIONS: Final = "/api/v1/affiliates/commissions"
_ITEM: Final = {"sku": "kettle-17", "category": "kitchen", "price": "149.00", "quantity": 1}


def _order_becomes(state: str, verb: str) -> Operation:
    return Operation(
        "POST", f"{_ORDER}/{verb}", f"{verb}Order", f"Bring an order into the state {state} (order.{state})",
        changing(lambda repo, at, _: sales.move_order(repo, at["order"], state)), {200: Order}, tag="sales",
        conflicts=True, repeatable=True,
    )  # fmt: skip


OPERATIONS: Final = of_customers(
    Operation(
        "POST", _ORDERS, "createOrder", "Take an order in (order.created)",
        changing(lambda repo, _, draft: sales.create_order(repo, draft), NewOrder, status=201), {201: Order},
        tag="sales",
        body=json_body(NewOrder, id="o-5001", customer_id="c-1042", affiliate_id="p-7", items=[_ITEM]),
        conflicts=True, repeatable=True,
    ),
    Operation(
        "GET", _ORDERS, "listOrders", "List orders, newest first", listing(sales.ORDER), {200: OrderPage}, tag="sales",
        query=ThingQuery,
    ),
    Operation(
        "GET", _ORDER, "getOrder", "Show an order", reading(lambda repo, at, _: repo.get(sales.ORDER, at["order"])),
        {200: Order}, tag="sales",
    ),
    _order_becomes("paid", "pay"),
    _order_becomes("cancelled", "cancel"),
    _order_becomes("delivered", "deliver"),
    Operation(
        "PUT", f"{_PARTNERS}/{{partner}}", "setPartner", "Make a customer a partner, or change their rate",
        changing(lambda repo, at, draft: affiliates.set_rate(repo, at["partner"], draft.rate), Rate), {200: Partner},
        tag="affiliates",
        body=json_body(Rate, rate=7.5), conflicts=True, repeatable=True,
    ),
    Operation(
        "GET", _PARTNERS, "listPartners", "List partners, newest first", listing(affiliates.PARTNER),
        {200: PartnerPage}, tag="affiliates", query=ThingQuery,
    ),
    Operation(
        "POST", _COMMISSIONS, "calculateCommission", "Calculate the commission on an order (commission.calculated)",
        changing(lambda repo, _, draft: affiliates.calculate(repo, draft.order_id), NewCommission, status=201),
        {201: Commission}, tag="affiliates",
        body=json_body(NewCommission, order_id="o-5001"),
        conflicts=True, repeatable=True,
    ),
    Operation(
        "GET", _COMMISSIONS, "listCommissions", "List commissions, newest first", listing(affiliates.COMMISSION),
        {200: CommissionPage}, tag="affiliates", query=ThingQuery,
    ),
    Operation(
        "GET", f"{_COMMISSIONS}/{{id}}", "getCommission", "Show a commission",
        reading(lambda repo, at, _: repo.get(affiliates.COMMISSION, at["id"])), {200: Commission}, tag="affiliates",
    ),
    Operation(
        "POST", f"{_COMMISSIONS}/{{id}}/pay", "payCommission", "Pay a commission (commission.paid)",
        changing(lambda repo, at, _: affiliates.pay(repo, at["id"])), {200: Commission}, tag="affiliates",
        conflicts=True, repeatable=True,
    ),
)  # fmt: skip
