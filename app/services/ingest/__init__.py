"""The ways in for events: the emitter, listeners, and other systems' topics."""
