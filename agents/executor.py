"""An executor's agents, one a lane: in batches where a step is a transaction, else in a pool, an entity at a time."""

from agents.reading import Agent, Around, Opened, Source, announced, run_batches, run_leased
from app.execution.executor_parts import ExecutorParts
from app.execution.guard import guarded, lettered
from app.execution.transactional import TransactionalExecutor


def lane_agent(action_type: str, opened: Opened[ExecutorParts], *, slots: int, around: Around | None) -> Agent:
    """Return the agent of one lane; ``slots``: how many commands it carries out at once where it has a pool."""

    async def lane(source: Source) -> None:
        made = await opened()
        executor = made.executors[action_type]
        if isinstance(executor, TransactionalExecutor):
            await run_batches(
                source, announced(guarded(executor.process, lettered(made.letters)), around), made.delivery
            )
        else:
            await run_leased(source, executor, slots=slots, around=around)

    return lane


def over_quota_agent(opened: Opened[ExecutorParts], around: Around | None) -> Agent:
    """Return the agent that lets executions wait."""

    async def over_quota(source: Source) -> None:
        made = await opened()
        await run_batches(
            source, announced(guarded(made.parker.process, lettered(made.letters)), around), made.delivery
        )

    return over_quota
