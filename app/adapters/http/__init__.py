"""Ports over HTTP: the client for addresses that users name, and the user's own CRM."""
