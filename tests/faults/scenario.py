"""What one kind of fault is: what is done to which installation, under which load, and what is promised meanwhile."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from app.embedded.broker import KafkaNode
from tests.faults.destinations import Fickle
from tests.faults.disk import Disk
from tests.support.servers import Servers
from tests.support.stack import ROLES, Stack
from tests.support.wires import Wire

SHARED: Final = ("matcher", "executor-notification", "executor-crm", "executor-workflow", "executor-system", "sink")
TWO_OF_EACH: Final = {role: 1 if role == "admin" else 2 for role in ROLES}
EVERY_KIND: Final = ("big", "wait", "mail", "never")
# Which broker: the one that all scenarios share, one with a second door behind a wire, one that ends connections soon,
# or three that keep copies of one another.
Broker = Literal["shared", "wired", "impatient", "three"]


@dataclass(slots=True)
class Harm:
    """What an injury did: kills by role, and when (seconds of the loop's clock) the last fault was over."""

    by_role: Counter[str] = field(default_factory=Counter)
    over_at: float = 0.0

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return self.by_role.total()


@dataclass(slots=True)
class Place:
    """Where an injury is done.

    Attributes:
        stack: The installation.
        chance: Of the seed.
        seconds: How long the load flows, pauses not counted.
        on: Its servers.
        nodes: The brokers of a scenario that has its own.
        wires: The roles' ways to Postgres, by role.
        to_broker: The way to the broker of those roles that have one.
        front: Stands before the webhooks' receiver.
        behind: The roles that reach the broker by that way.
        disk: Where the log is to be, and can find no room.
    """

    stack: Stack
    chance: random.Random
    seconds: float
    on: Servers
    nodes: Sequence[KafkaNode] = ()
    wires: Mapping[str, Wire] = field(default_factory=dict)
    to_broker: Wire | None = None
    front: Fickle | None = None
    behind: Sequence[str] = ()
    disk: Disk | None = None

    async def until(self, share: float, began: float) -> None:
        """Wait until a share of the load has flowed since the injury began."""
        await asyncio.sleep(max(0.0, began + share * self.seconds - now()))


Injury = Callable[[Place], Awaitable[Harm]]
StackInjury = Callable[[Stack, random.Random, float], Awaitable[Harm]]


def now() -> float:
    """Return the loop's clock."""
    return asyncio.get_running_loop().time()


def over(**by_role: int) -> Harm:
    """Return what an injury did that is over now."""
    return Harm(Counter(by_role), now())


def to_the_stack(injury: StackInjury) -> Injury:
    """Return an injury that needs nothing but the processes."""

    async def injure(place: Place) -> Harm:
        return await injury(place.stack, place.chance, place.seconds)

    return injure


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of fault.

    Attributes:
        events: How many there are; more, where the fault lasts longer.
        recovery_limit: How soon (seconds) the log must have caught up after it, and after the load that flows on then:
            three times what it took, or a minute.
        workflows: Which of the job's take part.
        roles: How many processes of each role; one by default.
        environment: Further settings of every process.
        broker: On which it runs.
        disk: Postgres is one whose log has a disk of its own, which can be full.
        wired: The roles reach Postgres by wires.
        behind: The roles that reach the broker by a wire.
        fickle: Something stands before the webhooks' receiver.
        ordered: Whether the order of an entity's effects is promised throughout.
        quiet_s: How long nothing is sent half-way.
        lacks: Says what this machine lacks for it, if anything.
        prepare: Makes what its processes are started with.
    """

    name: str
    injury: Injury
    events: int
    rate: float
    entities: int = 200
    recovery_limit: float = 60.0
    workflows: tuple[str, ...] = ("big", "mail", "never")
    roles: Mapping[str, int] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    broker: Broker = "shared"
    disk: bool = False
    wired: bool = False
    behind: tuple[str, ...] = ()
    fickle: bool = False
    ordered: bool = True
    quiet_s: float = 0.0
    lacks: Callable[[Servers], str | None] = lambda _: None
    prepare: Callable[[], None] = lambda: None

    @property
    def seconds(self) -> float:
        """How long its load flows, pauses not counted."""
        return self.events / self.rate
