"""The variables of this process's environment, before any setting is read from them."""

from collections.abc import Iterator, Mapping
from typing import Final

from app.services.operations.findings import Finding
from app.settings import MEANINGLESS
from app.settings.variables import misspelt

_MEND: Final = "correct the name, or unset it"


def of_environment(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Say which variables nothing reads."""
    found = misspelt(environment)
    for one in found:
        yield Finding("variables", "problem" if one.ours else "warning", str(one), _MEND)
    for name, why in MEANINGLESS.items():
        if environment.get(name):
            yield Finding("variables", "warning", f"{name} is set and has no meaning here: {why}")
    if not found:
        yield Finding("variables", "ok", "every variable that is set is read")
