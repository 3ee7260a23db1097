"""``/settings``: what is set up once, who may what, and who changed what; a page for each, and a list of them beside."""
