"""What alembic runs: the migrations on the connection (and in the transaction) that ``migrate.upgrade`` opened.

Supabase grants whatever is new in ``public`` to ``anon`` as well, by its own default privileges: what the migrations
made is taken back from it, so that each of them need not think of a role that other databases do not have.
"""

from typing import Final

from alembic import context

_MADE: Final = """
SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || CAST(CAST(oid AS regclass) AS text)
FROM pg_class WHERE relnamespace = CAST('public' AS regnamespace) AND relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL SELECT 'FUNCTION ' || CAST(CAST(oid AS regprocedure) AS text)
FROM pg_proc WHERE pronamespace = CAST('public' AS regnamespace)
"""
_ANONYMOUS: Final = "SELECT FROM pg_roles WHERE rolname = 'anon'"

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="headrace_schema_version")
before = set(connection.exec_driver_sql(_MADE).scalars())
context.run_migrations()
if connection.exec_driver_sql(_ANONYMOUS).first() is not None:
    for made in set(connection.exec_driver_sql(_MADE).scalars()) - before:
        connection.exec_driver_sql(f"REVOKE ALL ON {made} FROM anon")
