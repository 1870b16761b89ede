"""Pharmacokinetic models, one file a structural model, one TOML file a drug."""

from .drug_file import library_drugs, load_drug
from .patients import pk_model, sample_patients
from .simulate import delayed, simulate_pk

__all__ = ["delayed", "library_drugs", "load_drug", "pk_model", "sample_patients", "simulate_pk"]
