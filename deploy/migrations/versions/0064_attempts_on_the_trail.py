"""Tell on the audit trail of sign-ins that failed, and of sessions that were ended.

What failed counts up in one row an hour, and there is a bound on those rows: whoever guesses passwords from many
addresses at many names cannot fill the trail, nor push what they try at one account out of it.
"""

from typing import Final

from alembic import op

revision = "0064"
down_revision = "0063"

# A count may go up, and nothing else of its row may change; nobody but the function below may change it at all.
_COUNTED: Final = """
CREATE OR REPLACE FUNCTION headrace_keep_trail_whole() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < now() - interval '30 days' THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.action = 'sign_in_failed' AND to_jsonb(NEW) - 'changes' = to_jsonb(OLD) - 'changes'
    AND NEW.changes - '{attempts,last}'::text[] = OLD.changes - '{attempts,last}'::text[]
    AND (NEW.changes #>> '{attempts,new}')::bigint > (OLD.changes #>> '{attempts,new}')::bigint THEN
    RETURN NEW;
  END IF;
  RAISE insufficient_privilege USING MESSAGE = 'the audit trail is only added to';
END $$;
"""

# Of an account that there is: 50 addresses an hour. Of names that there are not: 200 rows an hour, all together.
# The rest counts up under "others", of the account or of all of them.
_FAILED: Final = """
CREATE FUNCTION headrace_failed_sign_in_row(object text, address text, why text) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT md5(jsonb_build_array('sign_in_failed', object, address, why,
    floor(extract(epoch FROM now()) / 3600))::text)::uuid
$$;

CREATE FUNCTION headrace_note_failed_sign_in(account text, address text, why text, attempts integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  began timestamptz := to_timestamp(floor(extract(epoch FROM now()) / 3600) * 3600);
  person uuid;
  called text;
  object text;
  whence text := left(address, 100);
  line uuid;
BEGIN
  SELECT u.id, u.email INTO person, called FROM public.users u WHERE lower(u.email) = lower(account);
  object := coalesce(person::text, nullif(left(account, 254), ''), 'unknown');
  line := public.headrace_failed_sign_in_row(object, whence, why);
  IF NOT EXISTS (SELECT FROM public.audit_trail t WHERE t.id = line) THEN
    IF person IS NOT NULL AND 50 <= (SELECT count(*) FROM (SELECT FROM public.audit_trail t
      WHERE t.object_id = object AND t.action = 'sign_in_failed' AND t.at >= began LIMIT 50) AS few) THEN
      whence := 'others';
    ELSIF person IS NULL AND 200 <= (SELECT count(*) FROM (SELECT FROM public.audit_trail t
      WHERE t.action = 'sign_in_failed' AND t.name IS NULL AND t.at >= began LIMIT 200) AS few) THEN
      object := 'others';
      whence := 'others';
    END IF;
    line := public.headrace_failed_sign_in_row(object, whence, why);
  END IF;
  INSERT INTO public.audit_trail AS t (id, actor_kind, action, kind, object_id, name, changes)
  VALUES (line, 'anonymous', 'sign_in_failed', 'sign_in', object, called, jsonb_build_object(
    'address', jsonb_build_object('new', whence), 'why', jsonb_build_object('new', why),
    'attempts', jsonb_build_object('new', attempts), 'last', jsonb_build_object('new', now())))
  ON CONFLICT (id) DO UPDATE SET changes = t.changes || jsonb_build_object(
    'attempts', jsonb_build_object('new', (t.changes #>> '{attempts,new}')::bigint + attempts),
    'last', jsonb_build_object('new', now()));
END $$;
COMMENT ON FUNCTION headrace_note_failed_sign_in(text, text, text, integer)
  IS 'Counts sign-ins that failed: by account, address and reason, in a row an hour each';
"""

# A session whose time has come is nobody's doing. Where there are no claims, the API itself has ended one too many.
_ENDED: Final = """
CREATE FUNCTION headrace_note_session_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  who uuid := nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid;
BEGIN
  IF OLD.expires_at > now() THEN
    PERFORM public.headrace_add_to_trail(
      CASE WHEN who = OLD.user_id THEN 'signed_out' ELSE 'ended' END, 'session', OLD.id::text, OLD.how, NULL,
      jsonb_build_object('user_id', jsonb_build_object('old', OLD.user_id)));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER trail_ended AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION headrace_note_session_end();
"""
_GRANTS: Final = """
DO $$
DECLARE
  stranger text;
BEGIN
  FOR stranger IN SELECT 'PUBLIC' UNION ALL
    SELECT quote_ident(rolname) FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION headrace_failed_sign_in_row, headrace_note_failed_sign_in,
      headrace_note_session_end FROM %s', stranger);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION headrace_note_failed_sign_in TO headrace_api;
"""


def upgrade() -> None:
    """Apply."""
    for part in (_COUNTED, _FAILED, _ENDED, _GRANTS):
        op.execute(part)
