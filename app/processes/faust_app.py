"""Builds the Faust app of a role from explicit arguments: no global app, no decorators, no autodiscovery."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import uvloop
from yarl import URL

from app.adapters.kafka.budget import MOST_BYTES
from app.adapters.kafka.crash_guard import CrashGuard
from app.adapters.kafka.faust_parts import NO_HTTP_CLIENT, CrashingSupervisor, FaustWorker
from app.adapters.kafka.faust_private import Tables
from app.adapters.kafka.faust_source import FaustSource
from app.adapters.kafka.pacing import FOLLOWING, Gap
from app.adapters.kafka.stall import StallPolicy
from app.adapters.kafka.transport import App, credentials
from app.adapters.kafka.watchdog import Probe, Watchdog
from app.domain.kafka_connection import KafkaConnection
from app.ports.record_source import RecordSource
from app.processes.stop_deadline import end_in_time

_STILL_SECONDS = 60.0
_ASLEEP_SECONDS = 40.0  # four looks

GC_YOUNG_OBJECTS: Final = 20_000

AgentFunction = Callable[[RecordSource[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One agent.

    Attributes:
        name: Its name within the app; logs and metrics use it.
        topic: What it reads, one topic or several.
        fn: ``async def fn(source)``; it reads the source's batches and acks by hand. An exception that leaves it ends
            the process, and nothing that was not acked is committed.
    """

    name: str
    topic: str | tuple[str, ...]
    fn: AgentFunction


TableFactory = Callable[[App], Any]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What may be tuned.

    Attributes:
        fetch_min_bytes: The broker answers a fetch once it has as many bytes.
        fetch_max_wait_ms: Milliseconds after which it answers with fewer.
        fetch_gap: Time between the starts of two fetches.
        buffer_records: Fetched records that may wait in front of one agent.
        buffer_bytes: What may wait unfinished in the process, over all its partitions; past it those that hold most
            are paused.
        longest_hold_s: Seconds that the first unfinished record of a partition may stay unfinished before the
            watchdog ends the process.
    """

    fetch_min_bytes: int = 1
    fetch_max_wait_ms: int = 100
    fetch_gap: Gap = FOLLOWING
    buffer_records: int = 2048
    buffer_bytes: int = MOST_BYTES
    longest_hold_s: float = 300.0


def build_app(
    *,
    app_id: str,
    connection: KafkaConnection,
    instance: str,
    data_dir: Path,
    agents: Sequence[AgentSpec],
    tables: Sequence[TableFactory] = (),
    probes: Sequence[Probe] = (),
    tuning: Tuning = Tuning(),
    crash_guard: CrashGuard | None = None,
) -> App:
    """Make the Faust app of one role.

    Args:
        app_id: Consumer group, and prefix of the tables' changelogs.
        connection: Where Kafka is and how it lets us in.
        instance: Stable id of this worker within its role; never the same for two processes at once.
        data_dir: Where Faust keeps files of this worker.
        agents: Every agent, names unique.
        tables: Called with the app, once each, before any agent is registered.
        probes: Each raises where something the agents need, such as Postgres, does not answer; while one raises, the
            watchdog counts nothing as stuck.
        tuning: Sizes and waits.
        crash_guard: Keeps the process from dying for ever of the same record.

    Raises:
        ValueError: Two agents have one name, or the instance is empty.
    """
    _check(instance, agents)
    app = _new_app(app_id, connection, instance, data_dir, tuning)
    policy = StallPolicy(_STILL_SECONDS, tuning.longest_hold_s, _ASLEEP_SECONDS)
    app.run_beside("watchdog", Watchdog(lambda: app.consumer, policy, probes=probes).run)
    app.crash_guard = crash_guard or app.crash_guard
    for table in tables:
        table(app)
    for spec in agents:
        _register(app, spec)
    return app


def _check(instance: str, agents: Sequence[AgentSpec]) -> None:
    names = [spec.name for spec in agents]
    if len(set(names)) != len(names):
        raise ValueError(f"agents' names must be unique: {names}")
    if not instance:
        raise ValueError("a worker needs an instance id, or it waits out the session timeout of its predecessor")


def _new_app(app_id: str, connection: KafkaConnection, instance: str, data_dir: Path, tuning: Tuning) -> App:
    return App(
        app_id,
        broker=[URL(f"kafka://{server}") for server in connection.server_list()],
        broker_credentials=credentials(connection),
        consumer_group_instance_id=f"{app_id}-{instance}",
        datadir=data_dir / f"{app_id}-{instance}",
        fetch_min_bytes=tuning.fetch_min_bytes,
        fetch_max_wait_ms=tuning.fetch_max_wait_ms,
        fetch_gap=tuning.fetch_gap,
        buffer_bytes=tuning.buffer_bytes,
        stream_buffer_maxsize=tuning.buffer_records,
        **common_settings(),
    )


def common_settings() -> dict[str, Any]:
    """What every role's app has in common; the times are seconds."""
    return {
        "processing_guarantee": "at_least_once",
        "key_serializer": "raw",
        "value_serializer": "raw",
        "autodiscover": False,
        "web_enabled": False,
        "HttpClient": NO_HTTP_CLIENT,
        "TableManager": Tables,
        "agent_supervisor": CrashingSupervisor,
        "producer_acks": -1,
        "producer_compression_type": "lz4",
        "producer_linger": 0.002,
        "producer_request_timeout": 30.0,
        "producer_max_request_size": 1_100_000,
        "broker_session_timeout": 45.0,
        "broker_heartbeat_interval": 1.0,
        "broker_rebalance_timeout": 30.0,
        "broker_request_timeout": 50.0,
        "broker_commit_interval": 1.0,
        "broker_max_poll_records": 500,
        "consumer_auto_offset_reset": "earliest",
        # Of each partition; dozens of them with a megabyte each would be a worker's whole memory.
        "consumer_max_fetch_size": 256 * 1024,
        "stream_wait_empty": True,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "worker_redirect_stdouts": False,
    }


def _register(app: App, spec: AgentSpec) -> None:
    names = (spec.topic,) if isinstance(spec.topic, str) else spec.topic
    topic = app.topic(*names, key_serializer="raw", value_serializer="raw", allow_empty=True)

    @wraps(spec.fn)
    async def read(stream: Any) -> None:
        await spec.fn(FaustSource(stream))  # made before the first record, however long the agent takes to get ready

    app.agent(topic, name=spec.name)(read)


def spare_the_collector() -> None:
    """Take what start-up made out of the garbage collector's way, and let it look less often.

    Imports leave some hundred thousand objects that live as long as the process; walking them over and over, a tenth
    of a second each time, was a fifth of a worker's time under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG_OBJECTS, 20, 20)


def run_worker(app: App) -> None:
    """Run the app until SIGTERM or SIGINT, then finish what has begun, commit, leave the group, and exit.

    Logging stays as the process has set it up. Exits with 0 after a signal, with 1 if the app crashed, with 75 where it
    does not come to its end within a minute.
    """
    spare_the_collector()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = FaustWorker(app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    end_in_time(lambda: worker.should_stop)
    worker.execute_from_commandline()
