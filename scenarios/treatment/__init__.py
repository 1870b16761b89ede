"""Doses, companions, radiation, visits and the controllers that decide between them."""
