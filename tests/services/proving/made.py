"""A run in which all went well, to be broken by each test in its own way."""

from collections import Counter
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid5

from app.services.proving.judge import Found
from app.services.proving.ledger import Arrival, Ledger, Sending
from app.services.proving.load import Load

EVENTS: Final = 40
BEGAN: Final = 1_800_000_000.0
ANSWERED_S: Final = 0.1


def load(*, crm: bool = True) -> Load:
    """Return a load over four customers whose workflows have been made."""
    made = Load("0123abcd", 4, crm)
    made.ids = {name: uuid5(UUID(int=1), name) for name in made.names}
    return made


def ledger(of: Load) -> Ledger:
    """Return what was sent, ten events a second, and what arrived of it, each a tenth of a second later."""
    sendings = [Sending(number, 1, BEGAN + number / 10) for number in range(EVENTS)]
    arrivals = [
        Arrival(str(key), one.workflow, one.number, of.entity(one.number), BEGAN + one.number / 10 + ANSWERED_S)
        for key, _, one in of.effects(range(EVENTS))
    ]
    return Ledger(sendings, sorted(arrivals, key=lambda one: one.at))


def found(of: Load) -> Found:
    """Return what the installation says of it."""
    rows = {execution: [one.status] for execution, one in of.expected(range(EVENTS))}
    texts = Counter(of.own(range(EVENTS)))
    held = dict.fromkeys(texts, 1)
    return Found(rows, frozenset(), held, dict(held)) if of.crm else Found(rows)


def later(one: Arrival, seconds: float) -> Arrival:
    """Return an arrival that came later."""
    return replace(one, at=one.at + seconds)
