"""The dose language: orders as clinics write them, parsed, printed back, and turned into doses."""

from .body_size import BodySize
from .order import Order
from .parse import parse_plan, parse_regimen
from .plan import Line, Plan

__all__ = ["BodySize", "Line", "Order", "Plan", "parse_plan", "parse_regimen"]
