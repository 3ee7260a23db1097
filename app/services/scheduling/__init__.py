"""What happens at a time: timers, temporal triggers and periodic tasks."""
