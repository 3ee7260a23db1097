"""What a config writes outright is judged on save, by the rule that would refuse it in every run.

The rule is the one by which the action checks what its templates render to: it stands once, and what holds on save is
what holds in a run.
"""

from collections.abc import Callable
from typing import Any

from pydantic import AfterValidator, ValidationInfo

from app.actions.base import is_stored
from app.actions.templated import is_known
from app.domain.errors import ActionFailedError

Rule = Callable[[str, Any], object]


def judged_on_save(rule: Rule, *, even_empty: bool = False) -> AfterValidator:
    """Return what refuses a value on save, where nothing in it is a template.

    What was saved before there was the rule goes on to be refused where it always was: in a run, with the field named.

    Args:
        rule: Takes a field's name and what it rendered to, and fails the action over what is wrong.
        even_empty: Empty text is a value too, and not a field that was left out.
    """

    def judge(value: Any, info: ValidationInfo) -> Any:
        absent = value is None or (value == "" and not even_empty)
        if absent or is_stored(info) or not is_known(value):
            return value
        field = info.field_name or ""
        try:
            rule(field, value)
        except ActionFailedError as error:
            raise ValueError(str(error).removeprefix(f"{field}: ").removeprefix(f"{field}.")) from None
        return value

    return AfterValidator(judge)
