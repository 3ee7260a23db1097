"""Events: the newest of the topics, and one of them with what every workflow made of it."""
