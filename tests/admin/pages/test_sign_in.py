"""Signing in and out as a person does it, and what it must not let anybody do."""

import pytest

from tests.admin.pages.conftest import LOOKS, Visit


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_the_form_can_be_used_by_everybody(visit: Visit, look: dict[str, bool]) -> None:
    """By keyboard, by a screen reader, dark, light and on a phone."""
    async with visit(**look) as window:
        await window.go("/sign-in")
        assert await window.heading() == "Sign in"
        await window.looked_at("sign-in")
