"""A model file is read, checked word by word and compiled to the read-only tables of the engine."""
