"""Toxicity of treatment as models of ordinary differential equations."""
