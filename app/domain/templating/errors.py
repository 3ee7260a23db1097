"""What can go wrong with a template: on save, and when it is rendered."""

from __future__ import annotations

from app.domain.errors import HeadraceError


class TemplateError(HeadraceError):
    """A template that does not compile; the text has the line, if there is one."""


class TemplateFailure(HeadraceError):  # noqa: N818 - the outcome of a render, beside the error of a compile
    """A template that could not be rendered for this event; the text names the variable or the bound, never a value."""
