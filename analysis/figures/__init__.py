"""Figures of runs: one module a figure; each returns the figure, its table and its caption."""

from . import backend  # noqa: F401 (first: it imports Matplotlib)
from .accounts import draw_accounts
from .biomarkers import draw_biomarkers
from .control import draw_control
from .counts import draw_counts
from .discrimination import draw_responders, draw_roc
from .drawing import Drawing, png_bytes, save
from .fields import draw_fields
from .flow import draw_flow
from .forest import draw_forest
from .immune import draw_immune
from .ledger import draw_ledger
from .pairs import draw_pairs
from .pk import draw_pk
from .population import draw_population
from .spider import draw_spider
from .survival import draw_progression, draw_survival
from .swimmer import draw_swimmer
from .times import draw_times
from .tissue import draw_detail, draw_tissue
from .tornado import draw_tornado
from .waterfall import draw_best_change, draw_waterfall, draw_waterfall_rows

__all__ = [
    "Drawing",
    "draw_accounts",
    "draw_best_change",
    "draw_biomarkers",
    "draw_control",
    "draw_counts",
    "draw_detail",
    "draw_fields",
    "draw_flow",
    "draw_forest",
    "draw_immune",
    "draw_ledger",
    "draw_pairs",
    "draw_pk",
    "draw_population",
    "draw_progression",
    "draw_responders",
    "draw_roc",
    "draw_spider",
    "draw_survival",
    "draw_swimmer",
    "draw_times",
    "draw_tissue",
    "draw_tornado",
    "draw_waterfall",
    "draw_waterfall_rows",
    "png_bytes",
    "save",
]
