"""Faults on purpose: kill -9, outages, joins and leaves under load, judged by what the receivers and Postgres hold."""
