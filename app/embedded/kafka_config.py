"""The settings of the embedded broker: one node in KRaft mode, the same for the JVM and the container. Pure."""

from collections.abc import Mapping

KAFKA_VERSION = "4.1.1"
MESSAGE_MAX_BYTES = 2 * 1024 * 1024


_SMALL_MACHINE = {
    # A few small cores and 512 MB of heap.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "log.cleaner.threads": "1",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "log.cleaner.backoff.ms": "5000",
}


def server_properties(*, advertised_port: int, port: int, controller_port: int, host: str, data: str) -> dict[str, str]:
    """Return the broker's properties.

    Args:
        advertised_port: Port that clients on this machine use.
        port: Port that the broker listens on (in a container another one).
        controller_port: Port of the KRaft controller.
        host: Address to listen on.
        data: Folder of the logs.
    """
    return _SMALL_MACHINE | {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{advertised_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data,
        # Topics are declared in code; a typing error must not make one.
        "auto.create.topics.enable": "false",
        "message.max.bytes": str(MESSAGE_MAX_BYTES),
        "replica.fetch.max.bytes": str(MESSAGE_MAX_BYTES),
        # One node: no replicas to wait for, no members to wait for.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "2",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "min.insync.replicas": "1",
        "group.initial.rebalance.delay.ms": "0",
        # Kafka's own. A broker that is not heard of for so long is fenced, and here no other takes over: with 3 s, a
        # machine that was busy for so long had no broker. After a kill the controller waits for the former life's
        # session before it takes the broker back (13 s until it serves, 6 with 3): all that a short one would spare.
        "broker.session.timeout.ms": "9000",
        "broker.heartbeat.interval.ms": "2000",
    }


def properties_text(properties: Mapping[str, str]) -> str:
    """Return ``properties`` as the text of a .properties file."""
    return "".join(f"{key}={value}\n" for key, value in properties.items())


def container_environment(properties: Mapping[str, str]) -> dict[str, str]:
    """Return ``properties`` as the variables that the ``apache/kafka`` image reads."""
    return {f"KAFKA_{key.upper().replace('.', '_')}": value for key, value in properties.items()}
