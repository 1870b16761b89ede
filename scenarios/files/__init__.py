"""Scenario and study files: read, checked key by key, resolved."""
