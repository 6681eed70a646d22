"""One call as one HTML file that opens from disk, without a network: styles, script, drawing and sound are inside it.

In: a CallResult, the lexicon, the decoded recording if it may be heard. Out: the page. The one decision: the page's own security policy allows
nothing but its own style and script (by hash) and data: sounds, so neither a stray address nor a recognised «<script>» can do anything.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from phrasecheck.report import clips, labels
from phrasecheck.report.timeline import pin_title, timeline
from phrasecheck.report.view import hit_views, pieces
from phrasecheck.types import Audio, CallResult

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from phrasecheck.lexicon import Lexicon


def render(result: CallResult, lexicon: "Lexicon", audio: Audio | None = None) -> str:
    """The report as HTML. With `audio` the whole call, unless it is very long, and a clip for each hit are embedded."""
    from markupsafe import Markup

    views = hit_views(result, lexicon)
    spoken = result.transcript.utterances
    css, script = _asset("call.css"), _asset("call.js")
    template = _environment().get_template("call.html.j2")
    return template.render(
        result=result,
        call=result.call,
        name=Path(result.call.source).name or result.call.id,
        speakers=result.transcript.speakers,
        made=result.provenance,
        views=views,
        timeline=timeline(result, views),
        sound=clips.embed(audio, views) if audio else None,
        spoken=[(utterance, pieces(utterance, views)) for utterance in spoken],
        places={utterance.id: place for place, utterance in enumerate(spoken, 1)},
        css=Markup(css),
        script=Markup(script),
        policy=_policy(css, script),
    )


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("phrasecheck.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "ui": lambda key: _both(labels.pair(key)),
        "channel": lambda name: _both(labels.channel(name)),
        "zh": labels.chinese,
        "clock": labels.clock,
        "amount": labels.amount,
        "percent": labels.percent,
        "pin_title": pin_title,
    }
    return environment


def _both(pair: labels.Pair) -> "Markup":
    """A label in both languages; the page's switch hides one."""
    from markupsafe import Markup

    return Markup('<span class="zh">{}</span><span class="en" lang="en">{}</span>').format(*pair)


@cache
def _asset(name: str) -> str:
    return (files("phrasecheck.report") / "templates" / name).read_text(encoding="utf-8")


def _policy(css: str, script: str) -> str:
    return f"default-src 'none'; style-src {_hash(css)}; script-src {_hash(script)}; media-src data:; img-src data:; base-uri 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
