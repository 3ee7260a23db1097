"""What a trigger's config asks of an event beside its type."""

from typing import Any

import pytest

from app.domain.triggers import wants


@pytest.mark.parametrize(
    ("config", "data", "wanted"),
    [
        ({}, {}, True),
        ({"tag": None}, {"tag": "VIP"}, True),
        ({"tag": "VIP"}, {"tag": "VIP"}, True),
        ({"tag": "VIP"}, {"tag": "vip"}, False),
        ({"tag": "VIP"}, {}, False),
        ({"fields": ["plan"]}, {"changed": ["name", "plan"]}, True),
        ({"fields": ["plan", "email"]}, {"changed": ["email"]}, True),
        ({"fields": ["plan"]}, {"changed": ["name"]}, False),
        ({"fields": ["plan"]}, {"changed": []}, False),
        ({"fields": ["plan"]}, {"previous": {"plan": "free"}}, True),
        ({"fields": ["plan"]}, {"changed": ["name"], "previous": {"plan": "free"}}, False),
        ({"fields": ["plan"]}, {"changed": "plan"}, False),
        ({"fields": ["plan"]}, {"changed": [["plan"]]}, False),
        ({"fields": ["plan"]}, {}, False),
        ({"fields": None}, {}, True),
    ],
)
def test_a_config_picks_events(config: dict[str, Any], data: dict[str, Any], wanted: bool) -> None:  # noqa: FBT001 - a column of the table
    """A tag must be the very one; of the fields one must have changed, as the event tells."""
    assert wants(config, data) is wanted
