"""The agents, and nothing else: how records are read and acked. Only the worker imports them."""
