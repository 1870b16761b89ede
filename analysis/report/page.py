"""The pieces of a report: HTML made of headings, paragraphs, tables and pictures, in one file."""

import base64
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

STYLE = """
:root { --ink: #222; --faint: #6b6b6b; --line: #e3e3e3; --tint: #f6f7f8; --mark: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main { max-width: 1120px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 34px; }
h1 { font-size: 27px; line-height: 1.25; margin: 0 0 6px; }
h2 { font-size: 20px; margin: 46px 0 10px; padding-top: 14px; border-top: 1px solid var(--line); }
h3 { font-size: 16px; margin: 26px 0 6px; }
p { max-width: 860px; margin: 8px 0; }
.lead { color: var(--faint); }
nav { position: sticky; top: 0; z-index: 1; background: #fffffff2; border-bottom: 1px solid var(--line); }
nav div { max-width: 1120px; margin: 0 auto; padding: 9px 28px; font-size: 13.5px; }
nav a { color: var(--mark); text-decoration: none; margin-right: 15px; white-space: nowrap; }
nav a:hover { text-decoration: underline; }
section { scroll-margin-top: 70px; }
.cards { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0 4px; }
.card { flex: 1 1 190px; background: var(--tint); border-radius: 8px; padding: 12px 16px; }
.card b { display: block; font-size: 22px; line-height: 1.25; }
.card span { color: var(--faint); font-size: 13.5px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 12px 0; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 14px 5px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th { border-bottom: 1.5px solid #999; font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; }
tr.first td { border-top: 1.5px solid #bbb; }
tr.own td { font-weight: 600; background: #eef5fa; }
figure { margin: 18px 0 26px; }
figure img { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--faint); font-size: 13.5px; max-width: 900px; margin-top: 7px; }
figcaption a { color: var(--mark); }
.note { border-left: 3px solid #d55e00; background: #fdf5f0; padding: 9px 16px; max-width: 900px;
  margin: 14px 0; }
details { margin: 10px 0; } summary { cursor: pointer; color: var(--mark); }
code { font: 12.5px ui-monospace, Menlo, Consolas, monospace; }
@media print { nav { display: none; } h2 { break-after: avoid; } figure, table { break-inside: avoid; } }
"""


def text(value: Any) -> str:
    """Return a value as a reader wants it, escaped: six digits, NaN and None as a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool) or not isinstance(value, float | int):
        return escape(str(value))
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e6):
        return f"{int(value)}"
    return f"{value:.6g}"


def paragraph(words: str, kind: str = "") -> str:
    """Return a paragraph; ``kind`` is a class of the style: lead or note."""
    return f'<p class="{kind}">{escape(words)}</p>' if kind else f"<p>{escape(words)}</p>"


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], classes: Sequence[str] | None = None) -> str:
    """Return a table; columns of numbers are set flush right.

    Parameters
    ----------
    columns : list of str
    rows : list of list
    classes : list of str, optional
        Class of the style of each row: first (a new group), own (the runs of this report).
    """
    numeric = [bool(rows) and all(_numberlike(row[k]) for row in rows) for k in range(len(columns))]
    mark = [' class="number"' if n else "" for n in numeric]
    head = "".join(f"<th{m}>{escape(c)}</th>" for c, m in zip(columns, mark, strict=True))
    body = []
    for k, row in enumerate(rows):
        kind = f' class="{classes[k]}"' if classes and classes[k] else ""
        cells = "".join(f"<td{m}>{text(v)}</td>" for v, m in zip(row, mark, strict=True))
        body.append(f"<tr{kind}>{cells}</tr>")
    inside = f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f'<div class="scroll"><table>{inside}</table></div>'


def _numberlike(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def folded(title: str, content: str) -> str:
    """Return content behind a line that opens it."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def picture(name: str, png: bytes, caption: str) -> str:
    """Return an embedded picture with its caption and the names of its files."""
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<figure><img alt="{escape(name)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)} <code>figures/{escape(name)}.png</code>, "
        "<code>.csv</code></figcaption></figure>"
    )


def cards(values: Sequence[tuple[str, str]]) -> str:
    """Return a row of large values with a line of explanation each."""
    inner = "".join(
        f'<div class="card"><b>{escape(value)}</b><span>{escape(words)}</span></div>'
        for value, words in values
    )
    return f'<div class="cards">{inner}</div>'


def page(title: str, lead: str, sections: Mapping[str, str]) -> str:
    """Return the whole page: title, contents, sections by heading. It needs nothing outside itself."""
    names = {heading: f"s{k}" for k, heading in enumerate(sections)}
    links = "".join(f'<a href="#{key}">{escape(heading)}</a>' for heading, key in names.items())
    body = "".join(
        f'<section id="{names[heading]}"><h2>{escape(heading)}</h2>{content}</section>'
        for heading, content in sections.items()
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<header><h1>{escape(title)}</h1>{lead}</header><nav><div>{links}</div></nav>"
        f"<main>{body}</main></body></html>\n"
    )
