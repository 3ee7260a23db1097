"""What Prometheus is given: which pages to scrape, and the alerts."""
