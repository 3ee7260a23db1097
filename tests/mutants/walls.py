"""The walls broken on purpose: who gets in, what is whose, and what is told of it; each by a quick test of its own."""

from typing import Final

from tests.mutants.table import Mutant

_AUTH: Final = "app/admin/auth.py"
_OPENID: Final = "app/admin/openid.py"
_MIDDLEWARE: Final = "app/admin/middleware.py"
_SESSIONS: Final = "app/services/access/sessions.py"
_SESSION_ROWS: Final = "app/adapters/postgres/sessions.py"
_ATTEMPTS: Final = "app/services/access/attempts.py"
_CREDENTIALS: Final = "app/adapters/postgres/credentials.py"
_VERSIONS: Final = "deploy/migrations/versions"
_POLICIES: Final = f"{_VERSIONS}/0005_rls_policies.py"
_TRAIL: Final = f"{_VERSIONS}/0057_audit_trail.py"

_ON_SESSIONS: Final = "tests/admin/test_sessions.py::"
_ON_SIGN_IN: Final = "tests/admin/test_sign_in.py::"
_ON_OPENID: Final = "tests/admin/test_openid.py::"
_ON_ATTEMPTS: Final = "tests/services/access/test_attempts.py"
_ON_ROWS: Final = "tests/admin/test_direct_access.py"
_CHANGES: Final = f"{_ON_SESSIONS}test_what_changes_takes_effect_within_two_seconds"
_WRONG_TOKEN: Final = f"{_ON_OPENID}test_a_token_of_another_attempt_or_client_does_not_hold"
_NO_TOKEN: Final = "tests/admin/test_auth.py::test_a_token_that_does_not_hold_is_refused"
_WRITERS: Final = "tests/integration/postgres/test_audit_trail.py::test_every_table_that_users_write_is_on_the_trail"

