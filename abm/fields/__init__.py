"""Field solvers: one file a solver."""
