"""A Kafka with locks on: every way in, every way to be refused, and the pipeline with no more rights than it needs."""
