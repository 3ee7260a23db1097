"""Headrace: dependable business automation on Kafka."""
