"""Scenarios: files, runs, batches, the store and the command line."""
