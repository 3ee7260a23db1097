"""Makes events like a shop's, with what real ones are full of: accents, emoji, nulls, missing fields, money as text.

The same seed gives the same events. Some come twice, as a producer's retry would send them.
"""

import random
from collections.abc import Iterator
from typing import Any, Final

import orjson

Json = dict[str, Any]

_CITIES: Final = (
    ("sao paulo", "SP"),
    ("são josé dos campos", "SP"),
    ("rio de janeiro", "RJ"),
    ("belo horizonte", "MG"),
    ("rio branco", "AC"),
    ("boa vista", "RR"),
    ("macapá", "AP"),
    ("novo são paulo", "AM"),
    ("curitiba", "PR"),
)
_TEXTS: Final = (
    "Produto excelente, recomendo 👍",
    "Produto não chegou, e já passou o prazo",
    "NÃO FOI ENTREGUE",
    "não gostei 😡\nnão recomendo",
    'Veio "quebrado" \\ e sem manual… não usei',
    "Atenção: coração ❤️ não é {{ template }}",
    "",
    " ",
)
_CATEGORIES: Final = ("auto", "toys", "bed_bath_table", None)
_PAYMENTS: Final = (["credit_card"], ["boleto"], ["voucher"], ["credit_card", "voucher"])
_DUPLICATES: Final = 0.03


class Shop:
    """Customers with a history, so that repeat orders and lifetime values hang together."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._orders: dict[str, int] = {}
        self._seq = 0

    def event(self) -> Iterator[Json]:
        """Yield the events of one customer's visit: known or new, an order or a review."""
        chance = self._chance
        customer = self._customer()
        if customer["id"] not in self._orders:
            self._orders[customer["id"]] = 0
            yield self._envelope("customer.created", "/crm", customer, {"customer": customer})
        if chance.random() < 0.3:
            yield self._envelope("message.received", "/crm", customer, self._review(customer))
            return
        yield from self._order(customer)

    def _customer(self) -> Json:
        chance = self._chance
        number = chance.randrange(120)
        city, state = _CITIES[number % len(_CITIES)]
        customer: Json = {"id": f"{chance.choice('ab')}{number:04}", "city": city, "state": state}
        zip_prefix: Any = f"{(number * 797) % 99999:05}"
        if chance.random() < 0.85:
            customer["zip_prefix"] = chance.choice([zip_prefix, zip_prefix, int(zip_prefix), f"{zip_prefix}-000", None])
        return customer

    def _order(self, customer: Json) -> Iterator[Json]:
        chance = self._chance
        self._orders[customer["id"]] += 1
        orders = self._orders[customer["id"]]
        total = round(chance.choice([1, 1, 4]) * chance.uniform(5, 300), 2)
        items = [self._item() for _ in range(chance.choice([0, 1, 1, 2, 3]))]
        order: Json = {
            "id": f"order-{self._seq}",
            "total": chance.choice([total, total, f"{total:.2f}", int(total)]),
            "currency": chance.choice(["BRL", "BRL", "USD"]),
            "items": items,
            "payment": {"types": chance.choice(_PAYMENTS), "installments": chance.choice([1, 2, 3, 10, "4"])},
        }
        for missing in ("items", "currency"):
            if chance.random() < 0.1:
                del order[missing]
        known = {**customer, "orders": orders, "ltv": round((orders - 1) * 99.9, 2)}
        yield self._ordered("created", order, known)
        if chance.random() < 0.8:
            yield self._ordered("paid", order, known)
        if chance.random() < 0.3:
            yield self._ordered("cancelled", order, known)
        elif chance.random() < 0.7:
            late = chance.choice([-12, -3, 0, 1, 9, "6", None])
            yield self._ordered("delivered", {**order, "days_late": late}, known)

    def _ordered(self, step: str, order: Json, customer: Json) -> Json:
        data = {"order": {**order, "status": step}, "customer": customer}
        return self._envelope(f"order.{step}", "/sales", customer, data)

    def _item(self) -> Json:
        chance = self._chance
        price = round(chance.uniform(3, 120), 2)
        item: Json = {"product_id": f"produto-{chance.randrange(50)}", "price": chance.choice([price, f"{price:.2f}"])}
        if chance.random() < 0.8:
            item["category"] = chance.choice(_CATEGORIES)
        return item

    def _review(self, customer: Json) -> Json:
        chance = self._chance
        message: Json = {
            "id": f"message-{self._seq}",
            "channel": "review",
            "score": chance.choice([1, 2, 3, 4, 5, "2"]),
        }
        if chance.random() < 0.9:
            message["text"] = chance.choice([*_TEXTS, None, None])
        if chance.random() < 0.1:
            message["channel"] = "chat"
        return {"message": message, "customer": customer}

    def _envelope(self, kind: str, source: str, customer: Json, data: Json) -> Json:
        self._seq += 1
        day = 1 + self._seq % 28
        return {
            "specversion": "1.0",
            "id": f"é{self._seq}-{kind}",
            "source": source,
            "type": kind,
            "subject": customer["id"],
            "time": f"2017-{1 + self._seq % 12:02}-{day:02}T10:00:00Z",
            "datacontenttype": "application/json",
            "data": data,
        }


def generate(count: int, seed: int = 1) -> Iterator[str]:
    """Yield ``count`` events as JSON texts, duplicates of earlier ones among them."""
    shop, chance = Shop(seed), random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        for event in shop.event():
            made.append(orjson.dumps(event).decode())
            if chance.random() < _DUPLICATES:
                made.append(chance.choice(made))
    yield from made[:count]
