"""Who may do what in a database: every wall there is, one line each, to be compared with ``walls.txt``.

``python -m tests.integration.postgres.walls [DATABASE_URL]`` prints how a migrated database (``DATABASE_URL``) differs
from the list: lines to add with ``+``, lines that are no longer true with ``-``.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg

LIST: Final = Path(__file__).with_name("walls.txt")
# Whoever may speak for a user: what these may do needs a reason.
STRANGERS: Final = frozenset({"authenticated", "anon", "PUBLIC"})

# A day's partition stands for all of them.
_NAMES: Final = r"""
CREATE OR REPLACE FUNCTION pg_temp.called(thing oid) RETURNS text LANGUAGE sql AS $$
  SELECT regexp_replace(n.nspname || '.' || c.relname, '^(public\.automation_logs)_\d{8}$', '\1_<day>')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = thing
$$;
CREATE OR REPLACE FUNCTION pg_temp.who(grantee oid) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END
$$;
CREATE OR REPLACE VIEW pg_temp.ours AS
SELECT n.* FROM pg_namespace n WHERE n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_');
"""
_LINES: Final[Sequence[str]] = (
    """
SELECT format('schema %s: %s may %s', n.nspname, pg_temp.who(a.grantee), lower(string_agg(privilege_type, ', '
  ORDER BY privilege_type)))
FROM pg_temp.ours n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
WHERE a.grantee <> n.nspowner GROUP BY n.nspname, a.grantee
""",
    """
SELECT DISTINCT format('%s %s: row security %s', CASE WHEN relkind IN ('r', 'p') THEN 'table' WHEN relkind = 'v'
  THEN 'view' ELSE 'relation of kind ' || CAST(relkind AS text) END, pg_temp.called(c.oid),
  CASE WHEN relforcerowsecurity AND relrowsecurity THEN 'forced' WHEN relrowsecurity
  THEN 'not for its owner' ELSE 'off' END)
FROM pg_class c JOIN pg_temp.ours n ON n.oid = c.relnamespace WHERE relkind NOT IN ('i', 'I', 'S', 't', 'c')
""",
    """
SELECT DISTINCT format('%s %s: %s may %s', CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END,
  pg_temp.called(c.oid), pg_temp.who(a.grantee), lower(string_agg(privilege_type, ', ' ORDER BY privilege_type)))
FROM pg_class c JOIN pg_temp.ours n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
WHERE a.grantee <> c.relowner GROUP BY c.oid, a.grantee
""",
    """
SELECT DISTINCT format('table %s: %s may %s (%s)', pg_temp.called(c.oid), pg_temp.who(a.grantee),
  lower(privilege_type), string_agg(attname, ', ' ORDER BY attname COLLATE "C"))
FROM pg_class c JOIN pg_temp.ours n ON n.oid = c.relnamespace JOIN pg_attribute t ON t.attrelid = c.oid,
  aclexplode(t.attacl) a
WHERE a.grantee <> c.relowner GROUP BY c.oid, a.grantee, privilege_type
""",
    r"""
SELECT format('policy %s on %s: %s %s%s%s', polname, pg_temp.called(polrelid),
  (SELECT string_agg(pg_temp.who(role), ', ') FROM unnest(polroles) role),
  CASE polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
    ELSE 'all' END || CASE WHEN polpermissive THEN '' ELSE ' restrictive' END,
  ' using ' || regexp_replace(pg_get_expr(polqual, polrelid), '\s+', ' ', 'g'),
  ' check ' || regexp_replace(pg_get_expr(polwithcheck, polrelid), '\s+', ' ', 'g'))
FROM pg_policy p JOIN pg_class c ON c.oid = polrelid JOIN pg_temp.ours n ON n.oid = c.relnamespace
""",
    """
SELECT format('function %s: runs as its %s, %s', p.oid::regprocedure, CASE WHEN prosecdef THEN 'owner' ELSE 'caller'
  END, coalesce((SELECT setting FROM unnest(proconfig) setting WHERE setting LIKE 'search_path=%'), 'any search_path'))
FROM pg_proc p JOIN pg_temp.ours n ON n.oid = p.pronamespace
""",
    """
SELECT format('function %s: %s may execute', p.oid::regprocedure, pg_temp.who(a.grantee))
FROM pg_proc p JOIN pg_temp.ours n ON n.oid = p.pronamespace,
  aclexplode(coalesce(proacl, acldefault('f', proowner))) a
WHERE a.grantee <> p.proowner
""",
)


def walls(connection: psycopg.Connection[Any]) -> set[str]:
    """Return every wall, one line each; what a thing's owner may do goes without saying."""
    for statement in _NAMES.split(";\n"):
        connection.execute(statement.encode())
    connection.execute("SET LOCAL search_path = pg_catalog")
    return {row[0] for query in _LINES for row in connection.execute(query.encode()).fetchall()}


def listed() -> dict[str, str]:
    """Return the lines of ``walls.txt``, each with its reason; those without one have an empty one.

    Raises:
        ValueError: A line stands there twice.
    """
    lines: dict[str, str] = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        wall, _, reason = line.partition("  # ")
        if not wall.strip() or wall.startswith("#"):
            continue
        if wall.strip() in lines:
            raise ValueError(f"{LIST.name} has this line twice: {wall}")
        lines[wall.strip()] = reason.strip()
    return lines


def needs_a_reason(wall: str) -> bool:
    """Tell whether a line lets somebody through who may be anybody."""
    subject, _, said = wall.partition(": ")
    whom = said.partition(" ")[0].rstrip(",")
    return whom in STRANGERS or (subject.startswith("function") and said.startswith("runs as its owner"))


def difference(found: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return what is to be added to the list, and what to be removed from it."""
    there, said = set(found), set(wanted)
    return [*(f"+ {line}" for line in sorted(there - said)), *(f"- {line}" for line in sorted(said - there))]


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1] if len(sys.argv) > 1 else os.environ["DATABASE_URL"]) as opened:
        sys.stdout.writelines(f"{line}\n" for line in difference(walls(opened), listed()))
