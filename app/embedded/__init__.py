"""What make up and the tests start where nothing better answers."""
