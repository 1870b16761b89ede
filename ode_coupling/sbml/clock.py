"""Where quantities that depend on time alone turn or leap, so that an integrator steps over no peak of them."""

import itertools
import math
from collections.abc import Callable
from xml.etree.ElementTree import Element

import numpy as np

from .contents import Contents
from .formulae import Formulae, is_relation
from .timed import Timed

SAMPLES = 1 << 15  # of a stretch between two exchanges
LEVELS = (1e-12, 1e-9, 1e-6, 1e-3, 0.5)  # of a peak, where its flanks are stopped at
NARROW = 0.02  # a flank that takes more of a stretch is seen by any integrator
MOST_STOPS = 20_000
STEPS_A_FLANK = 4
_Value = Callable[[str], float]


class Clock:
    """What a model does by the clock.

    Parameters
    ----------
    formulae : Formulae
    contents : Contents

    Notes
    -----
    Comparisons that are linear in time need nothing: each changes once, and is watched. Other comparisons of time
    are looked at in 32,768 places of a stretch, and their changes are found by bisection. Other functions of time
    are stopped at their turning points, at the zeros of linear parts (the middle of a bell, of a logistic), and on
    the flanks of both where these are narrow.
    """

    def __init__(self, formulae: Formulae, contents: Contents):
        self._timed = Timed(formulae, contents)
        self._switches: list[Element] = []
        self._curves: list[tuple[Element, list[Element]]] = []
        for formula in formulae.all:
            self._collect(formula)

    def _collect(self, e: Element) -> None:
        timed = self._timed
        if e.tag in ("piecewise", "piece", "otherwise") or not timed.alone(e):
            for part in e:
                self._collect(part)
        elif not timed.depends(e) or timed.is_linear(e):
            return
        elif is_relation(e):
            if not all(map(timed.is_linear, list(e)[1:])):
                self._switches.append(e)
        elif e.tag == "apply" and len(e) and e[0].tag in ("and", "or", "not", "xor", "implies"):
            for part in e[1:]:
                self._collect(part)
        else:
            self._curves.append((e, self._timed.lines_in(e)))
            for part in self._timed.relations_in(e):
                self._collect(part)

    def stops(self, start: float, end: float, value: _Value) -> list[tuple[float, float]]:
        """Return (time, longest step from there on) in a stretch, ascending; an empty list where time does nothing.

        Parameters
        ----------
        start, end : float
            In the file's unit of time.
        value : callable
            Name of a quantity that keeps its value -> that value.
        """
        if not self._switches and not self._curves:
            return []
        times = np.linspace(start, end, SAMPLES + 1)
        found: dict[float, float] = {}
        for e in self._switches:
            for time in self._changes(e, times, value):
                found.setdefault(time, math.inf)
        for e, lines in self._curves:
            self._turns(e, lines, times, value, found)
        inside: list[tuple[float, float]] = []
        nearest = 1e-12 * (abs(start) + abs(end))
        for time, step in sorted(found.items()):
            if max(start, inside[-1][0] if inside else start) + nearest < time < end - nearest:
                inside.append((time, step))
        if len(inside) > MOST_STOPS:  # faster than any sampling follows: leave it to short steps
            return [(start, (end - start) / len(inside))]
        return inside

    def _changes(self, e: Element, times: np.ndarray, value: _Value) -> list[float]:
        answer = self._timed.at(e, times, value) != 0.0
        found = []
        for i in np.flatnonzero(answer[1:] != answer[:-1])[:MOST_STOPS]:
            low, high = times[i], times[i + 1]
            while (middle := 0.5 * (low + high)) not in (low, high):
                same = (self._timed.at(e, middle, value) != 0.0) == answer[i]
                low, high = (middle, high) if same else (low, middle)
            found.append(float(high))
        return found

    def _turns(
        self, e: Element, lines: list[Element], times: np.ndarray, value: _Value, found: dict[float, float]
    ) -> None:
        level = np.nan_to_num(self._timed.at(e, times, value), posinf=0.0, neginf=0.0)
        rise = np.diff(level)
        slope = np.sign(np.where(np.abs(rise) > 1e-12 * np.abs(level).max(), rise, 0.0))
        turns = set(times[1:-1][slope[1:] != slope[:-1]].tolist()) if level.any() else set()
        if len(turns) <= MOST_STOPS:
            turns |= {
                t for t in (self._timed.zero(line, value) for line in lines) if times[0] <= t <= times[-1]
            }
        peaks = [float(times[0]), *sorted(turns), float(times[-1])]
        if len(peaks) > MOST_STOPS:
            found.update(dict.fromkeys(peaks, math.inf))
            return
        for left, peak, right in zip(peaks, peaks[1:], peaks[2:], strict=False):
            flanks = [*self._flank(e, peak, left, value)[::-1], peak, *self._flank(e, peak, right, value)]
            if len(flanks) > 1 and flanks[-1] - flanks[0] < NARROW * (times[-1] - times[0]):
                for a, b in itertools.pairwise([*flanks, flanks[-1] + (flanks[-1] - flanks[0])]):
                    found[a] = min(found.get(a, math.inf), (b - a) / STEPS_A_FLANK)
                found.setdefault(flanks[-1] + (flanks[-1] - flanks[0]), math.inf)

    def _flank(self, e: Element, peak: float, far: float, value: _Value) -> list[float]:
        """Return where a curve has come from its value at a peak to shares of that at a far time, from the peak on."""
        top, base = self._timed.at(e, peak, value), self._timed.at(e, far, value)
        found = []
        for share in sorted(LEVELS, reverse=True):
            inner, outer = peak, far
            for _ in range(60):
                middle = 0.5 * (inner + outer)
                away = abs(self._timed.at(e, middle, value) - base) > share * abs(top - base)
                inner, outer = (middle, outer) if away else (inner, middle)
            if outer != peak and outer != far:
                found.append(outer)
        return list(dict.fromkeys(found))
