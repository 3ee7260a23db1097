"""Who may do what, and how much of it: keys, rights, secrets, rates."""
