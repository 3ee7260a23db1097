"""What is seen and done around executions: the log, dry runs, dead letters, retries, cancelling, the queue's depth."""
