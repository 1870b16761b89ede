"""Figures of runs: one module a figure; each returns the figure, its table and its caption."""

from .biomarkers import draw_biomarkers
from .counts import draw_counts
from .drawing import Drawing, png_bytes, save
from .fields import draw_fields
from .immune import draw_immune
from .ledger import draw_ledger
from .pk import draw_pk
from .population import draw_population
from .spider import draw_spider
from .survival import draw_progression, draw_survival
from .tissue import draw_detail, draw_tissue
from .waterfall import draw_waterfall

__all__ = [
    "Drawing",
    "draw_biomarkers",
    "draw_counts",
    "draw_detail",
    "draw_fields",
    "draw_immune",
    "draw_ledger",
    "draw_pk",
    "draw_population",
    "draw_progression",
    "draw_spider",
    "draw_survival",
    "draw_tissue",
    "draw_waterfall",
    "png_bytes",
    "save",
]
