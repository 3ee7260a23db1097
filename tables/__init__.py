"""One Faust table a file."""
