"""What the reference systems take and show."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from app.domain.profiles import MAX_CHANGE_BYTES, MAX_FIELDS, name_problem, value_problem
from app.domain.visible import visible_problem
from schemas.moments import Moment
from schemas.together import Together, Wrong
from schemas.visible import VISIBLE

MAX_ITEMS_BYTES: Final = 64 * 1024


def _one_line(value: str) -> str:
    if len(value.splitlines()) > 1 or value != value.rstrip("\r\n"):
        raise ValueError("must be on one line")
    if problem := visible_problem(value):
        raise ValueError(problem)
    return value


Id = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_one_line)]
Tag = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_one_line)]
Title = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_one_line)]
Word = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_one_line)]
Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]


_MOMENT: Final = TypeAdapter[datetime | None](Moment | None)


class _Draft(BaseModel):
    """What callers send: an unknown key is a mistake they want to hear of."""

    model_config = ConfigDict(extra="forbid")


class Profile(Together):
    """Fields of a customer, by names of one's own; null removes one."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """Each field may be called so and hold that, and all together are not too many, nor too large."""
        fields = {name: value for name, value in written.items() if name not in cls.model_fields}
        if len(fields) > MAX_FIELDS:
            yield "", f"has {len(fields)} fields; at most {MAX_FIELDS} are allowed"
        for name in islice(fields, MAX_FIELDS):
            problem = name_problem(name) or value_problem(name, fields[name])
            if problem is not None:
                yield name, problem
        if len(orjson.dumps(fields)) > MAX_CHANGE_BYTES:
            yield "", f"has more than {MAX_CHANGE_BYTES} bytes"

    def fields(self) -> dict[str, Any]:
        """Return the fields by name."""
        return dict(self.model_extra or {})


class NewCustomer(Profile):
    """A customer as they are entered; ``id`` is made up where it is left out."""

    id: Id | None = None
    tags: Annotated[list[Tag], Field(max_length=100)] = Field(default_factory=list)


class NewNote(_Draft):
    """A note; ``id`` makes asking twice harmless."""

    id: UUID | None = None
    text: Annotated[str, Field(min_length=1, max_length=65_536, pattern=r"\S"), VISIBLE]


class NewTask(_Draft):
    """A task."""

    id: UUID | None = None
    customer_id: Id | None = None
    title: Title
    description: Annotated[str, Field(max_length=65_536)] = ""
    assignee: Id | None = None
    due_at: Moment | None = None


class NewAppointment(Together, _Draft):
    """An appointment."""

    id: UUID | None = None
    customer_id: Id
    title: Title
    starts_at: Moment
    ends_at: Moment | None = None
    assignee: Id | None = None

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """It ends after it starts."""
        try:
            starts_at, ends_at = (_MOMENT.validate_python(written.get(name)) for name in ("starts_at", "ends_at"))
        except ValidationError:
            return
        if starts_at and ends_at and ends_at <= starts_at:
            yield "ends_at", "must be after starts_at"


class NewConversation(_Draft):
    """A conversation."""

    id: Id | None = None
    customer_id: Id
    subject: Title | None = None
    channel: Word | None = None
    assignee: Id | None = None


class Assignment(_Draft):
    """Who takes a conversation, and whose it is where it is not known yet."""

    assignee: Id
    customer_id: Id | None = None


class NewMessage(_Draft):
    """What a customer writes; ``score`` where it is a review."""

    id: UUID | None = None
    text: Annotated[str, Field(min_length=1, max_length=16_384)]
    channel: Word | None = None
    score: Annotated[int, Field(ge=0, le=10)] | None = None


class Item(_Draft):
    """A line of an order."""

    sku: Word
    name: Title | None = None
    category: Word | None = None
    price: Money
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    def shown(self) -> dict[str, Any]:
        """Return it as events show it: the price exact, as text."""
        return {**self.model_dump(exclude_none=True), "price": f"{self.price:.2f}"}


class NewOrder(Together, _Draft):
    """An order."""

    id: Id | None = None
    customer_id: Id
    affiliate_id: Id | None = Field(None, description="The partner who brought it")
    total: Money | None = Field(None, description="What the items come to, if left out")
    currency: Currency = "EUR"
    items: Annotated[list[Item], Field(max_length=500)] = []

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """A total is needed, or items that come to one."""
        if written.get("total") is None and not written.get("items"):
            yield "total", "is needed, or items"

    @field_validator("items")
    @classmethod
    def _items_fit(cls, items: list[Item]) -> list[Item]:
        if sum(item.price * item.quantity for item in items) >= Decimal(10) ** 12:
            raise ValueError("come to more than an order may")
        if len(orjson.dumps([item.shown() for item in items])) > MAX_ITEMS_BYTES:
            raise ValueError(f"have more than {MAX_ITEMS_BYTES} bytes")
        return items


class Rate(_Draft):
    """What a partner gets of an order's total, in per cent."""

    rate: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]


class NewCommission(_Draft):
    """On which order a commission is to be calculated."""

    order_id: Id
