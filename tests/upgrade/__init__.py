"""A real upgrade under load: an older commit's installation exchanged for this one's process by process, and back."""
