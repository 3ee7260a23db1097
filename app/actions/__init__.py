"""One file per action type: its config model and its effect over ports."""
