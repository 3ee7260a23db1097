"""The delivery guarantees under one deterministic scheduler: virtual time, faults by seed, an exact replay of each.

What runs is what ships: matcher, executors, sink, timers, receipts' rules, frontier and pool. Kafka, Postgres and the
world outside are in memory, and lose, delay, repeat and reorder what the real ones may. A seed says everything that
happens; ``python -m tests.simulation.run --seed N`` tells it.
"""
