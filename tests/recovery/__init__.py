"""How soon it works again: a cold start with many workflows, groups that change, an outage of everything."""
