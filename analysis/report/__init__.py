"""One page from a folder of runs: every figure, table and number of it."""
