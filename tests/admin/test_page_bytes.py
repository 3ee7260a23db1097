"""Pages of large rows: as many as fit, a cursor for the rest, none twice and none lost."""

from typing import Final

import psycopg
import pytest

from tests.admin.conftest import User
from tests.integration.postgres.users import become

MIB: Final = 1024 * 1024
LARGE: Final = {
    "/api/v1/message-templates": """
INSERT INTO message_templates (id, name, kind, text, html, created_by)
  SELECT gen_random_uuid(), 'n' || n, 'email', repeat('☃', 262144), repeat('☃', 262144), %s
  FROM generate_series(1, 12) n
""",
    "/api/v1/workflows": """
INSERT INTO automations (name, trigger_type, actions, created_by) SELECT 'n', 'order.paid', jsonb_build_array(
  jsonb_build_object('type', 'apply_tag', 'order', 1, 'config', jsonb_build_object('tag', repeat('x', 120000)))), %s
  FROM generate_series(1, 99)
""",
    "/api/v1/templates": """
INSERT INTO automation_templates (name, trigger_type, actions, created_by) SELECT 'n', 'order.paid', jsonb_build_array(
  jsonb_build_object('type', 'apply_tag', 'order', 1, 'config', jsonb_build_object('tag', repeat('x', 120000)))), %s
  FROM generate_series(1, 99)
""",
}


@pytest.mark.parametrize(("root", "count"), [*zip(LARGE, (12, 99, 99), strict=True)])
async def test_a_page_of_large_rows_is_bounded(user: User, api_database: str, root: str, count: int) -> None:
    """8 MiB and a row at most; the cursor leads through all of them, each once."""
    with psycopg.connect(api_database) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s) ON CONFLICT DO NOTHING", (user.id,))
        connection.commit()
        become(connection, user.id)
        connection.execute(LARGE[root].encode(), (user.id,))
        connection.commit()
    seen: list[str] = []
    pages, cursor = 0, None
    while pages == 0 or cursor is not None:
        answer = await user.call("GET", f"{root}?limit=100" + ("" if cursor is None else f"&cursor={cursor}"))
        assert len(str(answer.json).encode()) < 10 * MIB
        seen += [item["id"] for item in answer.json["items"] if item["created_by"] == str(user.id)]
        cursor, pages = answer.json["next_cursor"], pages + 1
    assert (len(seen), len(set(seen)), pages > 1) == (count, count, True)
