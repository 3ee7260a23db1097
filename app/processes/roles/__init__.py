"""The worker roles, a module each, where ports meet adapters: parts are opened on the loop and closed at the end.

A process loads the module of its own role alone (``app.processes.worker``), so that it holds nothing of the others.
"""
