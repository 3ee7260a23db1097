"""One migration a file, in the specification's order; what the engine adds follows after."""
