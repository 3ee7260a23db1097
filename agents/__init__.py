"""The Faust agents."""
