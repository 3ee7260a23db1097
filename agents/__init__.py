"""The Faust agents, and nothing else: how a stream is read and acked. Only the worker imports them."""
