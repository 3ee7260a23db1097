"""``/workflows``: the list, what is done to one or to many of it, new ones, and what was of each before."""
