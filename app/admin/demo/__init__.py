"""Demo data: a small business to look at, loaded and removed by an administrator."""
