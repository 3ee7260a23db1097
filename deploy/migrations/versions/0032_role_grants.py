"""Give each role a database role of its own, with the grants that its statements need and no more.

``headrace_matcher`` and its likes cannot log in: a login user is a member of one of them (``headrace database-users``)
and acts as it. Row level security lets them all pass as members of ``headrace_rows``, which has no grant itself, so
that the grants alone decide. ``headrace_service``, which may everything, stays for the owner's own commands, and may
act as any of them: who served as it so far goes on.
"""

from typing import Final

from alembic import op

revision = "0032"
down_revision = "0029"

# Roles belong to the cluster: another database's migration may be making the same one right now.
_ROLES: Final = """
DO $$
DECLARE
  fine constant text[] := ARRAY['headrace_matcher', 'headrace_executor', 'headrace_sink', 'headrace_scheduler',
    'headrace_sources', 'headrace_api'];
  wanted text;
  pair record;
  missing text := '';
BEGIN
  FOREACH wanted IN ARRAY array_prepend('headrace_rows', fine) LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', wanted);
      END IF;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN missing := missing || format('CREATE ROLE %I NOLOGIN; ', wanted);
    END;
  END LOOP;
  FOR pair IN SELECT 'headrace_rows' AS held, unnest(fine) AS holder UNION ALL SELECT unnest(fine), 'headrace_service'
  LOOP
    BEGIN
      IF NOT pg_has_role(pair.holder::name, pair.held::name, 'MEMBER') THEN
        EXECUTE format('GRANT %I TO %I', pair.held, pair.holder);
      END IF;
    EXCEPTION
      WHEN unique_violation THEN NULL;
      WHEN insufficient_privilege OR undefined_object THEN
        missing := missing || format('GRANT %I TO %I; ', pair.held, pair.holder);
    END;
  END LOOP;
  IF missing <> '' THEN
    RAISE insufficient_privilege USING MESSAGE = format('%s may not make the roles that are missing', current_user),
      HINT = 'As an administrator: ' || trim(missing);
  END IF;
END $$;
"""
_ROWS: Final = """
DO $$
DECLARE
  found record;
BEGIN
  FOR found IN SELECT schemaname, tablename, policyname, roles FROM pg_policies
    WHERE 'headrace_service' = ANY (roles) AND NOT 'headrace_rows' = ANY (roles)
  LOOP
    EXECUTE format('ALTER POLICY %I ON %I.%I TO headrace_rows, %s', found.policyname, found.schemaname, found.tablename,
      (SELECT string_agg(quote_ident(r), ', ') FROM unnest(found.roles) AS r));
  END LOOP;
END $$;
"""
# Before Postgres 15 everybody might make tables and functions in it.
_SCHEMAS: Final = """
GRANT USAGE ON SCHEMA public
  TO headrace_matcher, headrace_executor, headrace_sink, headrace_scheduler, headrace_sources, headrace_api;
GRANT USAGE ON SCHEMA crm TO headrace_executor, headrace_scheduler, headrace_api;
GRANT USAGE ON SCHEMA sales TO headrace_executor, headrace_api;
GRANT USAGE ON SCHEMA affiliates TO headrace_api;
DO $$
BEGIN
  IF pg_has_role(current_user, (SELECT nspowner FROM pg_namespace WHERE nspname = 'public'), 'USAGE') THEN
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
  END IF;
  IF pg_has_role(current_user, (SELECT nspowner FROM pg_namespace WHERE nspname = 'auth'), 'USAGE') THEN
    GRANT USAGE ON SCHEMA auth TO headrace_api;
    GRANT SELECT (id), INSERT (id) ON auth.users TO headrace_api;
  END IF;
END $$;
"""
# Who reads Kafka through Faust: whose process holds a partition, and of what one died.
_READERS: Final = """
GRANT SELECT, INSERT, UPDATE ON partition_holds, instances
  TO headrace_matcher, headrace_executor, headrace_sink, headrace_sources;
GRANT USAGE ON SEQUENCE incarnations TO headrace_matcher, headrace_executor, headrace_sink, headrace_sources;
"""
_MATCHER: Final = """
GRANT SELECT (id, version, tombstoned_at) ON automations TO headrace_matcher;
GRANT SELECT (automation_id, version, body) ON automation_revisions TO headrace_matcher;
GRANT INSERT (topic, key, value) ON outbox TO headrace_matcher;
GRANT USAGE ON SEQUENCE outbox_id_seq TO headrace_matcher;
GRANT SELECT, INSERT, UPDATE ON entries TO headrace_matcher;
GRANT EXECUTE ON FUNCTION headrace_enter(uuid[], text[], uuid[], timestamptz[], interval[], text[]) TO headrace_matcher;
"""
# A statement that meets a row which is there (ON CONFLICT) reads what it compares, so its columns must be readable.
_EXECUTOR: Final = """
GRANT SELECT, INSERT, UPDATE ON receipts, execution_keys, timers, breakers TO headrace_executor;
GRANT INSERT (topic, key, value, headers) ON outbox TO headrace_executor;
GRANT USAGE ON SEQUENCE outbox_id_seq TO headrace_executor;
GRANT SELECT (name, value) ON secrets TO headrace_executor;
GRANT SELECT (name, url) ON notification_channels TO headrace_executor;
GRANT SELECT (created_by, kind, name, subject, text, html) ON message_templates TO headrace_executor;
GRANT SELECT (id), INSERT (id, user_id, title, body, workflow_id, execution_id) ON notifications TO headrace_executor;
GRANT SELECT (user_id, role, permissions) ON user_permissions TO headrace_executor;
GRANT SELECT, INSERT, UPDATE, DELETE ON crm.tags TO headrace_executor;
GRANT SELECT, INSERT, UPDATE ON crm.customers, crm.conversations TO headrace_executor;
GRANT SELECT, INSERT ON crm.notes, crm.appointments, crm.tasks TO headrace_executor;
GRANT SELECT ON sales.orders TO headrace_executor;
"""
_SINK: Final = """
GRANT SELECT, INSERT, UPDATE ON execution_keys, automation_logs, automation_logs_archive TO headrace_sink;
GRANT SELECT ON automation_logs_horizon TO headrace_sink;
GRANT SELECT (topic, "partition", "offset", reader, digest), INSERT ON dead_letters TO headrace_sink;
GRANT EXECUTE ON FUNCTION headrace_make_log_partition TO headrace_sink;
"""
# An UPDATE of one column stands where rows are only locked before they are deleted; ctid is how they are found again.
_SCHEDULER: Final = """
GRANT SELECT, UPDATE, DELETE ON outbox, timers TO headrace_scheduler;
GRANT INSERT (topic, key, value, headers) ON outbox TO headrace_scheduler;
GRANT USAGE ON SEQUENCE outbox_id_seq TO headrace_scheduler;
GRANT SELECT, INSERT, DELETE ON breakers TO headrace_scheduler;
GRANT SELECT, INSERT, UPDATE, DELETE ON temporal_schedules, temporal_audiences TO headrace_scheduler;
GRANT SELECT (id, active, deleted_at, tombstoned_at, trigger_type, trigger_config, reentry), UPDATE (tombstoned_at)
  ON automations TO headrace_scheduler;
GRANT SELECT (ctid, execution_id, created_at), UPDATE (created_at), DELETE ON receipts TO headrace_scheduler;
GRANT SELECT (ctid, execution_id, executed_at), UPDATE (executed_at), DELETE ON execution_keys TO headrace_scheduler;
GRANT SELECT (ctid, workflow_id, key, entered_at), UPDATE (entered_at), DELETE ON entries TO headrace_scheduler;
GRANT SELECT (ctid, created_at), UPDATE (created_at), DELETE ON notifications, crm.requests TO headrace_scheduler;
GRANT SELECT (id, failed_at, replayed_at, discarded_at), UPDATE (stored_at), DELETE ON dead_letters
  TO headrace_scheduler;
GRANT SELECT (customer_id, profile) ON crm.customers TO headrace_scheduler;
GRANT SELECT (customer_id, tag) ON crm.tags TO headrace_scheduler;
GRANT EXECUTE ON FUNCTION headrace_make_log_partition, headrace_archive_log_partition TO headrace_scheduler;
"""
# What the API does in nobody's name, once it has checked who asks. The rest it does as `authenticated`.
_API: Final = """
GRANT SELECT (id, usage_count), UPDATE (usage_count) ON automation_templates TO headrace_api;
GRANT SELECT (active, deleted_at) ON automations TO headrace_api;
GRANT SELECT (status, executed_at, actions_executed) ON automation_logs TO headrace_api;
GRANT SELECT (command_id, kind, destination, topic, key, value, created_at, set_aside, error), DELETE ON timers
  TO headrace_api;
GRANT SELECT (command_id, state, parked), INSERT (command_id, execution_id, state, parked), UPDATE (parked) ON receipts
  TO headrace_api;
GRANT SELECT (execution_id, attempt), INSERT (execution_id, version, executed_at, attempt), UPDATE (attempt)
  ON execution_keys TO headrace_api;
GRANT SELECT (id, topic, created_at, set_aside, error), INSERT (topic, key, value, headers) ON outbox TO headrace_api;
GRANT USAGE ON SEQUENCE outbox_id_seq TO headrace_api;
GRANT SELECT, UPDATE (replayed_at, replayed_by, discarded_at, discarded_by) ON dead_letters TO headrace_api;
GRANT SELECT (destination, reason, until, closed) ON breakers TO headrace_api;
GRANT SELECT (created_by, kind, name, subject, text, html) ON message_templates TO headrace_api;
GRANT SELECT, INSERT, UPDATE ON user_permissions TO headrace_api;
GRANT SELECT, UPDATE (last_used) ON api_keys TO headrace_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON crm.customers, crm.tags TO headrace_api;
GRANT SELECT, INSERT, DELETE ON crm.notes TO headrace_api;
GRANT SELECT, INSERT ON crm.messages TO headrace_api;
GRANT SELECT, INSERT, UPDATE ON crm.appointments, crm.conversations, crm.tasks, crm.requests, sales.orders,
  affiliates.affiliates, affiliates.commissions TO headrace_api;
"""


def upgrade() -> None:
    """Apply."""
    for part in (_ROLES, _ROWS, _SCHEMAS, _READERS, _MATCHER, _EXECUTOR, _SINK, _SCHEDULER, _API):
        op.execute(part)
