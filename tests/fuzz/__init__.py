"""Fuzzers: what grows hostile input out of our own grammars, and shrinks what it finds."""
