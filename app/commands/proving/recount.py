"""What the installation says came of the load, asked over its API: the log, the marks in it, the CRM."""

from collections import Counter, defaultdict
from uuid import UUID

from app.commands.api_client import ApiClient, path_of
from app.commands.proving.workflows import customers_of
from app.services.proving.judge import Found, repeated
from app.services.proving.ledger import Ledger
from app.services.proving.load import FIRST, WEBHOOK_STEPS, Load


def rows_of(api: ApiClient, load: Load) -> dict[UUID, list[str]]:
    """Return the statuses of every execution in the log, by its id."""
    rows: dict[UUID, list[str]] = defaultdict(list)
    wanted = {"event_type": load.event_type, "format": "jsonl", "sort": "executed_at"}
    for row in api.lines(path_of("executions", "export"), wanted):
        rows[UUID(row["id"])].append(row["status"])
    return rows


def recount(api: ApiClient, load: Load, ledger: Ledger, rows: dict[UUID, list[str]]) -> Found:
    """Return all that is found, with the rows that were read last."""
    uncertain = {execution for execution in repeated(ledger, load) if _is_marked(api, execution)}
    tags, notes = _own(api, load) if load.crm else (None, None)
    return Found(rows, uncertain, tags, notes)


def _is_marked(api: ApiClient, execution: UUID) -> bool:
    found = api.find(path_of("executions", execution)) or {"results": []}
    webhooks = [one for one in found["results"] if one["step"] in WEBHOOK_STEPS.values()]
    return any(one["action_type"] == "webhook" and one["uncertain"] for one in webhooks)


def _own(api: ApiClient, load: Load) -> tuple[Counter[str], Counter[str]]:
    tags: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    for customer in customers_of(api, load.customers):
        if customer["id"] == f"{load.customers}{FIRST}":
            continue  # of before the load
        tags.update(tag for tag in customer["tags"] if tag != load.witness)
        notes.update(one["text"] for one in api.items(path_of("crm", "customers", customer["id"], "notes")))
    return tags, notes
