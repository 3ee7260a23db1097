"""Texts of messages, channels and inboxes."""
