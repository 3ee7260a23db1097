"""What cannot be taken back is asked first, also where no script has loaded: of every form of every page."""

import re
from pathlib import Path
from typing import Final

import pytest

from app.admin.pages.routes import PAGES

_TEMPLATES: Final = Path("app/admin/pages/templates")
_FOR_GOOD: Final = (
    "delete",
    "remove",
    "discard",
    "revoke",
    "replace",
    "disable",
    "cancel",
    "end",
    "end-others",
    "many",
)
# How many commas stand before the question.
_LAST: Final = 4
# Those that need no question in the form, with why.
_WITHOUT: Final = {
    "/customers/{customer}/tags/remove": "the page that follows has Undo",
    "/workflows/many": "what is deleted has Undo, and comes back from Deleted workflows",
    "/settings/sessions/{id}/end": "who is signed out signs in again; of one's own it is asked",
    "/templates/{id}/delete": "the form stands on a page that asks",
}
FORMS: Final = [one.path for one in PAGES if one.method == "POST" and one.path.rsplit("/", 1)[-1] in _FOR_GOOD]


def forms_of(path: str) -> list[str]:
    """Return the forms of all templates that are sent to a path, each with what follows it on its line."""
    last = re.escape(re.split(r"\{\w+\}", path)[-1])
    sent = re.compile(rf'(<form method="post" action="[^"]*{last}".*|post\([^,]*"{last}".*|post\("{last}".*)')
    home = path.split("/")[1]
    lines = [(one, line) for one in _TEMPLATES.rglob("*.html") for line in sent.findall(one.read_text())]
    return [line for one, line in lines if home in line or home in one.parts]


def asks(form: str) -> bool:
    """Tell whether a form has a question: of its own, or as the last of what the macro for them takes."""
    call = re.match(r"post\(([^()]*)\)", re.sub(r'"[^"]*"', '""', form))
    return "asks(" in form if call is None else call[1].count(",") == _LAST


def test_the_forms_are_looked_at() -> None:
    """Of the kinds that take something away, and none is excused that is not there."""
    assert len(FORMS) > 10
    assert set(_WITHOUT) <= set(FORMS)


@pytest.mark.parametrize("path", [one for one in FORMS if one not in _WITHOUT])
def test_what_cannot_be_taken_back_is_asked(path: str) -> None:
    """By the form itself, so that it is asked by a dialog and without scripts by a page."""
    forms = forms_of(path)
    assert forms, path
    assert all(map(asks, forms)), forms
