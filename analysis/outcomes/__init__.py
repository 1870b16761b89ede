"""What a clinic reads off a run: visits, responses, progression, death; one row a run."""
