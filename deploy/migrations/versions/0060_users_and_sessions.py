"""Keep people who sign in here: users, their sessions, one-time links, and who they are at an OpenID issuer.

Of a session and a link only a digest is kept. Callers see users and sessions as far as row level security lets them,
and never a password's hash; only the API's own role does, which checks who signs in.
"""

from typing import Final

from alembic import op

revision = "0060"
down_revision = "0059"

_READABLE: Final = (
    "CONSTRAINT {column}_readable CHECK ({column} >= '0001-01-02 00:00+00' AND {column} < '9999-12-31 00:00+00')"
)


def _readable(*columns: str) -> str:
    return ",\n  ".join(_READABLE.format(column=column) for column in columns)


_USERS: Final = f"""
CREATE TABLE users (
  id uuid PRIMARY KEY,
  email text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
  name text NOT NULL CHECK (length(name) <= 100),
  role text NOT NULL CHECK (role IN ('user', 'admin')),
  permissions text[] NOT NULL DEFAULT '{{}}',
  disabled_at timestamptz,
  password_hash text CHECK (length(password_hash) <= 500),
  has_password boolean GENERATED ALWAYS AS (password_hash IS NOT NULL) STORED,
  signed_in_at timestamptz,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  {_readable("disabled_at", "signed_in_at", "created_at", "updated_at")}
);
COMMENT ON TABLE users IS 'Who signs in here; id is the sub of their tokens, and what rows of theirs say as created_by';
COMMENT ON COLUMN users.password_hash IS 'Argon2id, with its parameters; NULL: they sign in by link or OpenID only';
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE INDEX users_newest ON users (created_at DESC, id DESC);

CREATE TABLE user_identities (
  issuer text NOT NULL CHECK (length(issuer) <= 500),
  subject text NOT NULL CHECK (length(subject) <= 255),
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject),
  {_readable("created_at")}
);
COMMENT ON TABLE user_identities IS 'Who a user is at an OpenID issuer: never found by an e-mail once it is here';
CREATE UNIQUE INDEX user_identities_one ON user_identities (user_id, issuer);
"""
_SESSIONS: Final = f"""
CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
  how text NOT NULL CHECK (how IN ('password', 'link', 'openid')),
  address text NOT NULL DEFAULT '' CHECK (length(address) <= 100),
  agent text NOT NULL DEFAULT '' CHECK (length(agent) <= 300),
  created_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  {_readable("created_at", "seen_at", "expires_at")}
);
COMMENT ON COLUMN sessions.digest IS 'SHA-256 of 256 random bits, which no slow hash could protect better';
COMMENT ON COLUMN sessions.seen_at IS 'To the minute or so';
CREATE INDEX sessions_user ON sessions (user_id, created_at DESC, id DESC);
CREATE INDEX sessions_newest ON sessions (created_at DESC, id DESC);
CREATE INDEX sessions_expired ON sessions (expires_at);

CREATE TABLE sign_in_links (
  digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  {_readable("expires_at")}
);
COMMENT ON TABLE sign_in_links IS 'Links that sign in once: the row goes as the link is used';
CREATE INDEX sign_in_links_user ON sign_in_links (user_id);
CREATE INDEX sign_in_links_expired ON sign_in_links (expires_at);
"""
# Also for whoever may write the table: two who take each other away at once wait for one another, and one is refused.
_LAST: Final = """
CREATE FUNCTION headrace_keep_an_administrator() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.role <> 'admin' OR OLD.disabled_at IS NOT NULL THEN
    RETURN coalesce(NEW, OLD);
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.role = 'admin' AND NEW.disabled_at IS NULL THEN
    RETURN NEW;
  END IF;
  PERFORM 1 FROM public.users WHERE role = 'admin' AND disabled_at IS NULL AND id <> OLD.id ORDER BY id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE SQLSTATE 'PT409' USING MESSAGE = 'This is the last administrator; make another one first';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER keep_an_administrator BEFORE UPDATE OR DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION headrace_keep_an_administrator();
"""
_WALLS: Final = """
DO $$
DECLARE
  made text;
  stranger text;
BEGIN
  FOREACH made IN ARRAY ARRAY['users', 'user_identities', 'sessions', 'sign_in_links'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', made);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', made);
    EXECUTE format('CREATE POLICY service ON %I TO headrace_rows, headrace_service USING (true) WITH CHECK (true)',
      made);
  END LOOP;
  REVOKE ALL ON users, user_identities, sessions, sign_in_links FROM PUBLIC;
  REVOKE ALL ON FUNCTION headrace_keep_an_administrator() FROM PUBLIC;
  -- In Supabase what is new is everybody's, by default privileges.
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON users, user_identities, sessions, sign_in_links FROM %I', stranger);
    EXECUTE format('REVOKE ALL ON FUNCTION headrace_keep_an_administrator() FROM %I', stranger);
  END LOOP;
END $$;

GRANT SELECT (id, email, name, role, permissions, disabled_at, has_password, signed_in_at, version, created_at,
    updated_at),
  INSERT (id, email, name, role, permissions),
  UPDATE (email, name, role, permissions, disabled_at, version, updated_at),
  DELETE ON users TO authenticated;
CREATE POLICY own_or_all ON users FOR SELECT TO authenticated
  USING (id = (SELECT auth.uid()) OR (SELECT headrace_is_admin()));
CREATE POLICY administrators_make ON users FOR INSERT TO authenticated WITH CHECK ((SELECT headrace_is_admin()));
CREATE POLICY administrators_change ON users FOR UPDATE TO authenticated
  USING ((SELECT headrace_is_admin())) WITH CHECK ((SELECT headrace_is_admin()));
CREATE POLICY administrators_delete ON users FOR DELETE TO authenticated USING ((SELECT headrace_is_admin()));

GRANT SELECT (id, user_id, how, address, agent, created_at, seen_at, expires_at), DELETE ON sessions TO authenticated;
CREATE POLICY own_or_all ON sessions FOR SELECT TO authenticated
  USING (user_id = (SELECT auth.uid()) OR (SELECT headrace_is_admin()));
CREATE POLICY own_or_all_end ON sessions FOR DELETE TO authenticated
  USING (user_id = (SELECT auth.uid()) OR (SELECT headrace_is_admin()));

GRANT SELECT, INSERT (id, email, name, role, permissions),
  UPDATE (password_hash, signed_in_at, role, permissions, version, updated_at) ON users TO headrace_api;
GRANT SELECT, INSERT (issuer, subject, user_id) ON user_identities TO headrace_api;
GRANT SELECT, INSERT (id, user_id, digest, how, address, agent, expires_at), UPDATE (seen_at), DELETE
  ON sessions TO headrace_api;
GRANT SELECT, INSERT, DELETE ON sign_in_links TO headrace_api;
"""
# Sessions that end are of no interest: most do so by themselves.
_TRAIL: Final = """
SELECT headrace_keep_trail('users', 'user', '{id}', 'email', '{signed_in_at,has_password}');
SELECT headrace_keep_trail('user_identities', 'identity', '{issuer,subject}', 'issuer');
SELECT headrace_keep_trail('sessions', 'session', '{id}', 'how', '{seen_at,expires_at}', operations => 'INSERT');
"""


def upgrade() -> None:
    """Apply."""
    for part in (_USERS, _SESSIONS, _LAST, _WALLS, _TRAIL):
        op.execute(part)
