"""Puts together what the API shows of executions, and what begins, tries and ends them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from app.actions.registry import REGISTRY
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.audit import PostgresAuditNotes
from app.adapters.postgres.cancelling import PostgresCancelling
from app.adapters.postgres.channel_urls import PostgresChannelDirectory
from app.adapters.postgres.crm import PostgresCrm
from app.adapters.postgres.crm_reads import PostgresReads
from app.adapters.postgres.executions import PostgresExecutions, PostgresWaiting
from app.adapters.postgres.overview import PostgresOverview
from app.adapters.postgres.recent_runs import PostgresRecentRuns
from app.adapters.postgres.retries import PostgresRetries
from app.adapters.postgres.sealed_secrets import PostgresSecretGrants
from app.admin.state import Runs
from app.domain.retry import RetryPolicy
from app.execution.current_values import Current
from app.execution.preparation import DryRunPreparer
from app.execution.routing import Router
from app.ports import HttpClient
from app.ports.kafka import Sender
from app.ports.reach import ReachJudge
from app.processes.clocks import Clocks
from app.processes.crm_choice import reads_of
from app.services.operations.cancelling import Cancelling
from app.services.operations.dry_run import DryRunner
from app.services.operations.executions import ExecutionService, WaitingService
from app.services.operations.overview import Overview
from app.services.operations.recent_runs import RecentRunsService
from app.services.operations.retries import Retries
from app.services.workflows.lifecycle import WorkflowService
from app.services.workflows.manual_runs import ManualRuns
from app.settings import Settings
from app.topics import Topics

_TYPES: Final = frozenset(REGISTRY.names())


@dataclass(frozen=True, slots=True)
class DryRunNeeds:
    """What trials ask outside: a CRM over HTTP, and where addresses lead."""

    http: HttpClient | None
    judge: ReachJudge


def runs_of(
    settings: Settings,
    database: ApiDatabase,
    sender: Sender,
    workflows: WorkflowService,
    needs: DryRunNeeds,
    *,
    clocks: Clocks,
) -> Runs:
    """Return the services around executions."""
    now = clocks.now
    topics = Topics(settings.topic_prefix)
    return Runs(
        executions=ExecutionService(
            PostgresExecutions(database, timedelta(settings.log_retention_days), clock=clocks.monotonic)
        ),
        waiting=WaitingService(PostgresWaiting(database)),
        cancelling=Cancelling(PostgresCancelling(database), workflows, Router(topics, _TYPES).cancelled),
        retries=Retries(PostgresRetries(database), topics, _TYPES, now=now),
        manual_runs=ManualRuns(workflows, sender, topics, PostgresAuditNotes(database), now=now),
        dry_runs=_dry_runner(settings, database, needs, now),
        overview=Overview(PostgresOverview(database), now),
        recent=RecentRunsService(PostgresRecentRuns(database)),
    )


def _dry_runner(
    settings: Settings, database: ApiDatabase, needs: DryRunNeeds, now: Callable[[], datetime]
) -> DryRunner:
    preparers = {action.name: DryRunPreparer(action, timeout=settings.action_timeout, clock=now) for action in REGISTRY}
    crm = partial(PostgresCrm, topics=Topics(settings.topic_prefix))
    reads = reads_of(settings, needs.http, PostgresReads(database.driver, crm, patient=False))
    return DryRunner(
        preparers,
        Current(reads, RetryPolicy(max_retries=0), timeout=settings.action_timeout),
        PostgresSecretGrants(database.driver),
        PostgresChannelDirectory(database.driver),
        needs.judge,
    )