WALLS: Final = (
    # Sessions
    Mutant(f"{_ON_SESSIONS}test_what_changes_something_needs_the_token", "app/admin/forgery.py",
           'if not hmac.compare_digest(given.encode(errors="replace"), csrf_token(session_token).encode()):',
           "if given and given != csrf_token(session_token):"),
    Mutant(f"{_ON_SESSIONS}test_another_sites_page_changes_nothing", "app/admin/forgery.py",
           "        self.check_site(request)\n        given", "        given"),
    Mutant(_CHANGES, _SESSIONS, "return now < session.expires_at and now", "return now"),
    Mutant(_CHANGES, _SESSIONS, " and now - max(seen, session.seen_at) < self._idle", ""),
    Mutant(_CHANGES, _SESSIONS, "Recent(self._read, FRESH_S, clock)", "Recent(self._read, 10 * FRESH_S, clock)"),
    Mutant(_CHANGES, _SESSION_ROWS, " AND u.disabled_at IS NULL", ""),
    Mutant(_CHANGES, _SESSION_ROWS, "row.email, row.name, row.role,", 'row.email, row.name, "user",'),
    Mutant(f"{_ON_SESSIONS}test_signing_out_ends_the_session_at_once", _SESSIONS,
           "            self._recent.forget(digest)\n", "            return\n"),
    Mutant("tests/admin/test_users.py::test_who_is_disabled_is_out_whatever_they_bring", "app/admin/identity.py",
           "if standing.out:", "if False:"),
    Mutant(f"{_ON_SIGN_IN}test_another_password_ends_the_other_sessions", _CREDENTIALS,
           '            await connection.execute(_END_OTHERS, {"id": user_id, "keep": keep})\n', ""),
    # Signing in
    Mutant(f"{_ON_SIGN_IN}test_a_link_signs_in_once", _CREDENTIALS,
           "DELETE FROM sign_in_links AS l USING users AS u\nWHERE l.digest = :digest AND l.expires_at > now() AND u.id"
           " = l.user_id AND u.disabled_at IS NULL RETURNING l.user_id",
           "SELECT l.user_id FROM sign_in_links AS l JOIN users AS u ON u.id = l.user_id\nWHERE l.digest = :digest"
           " AND l.expires_at > now() AND u.disabled_at IS NULL"),
    Mutant(f"{_ON_SIGN_IN}test_a_link_of_yesterday_or_of_a_disabled_user_is_none", _CREDENTIALS,
           " AND l.expires_at > now() AND u.id", " AND u.id"),
    Mutant(f"{_ON_SIGN_IN}test_who_cannot_sign_in_is_not_told_why", "app/services/access/sign_in.py",
           " or found is None or found.disabled:", " or found is None:"),
    Mutant(_ON_ATTEMPTS, _ATTEMPTS, "self._accounts.take(email.casefold())", "self._accounts.take(email)"),
    Mutant(_ON_ATTEMPTS, _ATTEMPTS, "            self._addresses.take(address)\n", "            return\n"),
    Mutant(f"{_ON_SIGN_IN}test_attempts_are_limited_by_account_and_by_address", "app/services/access/sign_in.py",
           "        await self._attempts.at_account(email.strip(), address)\n", ""),
    # OpenID Connect
    Mutant(f"{_ON_OPENID}test_an_answer_counts_in_the_browser_that_asked", "app/admin/api/openid.py",
           "if attempt is None or not hmac.compare_digest(said.state.encode(), attempt.state.encode()):",
           "if attempt is None or not said.state:"),
    Mutant(_WRONG_TOKEN, _OPENID,
           'or not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):',
           'or "nonce" not in claims:'),
    Mutant(_WRONG_TOKEN, _OPENID, "                issuer=self._url,\n", ""),
    Mutant(_WRONG_TOKEN, _OPENID, "audience=self._client,",
           'audience=jwt.decode(token, options={"verify_signature": False})["aud"],'),
    Mutant(_WRONG_TOKEN, _OPENID, "if party != self._client or", "if"),
    Mutant(f"{_ON_OPENID}test_a_token_of_another_key_does_not_hold", _OPENID,
           'options={"require": ["exp", "iat", "iss", "aud", "sub"]},', 'options={"verify_signature": False},'),
    Mutant(f"{_ON_OPENID}test_who_signs_in_there_is_signed_in_here", _OPENID,
           '"code_challenge": attempt.challenge,', '"code_challenge": attempt.verifier,'),
    Mutant(f"{_ON_OPENID}test_who_signs_in_there_is_signed_in_here", _OPENID,
           '            "code_verifier": attempt.verifier,\n', ""),
    Mutant(f"{_ON_OPENID}test_an_email_that_is_not_verified_is_nobodys", "app/services/access/openid.py",
           'claims.get("email_verified") is not True or ', ""),
    Mutant(f"{_ON_OPENID}test_nobody_is_sent_elsewhere_afterwards", "app/domain/openid.py",
           r're.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")', r're.compile(r"/[\x21-\x7e]*")'),
    # Tokens and keys
    Mutant(_NO_TOKEN, _AUTH,
           "            key = await self._key(token)\n            claims = self._claims(token, key)\n",
           '            unsigned = jwt.get_unverified_header(token)["alg"] == "none"\n'
           '            claims = jwt.decode(token, options={"verify_signature": False}) if unsigned else (\n'
           "                self._claims(token, await self._key(token)))\n"),
    Mutant(_NO_TOKEN, _AUTH, "            audience=self._audience,\n            issuer",
           '            audience=jwt.decode(token, options={"verify_signature": False}).get("aud"),\n'
           "            issuer"),
    Mutant(_NO_TOKEN, _AUTH, "            issuer=self._issuer,\n", ""),
    # Two walls, either of which holds: an algorithm of ours is asked for before the key is chosen, and by the key.
    Mutant(_NO_TOKEN, _AUTH,
           'if header.get("alg") == _SHARED_KEY_ALGORITHM and self._secret:\n'
           "            return self._secret\n"
           '        if header.get("alg") not in ALGORITHMS or self._keys is None:\n'
           '            raise jwt.InvalidAlgorithmError("the algorithm is none that this installation takes")\n'
           "        try:\n"
           '            return await self._keys.key(header.get("kid"))\n'
           "        except UnknownKeyError as error:\n"
           "            raise UnauthorizedError(str(error)) from None\n\n"
           "    def _claims(self, token: str, key: jwt.PyJWK | str) -> dict[str, Any]:\n"
           "        return jwt.decode(\n"
           "            token,\n"
           "            key,\n"
           "            algorithms=[key.algorithm_name if isinstance(key, jwt.PyJWK) else _SHARED_KEY_ALGORITHM],\n",
           "return self._secret\n\n"
           "    def _claims(self, token: str, key: jwt.PyJWK | str) -> dict[str, Any]:\n"
           "        return jwt.decode(\n"
           "            token,\n"
           "            key,\n"
           '            algorithms=["HS256", "HS384", "HS512"],\n'),
    Mutant("tests/admin/test_access_matrix.py::test_keys_may_look_and_do_what_their_permission_opens", _MIDDLEWARE,
           "if operation.permission is not None and not caller.may(operation.permission):",
           "if operation.permission is not None and not caller.is_key and not caller.may(operation.permission):"),
    Mutant("tests/admin/test_api_keys.py::test_a_revoked_key_is_refused", "app/adapters/postgres/api_keys.py",
           '_IN_USE: Final = "revoked_at IS NULL AND (', '_IN_USE: Final = "('),
    # The lookup looks at the time as well, so that only who asks the store itself sees this one.
    Mutant("tests/adapters/postgres/test_api_keys_contract.py", "app/adapters/postgres/api_keys.py",
           '(expires_at IS NULL OR expires_at > now())"', '(true)"'),
    # Limits
    Mutant("tests/admin/test_limits.py::test_events_have_a_limit_of_their_own", _MIDDLEWARE,
           "        return access.event_requests\n", "        return access.page_reads\n"),
    Mutant("tests/admin/test_audit_attempts.py::test_exports_are_no_pages_that_are_read", _MIDDLEWARE,
           ' and operation.counted != "exports"', ""),
    # Whose rows: a policy of each table
    *(
        Mutant(_ON_ROWS, _POLICIES, f"select_own ON {table} FOR SELECT TO authenticated USING ({{_OF_MINE}})",
               f"select_own ON {table} FOR SELECT TO authenticated USING (true)")
        for table in ("automation_revisions", "automation_logs")
    ),
    # The list asks for one's own alone, too, so that only who asks Postgres itself sees this one.
    Mutant(_ON_ROWS, _POLICIES, "automations FOR SELECT TO authenticated USING ({_MINE})",
           "automations FOR SELECT TO authenticated USING (true)"),
    Mutant("tests/integration/postgres/test_row_security.py", _POLICIES,
           "select_own ON automation_logs_archive FOR SELECT TO authenticated USING ({_OF_MINE})",
           "select_own ON automation_logs_archive FOR SELECT TO authenticated USING (true)"),
    Mutant(_ON_ROWS, _POLICIES, "delete_own ON automation_templates FOR DELETE TO authenticated USING ({_MINE})",
           "delete_own ON automation_templates FOR DELETE TO authenticated USING (true)"),
    Mutant(_ON_ROWS, f"{_VERSIONS}/0011_timers.py",
           "OR workflow_id IN (SELECT a.id FROM automations a WHERE a.created_by = (SELECT auth.uid())));",
           "OR workflow_id IN (SELECT a.id FROM automations a) OR (SELECT auth.uid()) IS NOT NULL);"),
    Mutant(_ON_ROWS, f"{_VERSIONS}/0016_message_templates.py",
           "USING (created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin()))\n", "USING (true)\n"),
    Mutant(_ON_ROWS, f"{_VERSIONS}/0018_notifications.py",
           "FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));",
           "FOR SELECT TO authenticated USING (true);"),
    Mutant(_ON_ROWS, f"{_VERSIONS}/0014_secrets.py", "USING ((SELECT headrace_is_admin())) WITH", "USING (true) WITH"),
    Mutant(_ON_ROWS, f"{_VERSIONS}/0026_api_keys.py",
           "administrators_see ON api_keys FOR SELECT TO authenticated USING ((SELECT headrace_is_admin()))",
           "administrators_see ON api_keys FOR SELECT TO authenticated USING (true)"),
    Mutant(_ON_ROWS, f"{_VERSIONS}/0061_drafts.py",
           "select_own ON automation_drafts FOR SELECT TO authenticated USING ({_OF_MINE})",
           "select_own ON automation_drafts FOR SELECT TO authenticated USING (true)"),
    Mutant(_ON_ROWS, f"{_VERSIONS}/0061_drafts.py",
           "USING ({_THERE}) WITH CHECK ({_THERE})", "USING (true) WITH CHECK (true)"),
    Mutant(_ON_ROWS, f"{_VERSIONS}/0060_users_and_sessions.py",
           "USING (id = (SELECT auth.uid()) OR (SELECT headrace_is_admin()));", "USING (true);"),
    Mutant(_ON_ROWS, f"{_VERSIONS}/0060_users_and_sessions.py",
           "CREATE POLICY own_or_all ON sessions FOR SELECT TO authenticated\n  USING (user_id ="
           " (SELECT auth.uid()) OR",
           "CREATE POLICY own_or_all ON sessions FOR SELECT TO authenticated\n  USING (true OR"),
    Mutant(_ON_ROWS, _TRAIL, "FOR SELECT TO authenticated USING ((SELECT headrace_is_admin()));",
           "FOR SELECT TO authenticated USING (true);"),
    # What is another's: drafts, revisions, exports, streams, secrets
    Mutant("tests/admin/test_workflows.py::test_an_update_needs_if_match", "app/admin/requests.py",
           "    return versions\n", "    return None\n"),
    Mutant("tests/domain/test_grants.py", "app/domain/grants.py", " and _holds(self.workflows, use.workflow)", ""),
    Mutant("tests/domain/test_grants.py", "app/domain/grants.py", "_holds(self.owners, use.owner) and ", ""),
    Mutant("tests/admin/test_streams.py::test_everybody_is_told_of_their_own", "app/adapters/postgres/following.py",
           "async with self._database.reading(caller) as", "async with self._database.serving() as"),
    Mutant("tests/admin/test_exports.py::test_an_export_has_nothing_of_anothers", "app/admin/api/exports.py",
           "page = await state.runs.executions.find(caller, wanted, None, _ROWS)",
           'page = await state.runs.executions.find(replace(caller, role="admin"), wanted, None, _ROWS)'),
    Mutant("tests/services/workflows/test_placeholders.py", "app/services/workflows/placeholders/values.py",
           "    if len(value) > most:\n", "    if len(value) > 10 * most:\n"),
    # The audit trail
    *(
        Mutant(_WRITERS, _TRAIL, f"SELECT headrace_keep_trail('{table}'", f"SELECT concat('{table}'")
        for table in ("automations", "message_templates", "secrets", "api_keys")
    ),
    Mutant("tests/admin/test_access_matrix.py::test_doors_are_open_to_whom_the_matrix_says", "app/admin/api/audit.py",
           'access="admin"', 'access="user"'),
    Mutant("tests/integration/postgres/test_failed_sign_ins.py", f"{_VERSIONS}/0064_attempts_on_the_trail.py",
           "      whence := 'others';\n    ELSIF", "      whence := whence;\n    ELSIF"),
    Mutant("tests/integration/postgres/test_failed_sign_ins.py", f"{_VERSIONS}/0064_attempts_on_the_trail.py",
           " AND to_jsonb(NEW) - 'changes' = to_jsonb(OLD) - 'changes'", ""),
    Mutant("tests/admin/test_audit_attempts.py::test_a_retry_is_told", "app/services/operations/retries.py",
           '            await transaction.note(Noted("retried", "execution", str(execution_id), name, command.attempt,'
           " said))\n",
           ""),
)  # fmt: skip
