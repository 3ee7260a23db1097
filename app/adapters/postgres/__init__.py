"""Ports on Postgres, by psycopg 3."""
