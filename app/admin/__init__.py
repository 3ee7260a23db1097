"""The admin HTTP service."""
