"""Read-outs of runs: biomarkers, outcomes, survival, figures, report. They are given runs, never files."""
