"""JSON's types as they were written: what somebody sends is no integer because it could be read as one.

Pydantic takes ``"yes"`` and ``1`` for true, and ``true`` and ``"5"`` for numbers: right for query strings and settings,
which are text, and for what is stored, which must go on being read. Its own strict mode would also refuse what JSON can
only write as text, such as ids and moments. So a request is read by the model's own rules with just these types made
strict, wherever they stand in it; the model stays as it is for every other reader.

``5.0`` is an integer wherever one is asked for, as JSON Schema says, and ``5.5`` is none.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, TypeAdapter
from pydantic_core import SchemaValidator

from app.domain.whole_numbers import whole

M = TypeVar("M", bound=BaseModel)

_STRICT: Final = frozenset({"bool", "int", "float"})
# What of a schema holds values or notes and no schemas; and keys, which JSON can only write as text.
_OPAQUE: Final = frozenset({"default", "expected", "metadata", "serialization", "keys_schema"})


def validated(value: Any, model: type[M], context: Any = None) -> M:
    """Read a JSON value into a model.

    Raises:
        pydantic.ValidationError: It is none.
    """
    return cast("M", _validator_of(model).validate_python(value, context=context))


@lru_cache(maxsize=1024)
def _validator_of(model: type[BaseModel]) -> SchemaValidator:
    return json_validator(model)


def json_validator(kind: Any) -> SchemaValidator:
    """Return what reads JSON into a type; to be kept, for making it costs."""
    # The last argument: models in it are not to be judged by the validators that they have themselves.
    return SchemaValidator(_strict(TypeAdapter(kind).core_schema), None, False)


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if isinstance(schema, tuple):
        return tuple(_strict(one) for one in schema)
    if not isinstance(schema, Mapping):
        return schema
    kind = schema.get("type")
    # A mapping without a type of its own has fields by name, or choices of a union by tag.
    opaque = _OPAQUE if isinstance(kind, str) else ()
    made = {key: one if key in opaque else _strict(one) for key, one in schema.items()}
    if not isinstance(kind, str) or kind not in _STRICT:
        return made
    return _whole_first({**made, "strict": True}) if kind == "int" else {**made, "strict": True}


def _whole_first(integer: dict[str, Any]) -> Any:
    return {"type": "function-before", "function": {"type": "no-info", "function": whole}, "schema": integer}
