"""Rules over several fields of a model, each named by a field, and judged also where another field is wrong.

Pydantic judges a model as a whole only once every field holds, so that what is wrong between fields stays hidden behind
what is wrong in one: who corrects that is told of the rest in a second round. These rules look at what was written.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

from pydantic import BaseModel, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

_TYPE: Final = "value_error"

Wrong = tuple[str, str]


class Together(BaseModel):
    """A model with rules over several of its fields."""

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """Yield what is wrong between fields, as a field and what is to be said of it; no field: of the whole.

        Args:
            written: The fields as they were written: of any type, and any may be absent.
        """
        raise NotImplementedError

    @model_validator(mode="wrap")
    @classmethod
    def _judged_whole(cls, written: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        wrong = tuple(cls.wrong_together(written)) if isinstance(written, Mapping) else ()
        try:
            made = handler(written)
        except ValidationError as error:
            raise _all(cls.__name__, wrong, written, error) from None
        if wrong:
            raise _all(cls.__name__, wrong, written)
        return made


def _all(title: str, wrong: tuple[Wrong, ...], written: Any, error: ValidationError | None = None) -> ValidationError:
    found = error.errors(include_url=False) if error else []
    lines = [_line(one["type"], one["msg"], one["loc"], one["input"], one.get("ctx")) for one in found]
    # Of a field that is wrong by itself nothing more is said.
    known = {one["loc"][0] for one in found if one["loc"]}
    lines += [_line(_TYPE, said, (field,) if field else (), written) for field, said in wrong if field not in known]
    return ValidationError.from_exception_data(title, lines)


def _line(
    kind: str, said: str, place: tuple[int | str, ...], value: Any, about: Mapping[str, Any] | None = None
) -> InitErrorDetails:
    context = {**(about or {}), "said": said}
    return InitErrorDetails(type=PydanticCustomError(kind, "{said}", context), loc=place, input=value)
