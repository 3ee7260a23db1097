"""Sources and their records for tests."""

from typing import Any

import orjson

from schemas.source import Source
from tests.support.records import FakeRecord

AT = 1_772_359_200.0  # 2026-03-01T10:00:00Z


def shop(**changes: Any) -> dict[str, Any]:
    """Return the settings of a plain JSON source; None removes one."""
    settings = {
        "name": "shop",
        "topic": "shop.orders",
        "type": "order.paid",
        "entity": "buyer.id",
        "data": {"order": {"id": "no", "total": "amount"}, "customer": "buyer"},
        **changes,
    }
    return {name: value for name, value in settings.items() if value is not None}


def orders(**changes: Any) -> dict[str, Any]:
    """Return the settings of a Debezium source; None removes one."""
    kinds = {"path": "op", "map": {"c": "order.created", "u": "order.paid", "d": "order.cancelled", "r": None}}
    usual = {"name": "db", "topic": "db.public.orders", "format": "debezium", "type": kinds}
    return shop(**{**usual, "entity": "row.customer_id", "time": "ts_ms", "data": None, **changes})


def source(settings: dict[str, Any]) -> Source:
    """Return a source of its settings."""
    return Source.model_validate(settings)


def record(value: Any, topic: str = "shop.orders", offset: int = 7) -> FakeRecord:
    """Return a record of JSON; bytes and None stay as they are."""
    encoded = value if value is None or isinstance(value, bytes) else orjson.dumps(value)
    return FakeRecord(encoded, b"some key", topic, 2, offset, AT)


def change(op: str, before: Any = None, after: Any = None, **more: Any) -> dict[str, Any]:
    """Return Debezium's envelope of a change."""
    return {
        "op": op,
        "before": before,
        "after": after,
        "source": {"table": "orders"},
        "ts_ms": 1_772_359_205_250,
        **more,
    }
