"""One run: assembled, checked, advanced, recorded."""
