"""Processes: what each kind is put together from, and what keeps it alive."""
