"""Reading what somebody sends into a model, with all that is wrong with it named at once.

Pydantic judges the fields of a model independently of each other, so what it says of one hides nothing of another. What
comes after the model does: a check of a service that is made once every field has its shape is heard of in a second
round. Two ways out, and no third: what concerns one field alone is part of its type (:func:`refused_by`), and whatever
else there is to check is a judge, which looks at the fields that hold whether or not all do (:func:`read_whole`).
Rules between fields of a contract, which need nothing but what was written, are ``schemas.together``.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ValidationError
from pydantic_core import SchemaValidator

from app.domain.errors import FieldError, InvalidError
from schemas.field_errors import field_errors
from schemas.json_types import json_validator, validated

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V")
Judge = Callable[[Mapping[str, Any]], Iterable[FieldError]]


def refused_by(problem: Callable[[V], str | None]) -> AfterValidator:
    """Return what makes a rule part of a field's type.

    Args:
        problem: Says what is wrong with a value; None: nothing.
    """

    def judged(value: V) -> V:
        said = problem(value)
        if said is not None:
            raise ValueError(said)
        return value

    return AfterValidator(judged)


def read_whole(value: Any, model: type[M], judge: Judge) -> M:
    """Read a JSON value into a model.

    Args:
        value: What was sent.
        model: What it is to be.
        judge: Says what else is wrong with the fields that hold, which it gets by name; others are not among them.

    Raises:
        InvalidError: A field is wrong or unknown, or the judge has something to say of one.
    """
    try:
        made = validated(value, model)
    except ValidationError as error:
        errors = field_errors(error, model)
        raise InvalidError(beside(errors, judge(sound_fields(value, model)))) from None
    errors = list(judge(dict(made)))
    if errors:
        raise InvalidError(errors)
    return made


def sound_fields(value: Any, model: type[BaseModel]) -> dict[str, Any]:
    """Return the fields that were written and hold by themselves, as they were read, by name."""
    found: dict[str, Any] = {}
    for name, (alias, adapter) in _adapters(model).items() if isinstance(value, Mapping) else ():
        if alias not in value:
            continue
        try:
            found[name] = adapter.validate_python(value[alias])
        except ValidationError:
            continue
    return found


def beside(errors: Iterable[FieldError], more: Iterable[FieldError]) -> list[FieldError]:
    """Return errors with more of them, but for what is said of a place of which something has been said."""
    known = list(errors)
    told = {error.path for error in known}
    return [*known, *(one for one in more if one.path not in told)]


@lru_cache(maxsize=128)
def _adapters(model: type[BaseModel]) -> dict[str, tuple[str, SchemaValidator]]:
    # Annotated wants its metadata one by one, and a field may have any number.
    annotated = Annotated.__class_getitem__  # type: ignore[attr-defined]
    return {
        name: (field.alias or name, json_validator(annotated((field.annotation, *field.metadata, None))))
        for name, field in model.model_fields.items()
    }


class Gathered:
    """What is wrong with parts of one request that are read one by one: its path, its query, its body.

    Each is read within ``with``; :meth:`refuse` ends the request with all that was found.
    """

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def __enter__(self) -> None:
        """Read one."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Keep what is wrong with it; anything else goes on."""
        if isinstance(error, InvalidError):
            self.errors += error.errors
            return True
        return False

    def refuse(self) -> None:
        """End the request where anything was wrong.

        Raises:
            InvalidError: With all of it.
        """
        if self.errors:
            raise InvalidError(self.errors)
