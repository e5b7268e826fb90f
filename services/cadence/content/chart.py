"""A small bar chart that every mail program shows: a table whose cells have a width and a background, no image."""

import math
from html import escape
from typing import Final

from services.cadence.content.format import Formatter, clean, is_finite
from services.cadence.content.fragment import Fragment
from services.cadence.content.values import Chart

BAR_COLOR: Final = "#3b6fd4"
_TEXT_WIDTH: Final = 24
_UNKNOWN: Final = "\u2013"
_TABLE: Final = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'


# In the tags themselves: every mail that has a chart shows it the same, with whatever layout around.
_BOX: Final = "margin:0 0 16px;font-size:13px;line-height:1.2"
_CELL: Final = "padding:3px 0;border:0;vertical-align:middle;white-space:nowrap"
_NUMBER: Final = "padding-inline-start:8px;text-align:end"


def write_chart(chart: Chart, formatter: Formatter) -> Fragment:
    """A row for each bar: label, bar, number. A number that is not known is a dash without a bar."""
    known = [number for _, number in chart.bars if number is not None and is_finite(number)]
    most = max([*known, 0]) or 1
    labels = [clean(label) for label, _ in chart.bars]
    width = max(map(len, labels), default=0)
    html, text = list[str](), list[str]()
    for label, (_, number) in zip(labels, chart.bars, strict=True):
        is_known = number is not None and is_finite(number)
        share = max(number, 0) / most if number is not None and is_known else 0
        shown = formatter.number(number) if number is not None and is_known else _UNKNOWN
        html.append(_row(label, round(100 * share), shown))
        bar = "█" * math.ceil(_TEXT_WIDTH * share)
        text.append(f"{label:<{width}}  {bar}{' ' if bar else ''}{shown}")
    return Fragment(
        f'{_TABLE} class="chart" style="{_BOX}">\n' + "\n".join(html) + "\n</table>", "\n".join(text)
    )


def _row(label: str, percent: int, shown: str) -> str:
    bar = f'<td width="{percent}%" height="12" bgcolor="{BAR_COLOR}"></td>' if percent else ""
    rest = f'<td width="{100 - percent}%" height="12"></td>' if percent < 100 else ""
    return (
        f'<tr><td width="1%" style="{_CELL};padding-inline-end:8px">{escape(label)}</td>'
        f'<td style="{_CELL}">{_TABLE}><tr>{bar}{rest}</tr></table></td>'
        f'<td width="1%" align="right" style="{_CELL};{_NUMBER}">{escape(shown)}</td></tr>'
    )
