"""``/settings``: what is set up once, who may what, and who changed what, a page each."""
