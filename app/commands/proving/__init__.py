"""What ``headrace prove`` does on an installation: its workflows there, its receiver, its load, its faults."""
