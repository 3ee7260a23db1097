"""The speed of the main job, measured beside the same job written by hand."""
