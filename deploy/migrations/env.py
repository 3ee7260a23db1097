"""What alembic runs: the migrations on the connection (and in the transaction) that ``migrate.upgrade`` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="headrace_schema_version")
context.run_migrations()
