"""The ways out: sending so that nothing is lost, the outbox relay, and dead letters."""
