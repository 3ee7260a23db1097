"""Hostile records on every topic, among good events, under kills: nothing stops, nothing slips by."""
