"""The ports: what services, actions and agents need from the outside, said in our own words; one file a port.

Adapters implement them; tests pass fakes that hold to the same contract tests.
"""

from app.ports.accounts import TwilioAccount, WhatsAppAccount
from app.ports.api_keys import ApiKey, ApiKeyStore, KnownKeys
from app.ports.breakers import BreakerStore, BreakerWatch, Transition
from app.ports.crashes import Crashes, Place, Suspicion
from app.ports.crm import (
    AppointmentRequest,
    AssignmentRequest,
    Cause,
    Crm,
    CrmReads,
    CustomerUpdate,
    HandedOn,
    NoteRequest,
    Origin,
    TagRequest,
    TaskRequest,
)
from app.ports.entries import Entries, Entry
from app.ports.http import HttpAnswer, HttpClient, HttpRequest
from app.ports.kafka import Headers, Record, Refusal, Sender, Subscriber
from app.ports.mail import Mailer, MailMessage
from app.ports.messages import MessageText, MessageTexts
from app.ports.notices import ChannelUrls, Inbox, Notice, Notifier
from app.ports.owners import owner_header, owner_of
from app.ports.receipts import (
    Busy,
    Claim,
    Claimed,
    ClaimOutcome,
    Done,
    Dropped,
    EffectTransaction,
    Park,
    Receipts,
    TransactionalEffect,
)
from app.ports.rights import NotedCallers, OwnerRights
from app.ports.secrets import (
    Cipher,
    Sealed,
    SealedSecrets,
    SecretEntry,
    SecretGrants,
    Secrets,
    SecretStore,
    SecretUse,
    SecretUseNotes,
    SecretUseStore,
    SecretValues,
)
from app.ports.timers import Parking, Timer, TimerKind, Timers

__all__ = [
    "ApiKey",
    "ApiKeyStore",
    "AppointmentRequest",
    "AssignmentRequest",
    "BreakerStore",
    "BreakerWatch",
    "Busy",
    "Cause",
    "ChannelUrls",
    "Cipher",
    "Claim",
    "ClaimOutcome",
    "Claimed",
    "Crashes",
    "Crm",
    "CrmReads",
    "CustomerUpdate",
    "Done",
    "Dropped",
    "EffectTransaction",
    "Entries",
    "Entry",
    "HandedOn",
    "Headers",
    "HttpAnswer",
    "HttpClient",
    "HttpRequest",
    "Inbox",
    "KnownKeys",
    "MailMessage",
    "Mailer",
    "MessageText",
    "MessageTexts",
    "NoteRequest",
    "NotedCallers",
    "Notice",
    "Notifier",
    "Origin",
    "OwnerRights",
    "Park",
    "Parking",
    "Place",
    "Receipts",
    "Record",
    "Refusal",
    "Sealed",
    "SealedSecrets",
    "SecretEntry",
    "SecretGrants",
    "SecretStore",
    "SecretUse",
    "SecretUseNotes",
    "SecretUseStore",
    "SecretValues",
    "Secrets",
    "Sender",
    "Subscriber",
    "Suspicion",
    "TagRequest",
    "TaskRequest",
    "Timer",
    "TimerKind",
    "Timers",
    "TransactionalEffect",
    "Transition",
    "TwilioAccount",
    "WhatsAppAccount",
    "owner_header",
    "owner_of",
]
