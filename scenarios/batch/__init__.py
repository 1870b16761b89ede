"""A study as jobs: planned, spread over workers, followed, gathered."""
