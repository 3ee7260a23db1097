"""The alerts of the scheduler: where their ports meet adapters."""

import time
from collections.abc import Sequence
from functools import partial

from app.adapters.kafka.depths import KafkaDepths
from app.adapters.messages.alert_channels import open_alert_channels
from app.adapters.postgres.alerts import PostgresAlerts
from app.adapters.postgres.channel_urls import PostgresChannelUrls
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.listening import session
from app.adapters.secrets.cipher import FernetCipher
from app.domain.alert_rules import ALERTS, Alert
from app.processes.logs import BLOTTED
from app.processes.role_names import action_types_by_role
from app.services.access.secret_cache import SecretCache
from app.services.operations.alerts import AlertLoop, AlertTimes
from app.services.operations.queue_status import lanes_of
from app.settings import Settings
from app.topics import Topics


async def watch_alerts(
    settings: Settings, *, alerts: Sequence[Alert] = ALERTS, times: AlertTimes | None = None
) -> None:
    """Judge the alerts until cancelled, or stand by while another scheduler does.

    Args:
        settings: Where Kafka and Postgres are, and whom to tell.
        alerts: Which alerts there are.
        times: How often what is done; the default is what runs in earnest.
    """
    url, name = settings.database_url.get_secret_value(), f"headrace alerts {settings.instance}"
    store = PostgresAlerts(url, name=name)
    sealed = PostgresChannelUrls(partial(session, url, DatabaseRole.SCHEDULER, f"{name} channels"))
    cipher = FernetCipher(settings.secrets_key.get_secret_value())
    named = SecretCache(sealed, cipher, time.monotonic, BLOTTED.add, noun="channel")
    depths = KafkaDepths(settings.kafka_connection, client_id=f"scheduler-{settings.instance}-alerts")
    lanes = lanes_of(Topics(settings.topic_prefix), action_types_by_role())
    try:
        with open_alert_channels(settings.alert_channels, named, BLOTTED.add) as channels:
            await AlertLoop(store, depths, lanes, channels, alerts=alerts, times=times or AlertTimes()).run()
    finally:
        await depths.stop()
