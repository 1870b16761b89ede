"""Names that files of runs share."""

NO_PATIENT = "tissue alone"
