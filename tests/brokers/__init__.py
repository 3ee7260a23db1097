"""Older and newer brokers than the embedded one."""
