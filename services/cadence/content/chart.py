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
    return Fragment(f'{_TABLE} class="chart">\n' + "\n".join(html) + "\n</table>", "\n".join(text))


def _row(label: str, percent: int, shown: str) -> str:
    bar = f'<td width="{percent}%" height="12" bgcolor="{BAR_COLOR}"></td>' if percent else ""
    rest = f'<td width="{100 - percent}%" height="12"></td>' if percent < 100 else ""
    return (
        f'<tr><td width="22%">{escape(label)}</td>'
        f"<td>{_TABLE}><tr>{bar}{rest}</tr></table></td>"
        f'<td width="16%" align="right">{escape(shown)}</td></tr>'
    )
