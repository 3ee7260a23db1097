"""The outside world of an executor: where its actions reach to."""

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from app.actions.base import Ports
from app.actions.families import Family
from app.adapters.http.address_guard import bounds_of
from app.adapters.http.late import open_late_client
from app.adapters.mail.smtp import SmtpServer, open_mailer
from app.adapters.messages.notifier import open_notifier
from app.adapters.postgres.channel_urls import PostgresChannelUrls
from app.adapters.postgres.inbox import PostgresInbox
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.sealed_secrets import PostgresSealedSecrets
from app.adapters.postgres.secret_uses import PostgresSecretUses
from app.adapters.secrets.cipher import FernetCipher
from app.domain.mailboxes import domain_of
from app.ports import HttpClient
from app.processes.blotting import BLOTTED
from app.processes.provider_accounts import twilio_account, whatsapp_account
from app.services.access.secret_cache import SecretCache
from app.services.access.secret_uses import noting_uses
from app.settings import Settings


@asynccontextmanager
async def action_ports(family: Family, settings: Settings, pool: Pool, trusted: HttpClient) -> AsyncIterator[Ports]:
    """Open the outside world of one worker; ``trusted`` reaches addresses that an administrator chose."""
    cipher = FernetCipher(settings.secrets_key.get_secret_value())
    channels = SecretCache(PostgresChannelUrls(pool.connection), cipher, time.monotonic, BLOTTED.add, noun="channel")
    async with (
        http_client(family, settings) as http,
        open_mailer(smtp_server(settings)) as mail,
        noting_uses(PostgresSecretUses(pool), lambda: int(time.time() // 3600)) as uses,
    ):
        with open_notifier(channels, bounds_of(settings)) as notifier:
            yield Ports(
                http=http,
                mail=mail,
                mail_from=settings.mail_from,
                sms=twilio_account(settings, trusted),
                whatsapp=whatsapp_account(settings, trusted),
                secrets=secret_cache(settings, pool),
                secret_uses=uses,
                notifier=notifier,
                inbox=PostgresInbox(pool.connection),
            )


def secret_cache(settings: Settings, pool: Pool) -> SecretCache:
    """Return where executors get secrets; the log blots out each that has been read."""
    cipher = FernetCipher(settings.secrets_key.get_secret_value())
    return SecretCache(PostgresSealedSecrets(pool), cipher, time.monotonic, BLOTTED.add)


def http_client(family: Family, settings: Settings) -> AbstractAsyncContextManager[HttpClient]:
    """Return what opens the client for addresses that users name, with the guard that the settings ask for."""
    return open_late_client(
        allow_private=settings.webhook_allow_private, allow_networks=settings.allowed_networks, now=family == "system"
    )


def trusted_client(family: Family, settings: Settings) -> AbstractAsyncContextManager[HttpClient]:
    """Return what opens the client for the CRM and the providers that an administrator chose, where there are any."""
    providers = settings.twilio_account_sid or settings.whatsapp_phone_number_id
    return open_late_client(allow_private=True, now=bool(settings.crm_url or (family == "notification" and providers)))


def smtp_server(settings: Settings) -> SmtpServer:
    """Return the mail server's settings."""
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        ehlo_name=domain_of(settings.mail_from),
    )
