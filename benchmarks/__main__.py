"""Run every benchmark: python -m benchmarks [--quick] [--csv FILE]."""

from oncolattice.benchmarks.run_all import main

if __name__ == "__main__":
    main()
