"""Bars for pages: small SVGs that need no script, stand being printed in grey, and lead somewhere when they are pressed.

In: numbers. Out: Markup. The one decision: a bar stands in its row of the table that holds its numbers, so the table is the figure and whoever
cannot see it hears the same; colours come from the page's style sheet (charts.css), and where two stand side by side one is dark and the other pale
with an edge.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH = 200
COLUMNS = (400, 150, 26, 22)  # width, height of a figure of columns, and what is left free above and below


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: `height` 0..1 of the highest, what stands over and under it, what is read out, where it leads."""

    height: float
    over: str
    under: str
    title: str
    href: str | None


def bar(*parts: float) -> Markup:
    """A lying bar of parts (0..1 together), as wide as its cell."""
    made, left = [], 0.0
    for number, part in enumerate(parts):
        made.append(
            Markup('<rect class="part p{}" x="{:.1f}" y="1" width="{:.1f}" height="14"/>').format(number, left, max(0.0, part) * WIDTH)
        )
        left += max(0.0, part) * WIDTH
    return Markup(
        '<svg class="bar-figure" viewBox="0 0 {} 16" preserveAspectRatio="none" aria-hidden="true"><rect class="ground" y="1" width="{}" height="14"/>{}</svg>'
    ).format(WIDTH, WIDTH, Markup("").join(made))


def columns(drawn: Sequence[Column], label: str) -> Markup:
    """Standing columns side by side, with their numbers; `label` is what a screen reader says of the whole."""
    width, height, _, below = COLUMNS
    step = width / max(1, len(drawn))
    every = max(1, round(34 / step))  # letters need so much room
    bars = [_column(column, number * step, step, number % every == 0) for number, column in enumerate(drawn)]
    base = Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(width, height - below, height - below)
    return Markup('<svg class="columns-figure" viewBox="0 0 {} {}" role="group" aria-label="{}">{}{}</svg>').format(
        width, height, label, base, Markup("").join(bars)
    )


def _column(column: Column, left: float, step: float, lettered: bool) -> Markup:
    _, height, above, below = COLUMNS
    tall = max(column.height, 0.0) * (height - above - below)
    middle, top = left + step / 2, height - below - tall
    thick = min(step * 0.62, 46)
    drawn = Markup('<title>{}</title><rect class="part p0" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        column.title, middle - thick / 2, top, thick, tall
    )
    if lettered:
        drawn += Markup('<text x="{:.1f}" y="{:.1f}">{}</text><text class="tick" x="{:.1f}" y="{}">{}</text>').format(
            middle, top - 6, column.over, middle, height - 6, column.under
        )
    if column.href is None:
        return Markup("<g>{}</g>").format(drawn)
    return Markup('<a href="{}" aria-label="{}">{}</a>').format(column.href, column.title, drawn)
