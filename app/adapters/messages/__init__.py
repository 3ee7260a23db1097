"""Ports of notifications, by Apprise."""
