"""Figures, one file a figure; each writes PNG and CSV."""
