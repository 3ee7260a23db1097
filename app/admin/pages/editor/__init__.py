"""``/workflows/{id}``: a workflow read as a sentence, and edited where there are scripts."""
