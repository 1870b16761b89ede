"""Where quantities that depend on time alone turn or leap, so that an integrator steps over no peak of them."""

import itertools
import math
from collections.abc import Callable
from functools import lru_cache
from xml.etree.ElementTree import Element

import numpy as np

from .contents import Contents
from .formulae import Formulae, followed, is_relation
from .timed import Timed

SAMPLES = 1 << 17  # of a window, which is 16 to 32 stretches between two exchanges long
STRETCHES = 16
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
    are looked at in 4,096 places of a stretch at least, and their changes are found by bisection. Other functions
    of time are stopped at their turning points, at the zeros of linear parts (the middle of a bell, of a logistic),
    and on the flanks of both where these are narrow.
    """

    def __init__(self, formulae: Formulae, contents: Contents):
        self._timed = Timed(formulae, contents)
        self._switches: list[Element] = []
        self._curves: list[tuple[Element, list[Element]]] = []
        for formula in formulae.all:
            self._collect(formula)
        governing = [*self._switches, *(e for e, _ in self._curves)]
        named = {(e.text or "").strip() for g in governing for e in formulae.within(g) if e.tag == "ci"}
        self._names = sorted(named & contents.kept)
        self._in_window = lru_cache(maxsize=4)(self._window)

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
        length = 2.0 ** math.ceil(math.log2(STRETCHES * (end - start)))
        values = tuple(value(name) for name in self._names)
        inside: list[tuple[float, float]] = []
        nearest = 1e-12 * (abs(start) + abs(end))
        for i in range(math.floor(start / length), math.floor(end / length) + 1):
            with followed():
                window = self._in_window(i, length, values)
            for time, step in window:
                if max(start, inside[-1][0] if inside else start) + nearest < time < end - nearest:
                    inside.append((time, step))
        if len(inside) > MOST_STOPS:  # faster than any sampling follows: leave it to short steps
            return [(start, (end - start) / len(inside))]
        return inside

    def _window(self, number: int, length: float, values: tuple[float, ...]) -> list[tuple[float, float]]:
        """Return the stops of a window in time, which depend on nothing but its number and length."""
        value = dict(zip(self._names, values, strict=True)).__getitem__
        times = np.linspace(number * length, (number + 1) * length, SAMPLES + 1)
        found: dict[float, float] = {}
        for e in self._switches:
            for time in self._changes(e, times, value):
                found.setdefault(time, math.inf)
        for e, lines in self._curves:
            self._turns(e, lines, times, value, found)
        return sorted(found.items())

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
            before, after = self._flank(e, peak, left, value), self._flank(e, peak, right, value)
            flanks = [*before[::-1], peak, *after]
            if len(flanks) > 1 and flanks[-1] - flanks[0] < NARROW * (times[-1] - times[0]):
                for a, b in itertools.pairwise([*flanks, flanks[-1] + (flanks[-1] - flanks[0])]):
                    found[a] = min(found.get(a, math.inf), (b - a) / STEPS_A_FLANK)
                found.setdefault(flanks[-1] + (flanks[-1] - flanks[0]), math.inf)

    def _flank(self, e: Element, peak: float, far: float, value: _Value) -> list[float]:
        """Return where a curve has come from its value at a peak to shares of that at a far time, from the peak on."""
        top, base = self._timed.at(e, peak, value), self._timed.at(e, far, value)
        shares = np.sort(LEVELS)[::-1]
        inner, outer = np.full(len(shares), peak), np.full(len(shares), far)
        for _ in range(60):
            middle = 0.5 * (inner + outer)
            away = np.abs(self._timed.at(e, middle, value) - base) > shares * abs(top - base)
            inner, outer = np.where(away, middle, inner), np.where(away, outer, middle)
            if abs(inner[0] - peak) > NARROW * abs(far - peak) * 8.0:  # half of it lies far: no narrow flank
                return []
        return list(dict.fromkeys(outer[(outer != peak) & (outer != far)].tolist()))
