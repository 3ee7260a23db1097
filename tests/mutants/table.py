"""What is broken on purpose: for each of the specification's properties rules that hold it, and how to break them."""

from dataclasses import dataclass
from typing import Final

_INDEX: Final = "app/services/workflows/index.py"
_WORKFLOWS: Final = "app/services/workflows/lifecycle.py"
_WRITER: Final = "app/services/workflows/writer.py"
_WORKFLOW_ROWS: Final = "app/adapters/postgres/workflows.py"
_POLICIES: Final = "deploy/migrations/versions/0005_rls_policies.py"
_SLIPS: Final = "app/execution/routing.py"
_LOG: Final = "app/adapters/postgres/execution_pages.py"
_RUNS: Final = "app/admin/api/runs.py"
_RETRY: Final = "app/domain/retry.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule, broken.

    Attributes:
        test: Number of the property whose test must turn red, or the test itself as pytest names it.
        file: Path from the root of the tree.
        old: Text that stands in the file exactly once.
        new: What stands there instead.
    """

    test: int | str
    file: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}: {' '.join(self.old.split())} -> {' '.join(self.new.split()) or 'nothing'}"


MUTANTS: Final = (
    # 1: what is stored has all fields
    Mutant(1, _WORKFLOW_ROWS, '"description": workflow.description,', '"description": "",'),
    Mutant(1, _WORKFLOW_ROWS, '"conditions": workflow.conditions,', '"conditions": workflow.conditions[:1],'),
    # 2: an update is what is read
    Mutant(2, _WRITER, "await transaction.update(changed,", "await transaction.update(current,"),
    Mutant(2, "app/services/workflows/drafting.py",
           "if publish or not current.active:\n            return await self._writer.write(transaction, caller, "
           "current, fields(draft))",
           "if publish or not current.active:\n            return await self._writer.write(transaction, caller, "
           'current, {**fields(draft), "name": current.name})'),
    # 3: deleted, it does not run
    Mutant(3, _INDEX, "self._deactivate(change.id)\n        if isinstance", "if isinstance"),
    Mutant(3, _WRITER, "return await transaction.update(changed, deleted=deleted)", "return changed"),
    # 4: activated, it runs, and not before
    Mutant(4, _INDEX, "return self._activate(change) if change.active else Applied.INACTIVE",
           "return self._activate(change)"),
    Mutant(4, _INDEX, "if change.version <= max(", "if change.version < 9 + max("),
    # 5: deactivated, it stays as it is and does not run
    Mutant(5, _WORKFLOWS, 'else {"active": active}', 'else {"active": active, "conditions": []}'),
    Mutant(5, _INDEX, "        self._deactivate(change.id)\n", "        active = change.active\n"),
    # 6: events are complete
    Mutant(6, "app/services/ingest/emitter.py", "value = orjson.dumps(attributes)",
           'value = orjson.dumps({**attributes, "data": dict(list(attributes["data"].items())[:1])})'),
    Mutant(6, "app/domain/entities.py", 'return Entity("partitionkey", partitionkey)',
           'return Entity("id", event_id)'),
    # 7: exactly the active workflows of the event's type
    Mutant(7, _INDEX, "return found or ()", "return (found or ())[1:]"),
    Mutant(7, "app/domain/evaluate.py", "for workflow in workflows\n", "for workflow in list(workflows)[:1]\n"),
    # 8: conditions before actions
    Mutant(8, "app/domain/evaluate.py", "if not evaluation.met:", "if evaluation is None:"),
    Mutant(8, "app/execution/matching.py", '            "verdicts": bounded_verdicts(made.verdicts),\n        }',
           "        }"),
    # 9 and 10: AND, OR
    Mutant(9, "app/domain/condition_tree.py", "met |= all(outcomes)", "met |= any(outcomes)"),
    Mutant(10, "app/domain/condition_tree.py", "met |= all(outcomes)", "met = all(outcomes)"),
    # 11: numbers
    Mutant(11, "app/domain/comparisons.py", '">": operator.gt,', '">": operator.ge,'),
    Mutant(11, "app/domain/comparisons.py", "return relation(actual, value), _AS_NUMBERS",
           "return relation(float(actual), float(value)), _AS_NUMBERS"),
    # 12: arrays
    Mutant(12, "app/domain/comparisons.py", "any(equal(member, value) for member in actual)",
           "all(equal(member, value) for member in actual)"),
    Mutant(12, "app/domain/comparisons.py", "any(one(item) in members for item in actual)",
           "all(identity(item, deepest) in members for item in actual)"),
    # 13: the order of the order field
    Mutant(13, _INDEX, "sorted(revision.actions, key=lambda action: action.order)",
           "sorted(revision.actions, key=lambda action: -action.order)"),
    Mutant(13, "schemas/command.py", "self.position(came_to.node) + 1", "self.position(came_to.node) + 2"),
    # 14: services get what the action says
    Mutant(14, "app/actions/send_email.py", "to=to,", "to=to[:0],"),
    Mutant(14, "app/actions/webhook.py", "HttpRequest(config.config.method,", 'HttpRequest("POST",'),
    Mutant(14, "app/actions/send_sms.py", '"Body": request.text', '"Body": request.text[:3]'),
    Mutant(14, "app/actions/create_appointment.py", "starts_at=starts_at,", "starts_at=now,"),
    # 15: an error stays with its action
    Mutant(15, "app/domain/route.py", "if last.stop:", 'if last.stop or last.status == "failed":'),
    Mutant(15, _SLIPS, '"error": error or _first_error(command.results),', '"error": error,'),
    # 16: the log tells all
    Mutant(16, _SLIPS, '"verdicts": command.verdicts,', '"verdicts": [],'),
    Mutant(16, "app/execution/matching.py", '"executed_at": matched.now,',
           '"executed_at": datetime(2000, 1, 1, tzinfo=UTC),'),
    # 17: filters
    Mutant(17, _LOG, "[LOGS.c.status.in_(wanted.statuses)] if wanted.statuses else []", "[]"),
    Mutant(17, _LOG, "at < span.until", "at <= span.until"),
    # 18: a template becomes a workflow
    Mutant(18, "app/services/workflows/templates.py",
           "draft = fill(merged, placeholders, values)",
           'draft = {**fill(merged, placeholders, values), "conditions": []}'),
    Mutant(18, "app/services/workflows/templates.py", "draft, template_id=template.id)", "draft)"),
    # 19: who sees a template
    Mutant(19, _POLICIES, "USING (is_public OR {_MINE});", "USING (true);"),
    Mutant(19, _POLICIES, "USING (is_public OR {_MINE});", "USING ({_MINE});"),
    # 20: the CRM gets what the action says
    Mutant(20, "app/actions/create_note.py", 'text=_note("text", fields["text"]))',
           'text=_note("text", fields["text"]) + " ")'),
    Mutant(20, "app/adapters/postgres/crm.py", "[r.ends_at for r in requests]", "[r.starts_at for r in requests]"),
    # 21 and 22: Sales and Affiliates tell all
    Mutant(21, "app/systems/sales.py", 'await _announce(repository, "created", order)', "pass"),
    Mutant(21, "app/systems/sales.py", '{"order": order, "customer": customer}',
           '{"order": {**order, "items": []}, "customer": customer}'),
    Mutant(22, "app/systems/affiliates.py", 'await _announce(repository, "calculated", commission, order)', "pass"),
    Mutant(22, "app/systems/affiliates.py", '"commission": commission, "affiliate"',
           '"commission": {"id": commission["id"]}, "affiliate"'),
    # 23: all of many events are queued and processed
    Mutant(23, "app/execution/matching.py", "in self.match(record):",
           "in () if planned else self.match(record):"),
    Mutant(23, "app/services/ingest/emitter.py", "await self._sender.send_all(records)",
           "await self._sender.send_all(records[:3])"),
    # 24: three retries with backoff
    Mutant(24, _RETRY, "failure.attempts > policy.max_retries", "failure.attempts >= policy.max_retries"),
    Mutant(24, _RETRY, "MULTIPLIER: Final = 2.0", "MULTIPLIER: Final = 1.0"),
    # 25: loops
    Mutant(25, "app/domain/loops.py", "MAX_ITERATIONS: Final = 3", "MAX_ITERATIONS: Final = 4"),
    Mutant(25, "app/services/ingest/announcer.py", 'event["causation"] = origin.causation', "pass"),
    # 26 to 28: whose workflows
    Mutant(26, _WORKFLOWS, "created_by=caller.user_id,", "created_by=uuid4(),"),
    Mutant(27, "app/adapters/postgres/workflow_list.py", "where.append(_A.created_by == caller.user_id)",
           "where.append(_A.created_by != caller.user_id)"),
    Mutant(28, _POLICIES, "automations FOR SELECT TO authenticated USING ({_MINE})",
           "automations FOR SELECT TO authenticated USING (created_by = (SELECT auth.uid()))"),
    # 29: a test leaves nothing
    Mutant(29, _RUNS, '        draft = await request.app[STATE].workflows.read(raw.get("workflow"))',
           '        draft = await request.app[STATE].workflows.read(raw.get("workflow"))\n'
           "        await request.app[STATE].workflows.create(request[CALLER], raw.get('workflow'))"),
    Mutant(29, _RUNS, "workflow = await request.app[STATE].workflows.get(request[CALLER], workflow_id)",
           "workflow = await request.app[STATE].workflows.set_active(request[CALLER], workflow_id, None, active=True)"),
    # 30: variables are replaced
    Mutant(30, "app/domain/templating/plain.py", "value = value[name]", "value = name"),
    Mutant(30, "app/actions/send_email.py", "Templated(html=True)", "Templated()"),
    # 31: at the configured times
    Mutant(31, "app/domain/schedules.py", "day.day == min(self.day, monthrange(day.year, day.month)[1])",
           "day.day == self.day"),
    Mutant(31, "app/services/scheduling/temporal.py", "await transaction.move(workflow, next_due(schedule, now))",
           "await transaction.move(workflow, now + timedelta(days=1))"),
)  # fmt: skip
