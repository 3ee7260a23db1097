"""Grafana's dashboards: panels as data, and what writes them as the JSON that Grafana provisions."""
