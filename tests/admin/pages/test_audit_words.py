"""What an audit trail's line says is different: people, workflows, roles and permissions by their names."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.admin.pages.settings.audit_words import differences
from app.ports.audit import AuditChange, AuditEntry

_ANA, _BIA, _FLOW = (str(UUID(int=number)) for number in (1, 2, 3))
_NAMES = {_ANA: "Ana", _BIA: "Bia", _FLOW: "Big orders"}


def line(**changes: tuple[Any, Any]) -> AuditEntry:
    """Return a line of something that was changed."""
    return AuditEntry(
        id=uuid4(), at=datetime.now(UTC), actor=None, actor_kind="admin", actor_name=None, action="changed",
        kind="secret", object_id="SHOP_TOKEN", name="SHOP_TOKEN", version=2,
        changes={name: AuditChange(old=old, new=new) for name, (old, new) in changes.items()},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"owners": ([_ANA], [_ANA, _BIA])}, "whose workflows may use it from Ana to Ana, Bia"),
        ({"owners": ([_ANA], ["*"])}, "whose workflows may use it from Ana to everybody"),
        ({"workflows": (["*"], [_FLOW])}, "which workflows may use it from all to Big orders"),
        ({"hosts": (["shop.example"], ["*"])}, "where it may be sent from shop.example to anywhere"),
        ({"role": ("user", "admin")}, "role from User to Administrator"),
        ({"permissions": ([], ["crm:read"])}, "may do from nothing to See customers"),
        ({"how": (None, "password")}, "signed in: with a password"),
        ({"name": ("a", "admin")}, "name from “a” to “admin”"),
        ({"owners": ([_ANA], [str(UUID(int=9))])}, f"whose workflows may use it from Ana to {UUID(int=9)}"),
    ],
)
def test_differences_are_said_by_names(changes: dict[str, tuple[Any, Any]], said: str) -> None:
    """Not by ids or the names that programs use; who is not known stays an id."""
    assert differences(line(**changes), _NAMES) == [said]
