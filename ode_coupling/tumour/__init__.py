"""Well-mixed tumour models and what is done to them: drugs, radiotherapy, daily decisions."""
