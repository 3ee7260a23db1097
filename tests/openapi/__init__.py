"""Schemathesis against the OpenAPI document, on a running API over a real Postgres."""
