"""Figures of the reports as SVG, in one style.

In: numbers with their labels. Out: SVG text to be set into a page or a print. The one decision: letters are drawn as shapes from the font
that fpdf prints with, so that a figure looks the same in every browser and in the PDF, without a Chinese font being there. Colours differ
in lightness as much as in hue (Okabe and Ito 2008), lines also in dash and marker: they can be told apart on a grey print and by colour-
blind readers.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phrasecheck.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 7.2  # inches: the text width of an A4 page
INK, SOFT, RULE = "#1d2733", "#5b6773", "#d5dbe1"
LINES = (("#0b4f8a", "-", "o"), ("#c06a00", (0, (4, 2)), "s"))  # colour, dash, marker
BARS = ("#f6dfae", "#dd8d3e", "#7c2d12")  # light to dark


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Values at the ticks; None where there is none."""

    name: str
    values: Sequence[float | None]


def font() -> Path:
    """Noto Sans SC (SIL Open Font License) from the wheel pylopdf-fonts-zh-cn. Raises InputError when that is not installed."""
    from importlib.resources import files

    try:
        return Path(str(files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"))
    except ModuleNotFoundError as error:
        raise InputError("出报告需要中文字体包 pylopdf-fonts-zh-cn：请运行 pip install 'phrasecheck[report]'") from error


def lines(ticks: Sequence[str], drawn: Sequence[Line], unit: str, highest: float) -> str:
    """Lines over time, up to `highest`; the axis begins below the lowest value, because a trend between 80 and 95 is lost on one from 0."""
    with _axes(2.5) as (axes, svg):
        places = range(len(ticks))
        for line, (colour, dash, marker) in zip(drawn, LINES, strict=False):
            values = [float("nan") if value is None else value for value in line.values]
            axes.plot(places, values, color=colour, linestyle=dash, marker=marker, markersize=5, linewidth=1.8, label=line.name)
        _time(axes, ticks)
        seen = [value for line in drawn for value in line.values if value is not None]
        axes.set_ylim(max(0.0, min([*seen, highest]) // 10 * 10 - 10), highest * 1.02)
        axes.set_ylabel(unit)
        _legend(axes)
    return svg[0]


def stacked(ticks: Sequence[str], parts: Mapping[str, Sequence[float]], unit: str, *, across: bool = False) -> str:
    """Bars of parts; `across` lays them on their side, for names too long to stand under a column."""
    with _axes(0.72 + 0.18 * len(ticks) if across else 2.3) as (axes, svg):
        places, base = range(len(ticks)), [0.0] * len(ticks)
        for (name, values), colour in zip(parts.items(), BARS, strict=False):
            style: dict[str, Any] = {"color": colour, "edgecolor": INK, "linewidth": 0.4, "label": name}
            if across:
                axes.barh(places, values, 0.62, left=base, **style)
            else:
                axes.bar(places, values, 0.55, bottom=base, **style)
            base = [under + value for under, value in zip(base, values, strict=True)]
        if across:
            axes.set_yticks(places, ticks)
            axes.invert_yaxis()
            axes.grid(axis="y", visible=False)
            axes.grid(axis="x", color=RULE, linewidth=0.7)
            axes.set_xlim(0, max([*base, 1.0]) * 1.12)
            axes.set_xlabel(unit)
        else:
            _time(axes, ticks)
            axes.set_ylim(0, max([*base, 1.0]) * 1.18)
            axes.set_ylabel(unit)
        for place, total in zip(places, base, strict=True):
            _total(axes, place, total, across=across)
        _legend(axes)
    return svg[0]


def _legend(axes: "Axes") -> None:
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, borderaxespad=0.2)


def _total(axes: "Axes", place: float, total: float, *, across: bool) -> None:
    text = f"{total:.1f}".removesuffix(".0")
    at, turn = ((total, place), (4, 0)) if across else ((place, total), (0, 3))
    where = {"ha": "left", "va": "center"} if across else {"ha": "center", "va": "bottom"}
    axes.annotate(text, at, turn, textcoords="offset points", color=SOFT, fontsize=8, **where)  # type: ignore[arg-type]


def _time(axes: "Axes", ticks: Sequence[str]) -> None:
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_xlim(-0.6, max(len(ticks) - 0.4, 0.6))


@contextmanager
def _axes(height: float) -> "Iterator[tuple[Axes, list[str]]]":
    """Empty axes in our style; when the block ends the list holds the SVG. No window, no state of pyplot."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties, fontManager

    path = str(font())
    if not any(entry.fname == path for entry in fontManager.ttflist):
        fontManager.addfont(path)
    style = {
        "font.family": FontProperties(fname=path).get_name(),
        "font.size": 9,
        "axes.edgecolor": RULE,
        "axes.labelcolor": SOFT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": False,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "text.color": INK,
        "svg.fonttype": "path",
        "svg.hashsalt": "phrasecheck",  # equal numbers give equal files
    }
    out: list[str] = []
    with mpl.rc_context(style):  # type: ignore[arg-type]
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.set_axisbelow(True)
        axes.grid(axis="y", color=RULE, linewidth=0.7)
        axes.tick_params(length=0)
        yield axes, out
        text = StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    out.append(_inline(text.getvalue()))


def _inline(svg: str) -> str:
    """Without the heading of a file, and with a width of its own left to the page."""
    body = svg[svg.index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL).strip()
