"""A report as one HTML file that opens from disk without a network and prints well.

In: a Page, the sound of its moments if there is any, and how calls are linked to. Out: the page. The one decision: no script at all; the
browser's own audio player is enough for a stretch of a few seconds, and a page without script may be sent to anybody.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

from phrasecheck.feedback.reports import Shown
from phrasecheck.report.feedback_page import STANDINGS, Page, basis_lines, cell
from phrasecheck.report.labels import amount, chinese, clock

if TYPE_CHECKING:
    from datetime import timezone

    from jinja2 import Environment

# Neither script nor anything from outside; styles stand in the figures, too, as attributes.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src data:; img-src data:; base-uri 'none'"


def render(page: Page, zone: "timezone", sounds: Mapping[str, str] | None = None, link: str = "") -> str:
    """The report as HTML. `sounds`: moment -> data URI; `link`: where a call is opened, with {call} and {at}."""
    from markupsafe import Markup

    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            lines=basis_lines(page.basis),
            sounds=sounds or {},
            when=lambda shown: when(shown, zone),
            href=lambda shown: href(shown, link),
            css=Markup(_css()),
            policy=POLICY,
            svg=Markup,
        )
    )


def when(shown: Shown, zone: "timezone") -> str:
    """«10月5日 14:20 的通话，03:12 处»"""
    at = shown.said_at.astimezone(zone) if shown.said_at else None
    day = f"{at.month}月{at.day}日 {at:%H:%M} 的通话" if at else "通话"
    return f"{day}，{clock(shown.costly.moment.at_s)} 处"


def href(shown: Shown, link: str) -> str:
    """Where that stretch is opened; empty when nobody said where calls are."""
    at = max((shown.costly.moment.at_s or 0.0) - 2, 0.0)
    return link.replace("{call}", quote(shown.costly.call.id)).replace("{at}", f"{at:.1f}") if link else ""


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("phrasecheck.report", "templates/feedback"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "zh": chinese,
        "amount": amount,
        "standing": STANDINGS.__getitem__,
        "cell": cell,
        "kind": lambda block: type(block).__name__,
    }
    return environment


@cache
def _css() -> str:
    return (files("phrasecheck.report") / "templates/feedback/feedback.css").read_text(encoding="utf-8")
