"""Virtual patients: laws, populations, cohorts and trials without a lattice."""
