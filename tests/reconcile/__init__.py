"""Every (event, workflow) pair of a run, compared with an independent computation in SQL over the raw JSON."""
