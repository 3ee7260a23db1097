"""Pure rules; the standard library only."""
