"""The ordered ack frontier: which offset of each partition may be committed, and which records may still begin.

A *lane* is one assignment of one partition. Every record that was fetched stands in its lane in order until it is
done, so the committable offset never passes a record that is not finished, in any order that the others finish. What
is finished behind a slow head keeps its place only, and gives up its bytes.
Pure: no Faust, no clock of its own, no I/O.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, Protocol, TypeVar

_LATELY: Final = 0.3
_FIRST_GUESS: Final = 65_536.0

FETCHED: Final = 0
BEGUN: Final = 1
DONE: Final = 2
DROPPED: Final = 3


class Lane:
    """One assignment of one partition.

    Attributes:
        tp: The partition.
        generation: The consumer group's generation that assigned it.
        offset: What may be committed: the offset after the last record of the finished prefix; None before the first.
        since: When the head of the lane last moved or began (seconds of the frontier's clock).
        began: When a record of the lane last began.
        held: Bytes of its records that are not behind the frontier.
        closing: No record of it may begin any more.
        dead: It was revoked; acks of its records are stale.
    """

    __slots__ = ("began", "closing", "dead", "frontier", "generation", "held", "offset", "queue", "since", "tp")

    def __init__(self, frontier: "Frontier", tp: Hashable, generation: int) -> None:
        self.frontier = frontier
        self.tp = tp
        self.generation = generation
        self.queue: deque[Tracked] = deque()
        self.offset: int | None = None
        self.since = self.began = 0.0
        self.held = 0
        self.closing = False
        self.dead = False

    @property
    def topic(self) -> Any:
        """Topic of the partition."""
        return getattr(self.tp, "topic", self.tp)


class Tracked(Protocol):
    """What the frontier needs of a message: its offset and size, and two fields that belong to the frontier."""

    offset: int
    size: int
    lane: Lane
    state: int

    def lighten(self) -> None:
        """Give up key, value and headers, which are not needed any more; ``size`` says what is left."""


M = TypeVar("M", bound=Tracked)


def _ignore() -> None:
    """Do nothing: no one waits for the last begun record."""


class Frontier:
    """Every lane of one consumer, and the counts of what was dropped.

    Args:
        clock: Monotonic seconds.
        on_idle: Called when the last begun record was finished or given back.

    Attributes:
        begun: Records that have begun and are not finished.
        stale: Acks that came too late to count: of a lane that was revoked, or of a record that was discarded.
        dropped: Records given up before they began; the partition's next owner reads them again.
        typical: Bytes of a record, as of late; larger ones count at once.
    """

    def __init__(self, clock: Callable[[], float], on_idle: Callable[[], None] = _ignore) -> None:
        self._clock = clock
        self._on_idle = on_idle
        self._lanes: dict[Hashable, Lane] = {}
        self.begun = 0
        self.stale = 0
        self.dropped = 0
        self.typical = _FIRST_GUESS

    # -- fetching

    def fetched(self, tp: Hashable, generation: int, messages: Iterable[Tracked]) -> None:
        """Register records in the order in which they were fetched; a new generation opens a new lane."""
        lane = self._lanes.get(tp)
        if lane is None or lane.generation != generation:
            if lane is not None:
                self._kill(lane)
            lane = self._lanes[tp] = Lane(self, tp, generation)
        if not lane.queue:
            lane.since = self._clock()
        state = DROPPED if lane.closing else FETCHED
        size = count = 0
        for message in messages:
            size += message.size
            count += 1
            message.lane = lane
            message.state = state
            lane.queue.append(message)
            if state == DROPPED:
                self._lighten(message)
        lane.held += size
        if count:
            self.typical = max(size / count, self.typical + _LATELY * (size / count - self.typical))

    # -- processing

    def begin(self, message: Tracked) -> bool:
        """Start on a record; False: it was revoked or discarded, drop it silently."""
        lane = message.lane
        if message.state != FETCHED or lane.closing:
            return False
        message.state = BEGUN
        lane.began = now = self._clock()
        if lane.queue[0] is message:
            lane.since = now
        self.begun += 1
        return True

    def abandon(self, message: Tracked) -> None:
        """Give back a record that has begun but of which nothing with an effect ran; its offset stays uncommitted."""
        if message.state == BEGUN:
            message.state = DROPPED
            self.dropped += 1
            self._lighten(message)
            self._one_less()

    def is_closing(self, message: Tracked) -> bool:
        """Whether the record's partition is being given up: cut waits short, start nothing new."""
        return message.lane.closing

    def may_begin(self, message: Tracked) -> bool:
        """Whether ``begin`` would answer True now."""
        return message.state == FETCHED and not message.lane.closing

    def done(self, message: Tracked) -> bool:
        """Finish a record, begun or skipped; True if it counts towards what may be committed."""
        lane, before = message.lane, message.state
        if before == BEGUN:
            message.state = DONE
            self._one_less()
        elif before == FETCHED and not lane.closing:
            message.state = DONE
        else:
            self.stale += 1
            return False
        if lane.dead:
            self.stale += 1
            return False
        if lane.queue[0] is message:
            self._advance(lane)
        else:
            self._lighten(message)
        return True

    def done_many(self, messages: Iterable[Tracked]) -> None:
        """Finish a batch."""
        for message in messages:
            self.done(message)

    # -- giving partitions up

    def discard_unstarted(self) -> None:
        """Close every lane: what has not begun is dropped, what has begun may finish and still counts."""
        for lane in self._lanes.values():
            lane.closing = True
            for message in lane.queue:
                if message.state == FETCHED:
                    message.state = DROPPED
                    self.dropped += 1
                    self._lighten(message)

    def forget(self) -> None:
        """End every lane: later acks of their records are stale, and the next fetch opens a new assignment."""
        self.discard_unstarted()
        for lane in self._lanes.values():
            self._kill(lane)
        self._lanes.clear()

    # -- committing and watching

    def committable(self, tp: Hashable, generation: int) -> int | None:
        """The offset that may be committed for a partition in this generation; None where there is no such yet."""
        lane = self._lanes.get(tp)
        return None if lane is None or lane.generation != generation else lane.offset

    def partitions(self) -> list[Any]:
        """Partitions that have something to commit."""
        return [tp for tp, lane in self._lanes.items() if lane.offset is not None]

    def unfinished(self) -> int:
        """Records fetched and not yet behind the frontier."""
        return sum(len(lane.queue) for lane in self._lanes.values())

    def held(self) -> dict[Any, tuple[int, int]]:
        """What is fetched and not yet behind the frontier, by partition: (bytes, records)."""
        return {tp: (lane.held, len(lane.queue)) for tp, lane in list(self._lanes.items())}

    def heads(self) -> dict[Any, tuple[int, float]]:
        """The first unfinished record of each partition that has one: its offset, and for how many seconds it is that.

        A head that has not begun waits for its turn, behind its own key or for a slot, as long as others of its topic
        begin: it has stood still since the last of them did. Other threads may ask.
        """
        lanes = list(self._lanes.values())
        began: dict[Any, float] = {}
        for lane in lanes:
            began[lane.topic] = max(began.get(lane.topic, 0.0), lane.began)
        now, found = self._clock(), {}
        for lane in lanes:
            head = _head(lane)
            if head is not None:
                since = max(lane.since, began[lane.topic]) if head.state == FETCHED else lane.since
                found[lane.tp] = (head.offset, now - since)
        return found

    def oldest(self) -> tuple[Any, int, float] | None:
        """The partition whose head has stood still longest: (partition, offset of the head, seconds)."""
        heads = self.heads()
        if not heads:
            return None
        tp = max(heads, key=lambda tp: heads[tp][1])
        return tp, *heads[tp]

    # -- inside

    def _one_less(self) -> None:
        self.begun -= 1
        if not self.begun:
            self._on_idle()

    def _advance(self, lane: Lane) -> None:
        queue = lane.queue
        while queue and queue[0].state == DONE:
            message = queue.popleft()
            lane.offset = message.offset + 1
            lane.held -= message.size
        lane.since = self._clock()

    @staticmethod
    def _lighten(message: Tracked) -> None:
        message.lane.held -= message.size
        message.lighten()
        message.lane.held += message.size

    @staticmethod
    def _kill(lane: Lane) -> None:
        lane.closing = lane.dead = True
        lane.queue.clear()
        lane.held = 0


def _head(lane: Lane) -> Tracked | None:
    """Return a lane's first unfinished record; the queue may become empty in another thread meanwhile."""
    try:
        return lane.queue[0]
    except IndexError:
        return None
