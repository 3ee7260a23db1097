"""Records as Kafka Connect's JSON converter writes them with ``schemas.enable=true``."""

from typing import Any

from tests.support.sources import change

DECIMAL = "org.apache.kafka.connect.data.Decimal"


def struct(*fields: dict[str, Any], name: str | None = None) -> dict[str, Any]:
    """Return the schema of an object."""
    named = {"name": name} if name else {}
    return {"type": "struct", "optional": True, "fields": list(fields), **named}


def typed(field: str, kind: str, name: str | None = None, **parameters: str) -> dict[str, Any]:
    """Return the schema of a field."""
    found: dict[str, Any] = {"type": kind, "optional": True, "field": field}
    if name:
        found |= {"name": name, "version": 1}
    return {**found, "parameters": parameters} if parameters else found


def inside(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema as that of a field."""
    return {**schema, "field": field}


def orders_schema() -> dict[str, Any]:
    """Return the schema of a change of an order, as Debezium's connector for Postgres writes it by default."""
    row = struct(
        typed("id", "int32"),
        typed("customer_id", "int32"),
        typed("total", "bytes", DECIMAL, **{"scale": "2", "connect.decimal.precision": "10"}),
        inside("weight", variable_decimal()),
        typed("due", "int32", "io.debezium.time.Date"),
        typed("opens", "int64", "io.debezium.time.MicroTime"),
        typed("created_at", "int64", "io.debezium.time.MicroTimestamp"),
        typed("paid_at", "string", "io.debezium.time.ZonedTimestamp"),
        name="db.public.orders.Value",
    )
    source = struct(typed("table", "string"), name="io.debezium.connector.postgresql.Source")
    return struct(
        inside("before", row),
        inside("after", row),
        inside("source", source),
        typed("op", "string"),
        typed("ts_ms", "int64"),
        name="db.public.orders.Envelope",
    )


def variable_decimal() -> dict[str, Any]:
    """Return the schema of a NUMERIC without a scale of its own."""
    return struct(typed("scale", "int32"), typed("value", "bytes"), name="io.debezium.data.VariableScaleDecimal")


ENCODED_ROW = {
    "id": 5,
    "customer_id": 42,
    "total": "ThY=",
    "weight": {"scale": 3, "value": "AQ=="},
    "due": 20_513,
    "opens": 34_200_000_000,
    "created_at": -1,
    "paid_at": "2026-03-01T09:30:00.123456Z",
}
ROW = {
    "id": 5,
    "customer_id": 42,
    "total": "199.90",
    "weight": "0.001",
    "due": "2026-03-01",
    "opens": "09:30:00",
    "created_at": "1969-12-31T23:59:59.999999",
    "paid_at": "2026-03-01T09:30:00.123456Z",
}


def with_schema(op: str, before: Any = None, after: Any = None) -> dict[str, Any]:
    """Return the record of a change of an order with its schema."""
    return {"schema": orders_schema(), "payload": change(op, before, after)}
