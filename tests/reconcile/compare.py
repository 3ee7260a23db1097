"""Compares what should have happened with what did; nothing missing, nothing extra, nothing different. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from tests.reconcile.observed import Observed, Row
from tests.reconcile.oracle import Expected

# What is compared of each record, in the order of its columns.
_RECORD_FIELDS: Final = {
    "task": ("customer", "text", "description", "assignee"),
    "appointment": ("customer", "text", "starts_at", "assignee"),
    "conversation": ("customer", "assignee"),
    "notification": ("title", "text"),
}
# What the owner of a workflow is told of it: that an execution ended so, and later that it works again.
_FAILED: Final = frozenset({"failed", "partial"})
MAIL_DOMAIN: Final = "localhost.localdomain"


@dataclass(slots=True)
class Line:
    """One workflow's outcome.

    Attributes:
        pairs: Expected (event, workflow) pairs.
        effects: Expected effects.
        differences: One sentence each.
    """

    name: str
    pairs: int = 0
    met: int = 0
    effects: int = 0
    differences: list[str] = field(default_factory=list)


class Comparison:
    """Compares workflow by workflow and remembers which effects were expected, so that the rest are extra."""

    def __init__(self, seen: Observed, events: Mapping[tuple[str, str], dict[str, Any]]) -> None:
        self._seen = seen
        self._events = events
        self._executions: set[UUID] = set()
        self._tags: set[tuple[str, str]] = set()
        self._keys: set[str] = set()
        self._notes: set[UUID] = set()
        self._records: set[tuple[str, str]] = set()
        self._fields: set[tuple[str, str, str]] = set()
        self._messages: Counter[tuple[str, str]] = Counter()
        self._told: set[str] = set()

    def workflow(self, name: str, expected: Mapping[UUID, Expected]) -> Line:
        """Compare one workflow's executions and their effects."""
        line = Line(name)
        if any(one.status in _FAILED for one in expected.values()):
            self._told |= {f'Workflow "{name}" fails', f'Workflow "{name}" works again'}
        for one in expected.values():
            self._executions.add(one.execution_id)
            line.pairs += 1
            line.met += one.met
            line.effects += len(one.effects)
            where = f"{one.source} {one.event_id}"
            rows = self._seen.rows.get(one.execution_id, [])
            problems = [*_row_problems(one, rows, self._events[one.source, one.event_id]), *self._effects(name, one)]
            line.differences.extend(f"{where}: {problem}" for problem in problems)
        return line

    def extras(self) -> Line:
        """Return what happened and was not expected of any workflow; call it last."""
        line = Line("(unexpected)")
        seen = self._seen
        line.differences = [
            *(f"row of execution {one}" for one in seen.rows.keys() - self._executions),
            *(f"tag {tag} on {customer}" for customer, tag in seen.tags - self._tags),
            *(f"note {note}" for note in seen.notes.keys() - self._notes),
            *(f"webhook {key} to {seen.webhooks[key][0][0]}" for key in seen.webhooks.keys() - self._keys),
            *(f"e-mail {key}" for key in seen.mails.keys() - self._keys),
            *(f"{kind} {key}: {seen.records[kind, key]}" for kind, key in self._unexpected_records()),
            *(f"field {field}" for field in seen.fields - self._fields),
            *(
                f"message {key}: {seen.messages[key]} instead of {self._messages[key]}"
                for key in seen.messages | self._messages
                if seen.messages[key] != self._messages[key]
            ),
        ]
        return line

    def _unexpected_records(self) -> Iterator[tuple[str, str]]:
        """Return the records that no step should have made, less what owners are told of workflows that do fail."""
        for kind, key in sorted(self._seen.records.keys() - self._records):
            title = self._seen.records[kind, key][0]
            if kind == "notification" and title in self._told:
                self._told.discard(title)
            else:
                yield kind, key

    def _effects(self, name: str, one: Expected) -> Iterator[str]:
        for effect in one.effects:
            command = one.command_id(effect["step"])
            if effect["kind"] == "tag":
                pair = (effect["customer"], effect["tag"])
                self._tags.add(pair)
                if pair not in self._seen.tags:
                    yield f"no tag {pair}"
            elif effect["kind"] == "note":
                self._notes.add(command)
                yield from _differs("note", (effect["customer"], effect["text"]), self._seen.notes.get(command))
            elif effect["kind"] == "webhook":
                self._keys.add(str(command))
                yield from self._webhook(name, str(command), effect["body"])
            elif effect["kind"] == "email":
                yield from self._mail(f"<{command}@{MAIL_DOMAIN}>", effect)
            else:
                yield from self._other(str(command), effect)

    def _other(self, command: str, effect: dict[str, Any]) -> Iterator[str]:
        """Compare an effect of the kinds that are looked up by what they say."""
        kind = effect["kind"]
        if kind == "no tag" and (effect["customer"], effect["tag"]) in self._seen.tags:
            yield f"the tag {effect['tag']} is still on {effect['customer']}"
        elif kind == "field":
            field = (effect["customer"], effect["field"], effect["value"])
            self._fields.add(field)
            if field not in self._seen.fields:
                yield f"no field {field}"
        elif kind == "message":
            self._messages[effect["provider"], effect["text"]] += 1
        elif kind in _RECORD_FIELDS:
            key = (kind, effect.get("conversation", command))
            self._records.add(key)
            expected = tuple(effect[name] for name in _RECORD_FIELDS[kind])
            yield from _differs(kind, expected, self._seen.records.get(key))

    def _webhook(self, name: str, key: str, body: dict[str, Any]) -> Iterator[str]:
        taken = self._seen.webhooks.get(key, [])
        if len(taken) != 1:
            yield f"{len(taken)} webhooks with the key {key}"
            return
        path, sent = taken[0]
        yield from _differs("webhook's path", f"/{name}", path)
        # The default body holds more than the event; what is expected of a body is what its SQL names.
        yield from _differs("webhook's body", body, {field: sent.get(field) for field in body})

    def _mail(self, message_id: str, effect: dict[str, Any]) -> Iterator[str]:
        self._keys.add(message_id)
        taken = self._seen.mails.get(message_id, [])
        if len(taken) != 1:
            yield f"{len(taken)} e-mails with the id {message_id}"
            return
        mail = taken[0]
        yield from _differs("e-mail's recipients", (effect["to"],), mail.recipients)
        yield from _differs("e-mail's subject", effect["subject"], mail.subject)
        yield from _differs("e-mail's text", effect["text"], mail.text.replace("\r\n", "\n").removesuffix("\n"))


def _row_problems(one: Expected, rows: list[Row], event: dict[str, Any]) -> Iterator[str]:
    if len(rows) != 1:
        yield f"{len(rows)} rows"
        return
    row = rows[0]
    yield from _differs("event", event, row.trigger_event)
    yield from _differs("conditions_met", one.met, row.conditions_met)
    yield from _differs("verdicts", one.verdicts, tuple(verdict["met"] for verdict in row.conditions_result or []))
    yield from _differs("status", one.status, row.status)
    yield from _differs("actions", one.statuses, tuple(action["status"] for action in row.actions_executed))
    if any(action["uncertain"] for action in row.actions_executed):
        yield "an action is uncertain, and nothing was killed"


def _differs(what: str, expected: object, actual: object) -> Iterator[str]:
    if expected != actual:
        yield f"{what}: expected {expected!r:.300}, found {actual!r:.300}"
