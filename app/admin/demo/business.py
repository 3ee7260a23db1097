"""The business that the demo data plays: customers, what they buy, and what they write."""

from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from app.ports.systems import Repository
from app.systems import customers, sales, work
from app.systems.models import Item, NewConversation, NewMessage, NewOrder

# Of whom one has no e-mail: what is not sent, and why, is as much worth looking at as what is.
_PEOPLE: Final[tuple[dict[str, Any], ...]] = (
    {"id": "ada", "name": "Ada Lovelace", "email": "ada@example.com", "city": "São Paulo", "plan": "gold"},
    {"id": "grace", "name": "Grace Hopper", "email": "grace@example.com", "city": "Rio de Janeiro", "plan": "basic"},
    {"id": "alan", "name": "Alan Turing", "email": "alan@example.com", "city": "Lisboa", "plan": "basic"},
    {"id": "mary", "name": "Mary Seacole", "city": "Kingston", "plan": "basic"},
    {
        "id": "katherine",
        "name": "Katherine Johnson",
        "email": "katherine@example.com",
        "city": "Recife",
        "plan": "gold",
    },
)
_ORDERS: Final = (
    ("ada", "Espresso machine", Decimal("1249.00"), True),
    ("grace", "Kettle", Decimal("89.90"), True),
    ("alan", "Grinder", Decimal("320.00"), False),
    ("katherine", "Coffee, 12 kg", Decimal("1080.00"), True),
)
_REVIEWS: Final = (
    ("grace", "Arrived late, and the lid was broken.", 1),
    ("ada", "Best coffee that I have had in years.", 5),
)


def ids(load: str) -> list[str]:
    """Return the ids of the customers of a load, which are nobody else's."""
    return [_id(load, one["id"]) for one in _PEOPLE]


async def play(repository: Repository, load: str) -> None:
    """Have it all happen, each change with its event."""
    for person in _PEOPLE:
        fields = {name: value for name, value in person.items() if name != "id"}
        await customers.create_customer(repository, _id(load, person["id"]), fields, [])
    for number, (who, what, price, paid) in enumerate(_ORDERS, 1):
        item = Item(sku=what.partition(",")[0].lower().replace(" ", "-"), name=what, price=price)
        draft = NewOrder(id=f"demo-order-{number}-{load}", customer_id=_id(load, who), items=[item])
        order = await sales.create_order(repository, draft)
        if paid:
            await sales.move_order(repository, order["id"], "paid")
    for number, (who, said, score) in enumerate(_REVIEWS, 1):
        conversation = NewConversation(
            id=f"demo-review-{number}-{load}", customer_id=_id(load, who), subject="Review", channel="review"
        )
        made = await work.create_conversation(repository, conversation)
        await work.receive_message(repository, made["id"], NewMessage(id=uuid4(), text=said, score=score))


def _id(load: str, name: str) -> str:
    return f"demo-{name}-{load}"
