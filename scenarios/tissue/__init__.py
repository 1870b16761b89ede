"""Tissue at time 0, drawn or read from tables, images, tiles and earlier runs."""
