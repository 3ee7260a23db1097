"""What the agents call: from an event to commands, from a command to its effect, from a result to the log."""
