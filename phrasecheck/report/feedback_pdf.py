"""A report as an A4 PDF with its Chinese font inside.

In: a Page. Out: bytes. The one decision: fpdf2, which is pure Python, sets the blocks itself and keeps of the font just the characters
used. HTML through WeasyPrint would need Pango from the system and printing through Chromium a browser on the server; both may be missing in
an insurer's closed network, a wheel is not.
"""

import logging
import re
from collections.abc import Iterable
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from phrasecheck import figures
from phrasecheck.feedback.reports import PhraseBlock, Practice, Shown
from phrasecheck.report.feedback_html import href, when
from phrasecheck.report.feedback_page import (
    STANDINGS,
    Block,
    Drawing,
    Examples,
    Grid,
    Moments,
    Numbers,
    Page,
    Phrases,
    Practise,
    Praise,
    Sign,
    Words,
    basis_lines,
    cell,
)
from phrasecheck.report.labels import amount, chinese
from phrasecheck.types import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timezone

    from fpdf import FPDF

INK, SOFT, RULE, GREEN = (29, 39, 51), (85, 97, 109), (213, 219, 225), (29, 107, 69)
SIDE, TOP, WIDTH = 16.0, 16.0, 178.0  # mm
FILLS = {Severity.MINOR: (255, 255, 255), Severity.MAJOR: (243, 211, 174), Severity.SEVERE: (124, 45, 18)}
OPENING, CLOSING = "（【《“‘", "，。、；：？！）】》”’·"
CELL = 1.0  # mm beside the words in a table
KEEP = 34.0  # mm that a heading wants below it


def render(page: Page, zone: "timezone", link: str = "") -> bytes:
    """The report as a PDF file."""
    sheet = Sheet(page, zone, link)
    sheet.title()
    for block in page.blocks:
        sheet.draw(block)
    sheet.basis()
    return bytes(sheet.pdf.output())


def _paper(footer: str) -> "FPDF":
    from fpdf import FPDF

    logging.getLogger("fontTools").setLevel(logging.ERROR)  # says of every table what it dropped from the font

    class Paper(FPDF):
        """A4 with a footer."""

        def footer(self) -> None:
            """What it is, and the number of the page."""
            self.set_y(-12)
            self.set_font("noto", size=8)
            self.set_text_color(*SOFT)
            self.cell(WIDTH / 2, 5, footer, align="L")
            self.cell(WIDTH / 2, 5, f"第 {self.page_no()} 页，共 {{nb}} 页", align="R")

    paper = Paper(format="A4")
    paper.add_font("noto", fname=figures.font())
    paper.set_margins(SIDE, TOP, SIDE)
    paper.set_auto_page_break(True, 15)
    paper.set_lang("zh-CN")
    return paper


class Sheet:
    """A PDF being written, from top to bottom."""

    def __init__(self, page: Page, zone: "timezone", link: str) -> None:
        self.page, self.zone, self.link = page, zone, link
        self.pdf = _paper(f"{page.kicker} · {page.title} · {page.subtitle}")
        self.pdf.set_title(f"{page.kicker} {page.title}")
        self.pdf.c_margin = 0
        self._long: dict[tuple[float, str], float] = {}  # a token in a size of the font
        self.pdf.add_page()

    def title(self) -> None:
        """The head of the first page."""
        self.text(self.page.kicker, 9.5, SOFT)
        self.text(self.page.title, 20, bold=True)
        self.text(self.page.subtitle, 10, SOFT, after=4)

    def draw(self, block: Block) -> None:
        """One block."""
        match block:
            case Numbers():
                self.numbers(block)
            case Words():
                self.heading(block.heading)
                for line in block.lines:
                    self.text(line)
            case Grid():
                self.grid(block)
            case Drawing():
                self.drawing(block)
            case Praise():
                self.praise(block)
            case Practise():
                self.practise(block)
            case Phrases():
                self.phrases(block)
            case Moments():
                self.moments(block)
            case Examples():
                self.examples(block)
            case Sign():
                self.sign(block)

    # --- the small parts -------------------------------------------------------------------------------------------------------

    def text(
        self,
        words: str,
        size: float = 10,
        colour: tuple[int, int, int] = INK,
        *,
        bold: bool = False,
        indent: float = 0,
        after: float = 1,
        url: str = "",
    ) -> None:
        """A paragraph."""
        self.pdf.set_font("noto", size=size)
        self.pdf.set_text_color(*colour)
        with self.weight(bold, colour):
            self.pdf.set_x(SIDE + indent)
            wrapped = self.wrapped(words, WIDTH - indent)
            self.pdf.multi_cell(WIDTH - indent, size * 0.55, wrapped, align="L", new_x="LMARGIN", new_y="NEXT", link=url)
        self.pdf.ln(after)

    @contextmanager
    def weight(self, bold: bool, colour: tuple[int, int, int]) -> "Iterator[None]":
        """The font has one weight; bold is drawn with an outline of its own colour."""
        if not bold:
            yield
            return
        with self.pdf.local_context(text_mode="FILL_STROKE", line_width=0.22, draw_color=colour):
            yield

    def heading(self, words: str) -> None:
        """A section begins; never as the last thing on a page."""
        self.room(KEEP)
        self.pdf.ln(3)
        self.text(words, 13, bold=True, after=0.5)
        y = self.pdf.get_y()
        self.pdf.set_draw_color(*RULE)
        self.pdf.set_line_width(0.3)
        self.pdf.line(SIDE, y, SIDE + WIDTH, y)
        self.pdf.ln(2.5)

    def room(self, height: float) -> None:
        """A new page unless so much is left on this one."""
        if self.pdf.will_page_break(height):
            self.pdf.add_page()

    def height(self, words: str, size: float, width: float) -> float:
        """Of a paragraph, in mm."""
        self.pdf.set_font("noto", size=size)
        return size * 0.55 * (self.wrapped(words, width).count("\n") + 1)

    def long(self, token: str) -> float:
        """How long a token is in the font that is set, in mm; a page repeats the same few hundred."""
        key = self.pdf.font_size_pt, token
        if key not in self._long:
            self._long[key] = self.pdf.get_string_width(token)
        return self._long[key]

    def wrapped(self, words: str, width: float) -> str:
        """Cut into lines of this width in the font that is set. The rule of Chinese setting: no line begins with a closing mark or ends with an opening one."""
        lines: list[list[str]] = [[]]
        used = 0.0
        for token in re.findall(r"[A-Za-z0-9.,:%/_-]+|.", words):
            long = self.long(token)
            if used + long > width - 0.1 and lines[-1]:
                down = _carried(lines[-1], token)
                lines.append(down)
                used = sum(map(self.long, down))
            lines[-1].append(token)
            used += long
        return "\n".join("".join(line) for line in lines)

    def box(self, label: str, words: str, x: float, width: float, fill: tuple[int, int, int], height: float, **style: Any) -> None:
        """A tinted box with a small label over its words."""
        y = self.pdf.get_y()
        self.pdf.set_fill_color(*fill)
        self.pdf.rect(x, y, width, height, style="F")
        self.pdf.set_xy(x + 3, y + 2)
        self.pdf.set_font("noto", size=8)
        self.pdf.set_text_color(*SOFT)
        self.pdf.cell(width - 6, 4, label)
        self.pdf.set_xy(x + 3, y + 6.5)
        self.pdf.set_font("noto", size=10)
        colour = style.get("colour", INK)
        self.pdf.set_text_color(*colour)
        with self.weight(style.get("bold", False), colour):
            self.pdf.multi_cell(width - 6, 5.5, self.wrapped(words, width - 6), align="L")
        self.pdf.set_xy(SIDE, y)

    # --- the blocks ------------------------------------------------------------------------------------------------------------

    def numbers(self, block: Numbers) -> None:
        """Side by side."""
        width, y = WIDTH / len(block.items), self.pdf.get_y()
        lowest = y
        for place, item in enumerate(block.items):
            x = SIDE + place * width
            for words, size, colour in ((item.label, 8.5, SOFT), (item.value, 17, INK), (item.small, 8, SOFT)):
                self.pdf.set_font("noto", size=size)
                self.pdf.set_text_color(*colour)
                with self.weight(size > 15, colour):
                    self.pdf.set_x(x)
                    wrapped = self.wrapped(words, width - 4)
                    self.pdf.multi_cell(width - 3, size * 0.5, wrapped, align="L", new_x="LEFT", new_y="NEXT")
            lowest = max(lowest, self.pdf.get_y())
            self.pdf.set_y(y)
        self.pdf.set_y(lowest + 2)

    def grid(self, block: Grid) -> None:
        """A table; its head is repeated on every page."""
        from fpdf.fonts import FontFace

        self.heading(block.heading)
        if block.note:
            self.text(block.note, 8.5, SOFT)
        if not block.rows:
            return
        self.pdf.set_font("noto", size=9)
        self.pdf.set_text_color(*INK)
        self.pdf.set_draw_color(*RULE)
        self.pdf.set_fill_color(255)
        text = [place in block.wide or place == 0 for place in range(len(block.columns))]
        widths = _widths(block)
        room = [WIDTH * width / sum(widths) - 2 * CELL for width in widths]
        with self.pdf.table(
            width=int(WIDTH),
            col_widths=widths,
            text_align=tuple("LEFT" if left else "RIGHT" for left in text),
            borders_layout="HORIZONTAL_LINES",
            headings_style=FontFace(color=SOFT),
            line_height=4.3,
            padding=(0.6, CELL),
            wrapmode="CHAR",
        ) as table:
            table.row(block.columns)
            for row in block.rows:
                table.row([self.wrapped(cell(value), width) for value, width in zip(row, room, strict=True)])
        self.pdf.ln(2)

    def drawing(self, block: Drawing) -> None:
        """A figure across the page."""
        svg = block.svg()
        height = _ratio(svg) * WIDTH
        self.room(height + 20)
        self.heading(block.heading)
        self.pdf.image(BytesIO(svg.encode()), x=SIDE, w=WIDTH, h=height, alt_text=block.says)
        self.pdf.ln(2)

    def praise(self, block: Praise) -> None:
        """What went well."""
        self.heading("做得好的地方")
        if block.clean:
            self.text(f"{block.calls} 通里有 {block.clean} 通没有一处违规。")
        for courtesy in block.courtesies:
            self.text(f"· {courtesy.says}，听到 {courtesy.count} 次。比如：“{courtesy.example.text}”", indent=2)
        if not block.courtesies:
            self.text("系统这期没有听到能认出来的关照客户的话。它只认得几类常见的说法，没认出来不等于没有说。", 8.5, SOFT)

    def practise(self, block: Practise) -> None:
        """Three sentences."""
        self.heading(block.heading)
        for number, practice in enumerate(block.sentences, 1):
            self.room(14)
            self.text(f"{number}. {practice.sentence}", 10.5, GREEN, bold=True, after=0.3)
            self.text(f"用来代替“{practice.phrase.text}”（{practice.phrase.id}，{practice.why}）", 8.5, SOFT, indent=5, after=1.5)

    def phrases(self, block: Phrases) -> None:
        """Each phrase with why, what to say, and its moments."""
        self.heading(block.heading)
        for phrase in block.blocks:
            self.phrase(phrase)

    def phrase(self, block: PhraseBlock) -> None:
        """One of them."""
        self.opening(
            block.phrase.text, block.phrase.severity, f"条款 {block.phrase.id} · {block.count} 处 · 共扣 {amount(block.points)} 分"
        )
        half = (WIDTH - 4) / 2
        height = max(self.height(words, 10, half - 6) for words in (block.phrase.why, block.better)) + 9
        self.room(height)
        self.box("为什么伤人", block.phrase.why, SIDE, half, (244, 246, 248), height)
        self.box("可以这样说", block.better, SIDE + half + 4, half, (233, 244, 238), height, colour=GREEN, bold=True)
        self.pdf.set_y(self.pdf.get_y() + height + 2)
        for shown in block.shown:
            self.moment(shown, full=False)
        if block.more:
            self.text(f"还有 {block.more} 处，见同名的 XLSX 明细。", 8.5, SOFT)
        self.pdf.ln(3)

    def opening(self, words: str, severity: Severity, facts: str) -> None:
        """A phrase's name, its severity in a little box, and figures."""
        self.room(44)
        self.text(words, 11, bold=True, after=0.3)
        self.pdf.set_font("noto", size=8)
        self.pdf.set_fill_color(*FILLS[severity])
        self.pdf.set_draw_color(*INK)
        self.pdf.set_text_color(*((255, 255, 255) if severity is Severity.SEVERE else INK))
        self.pdf.cell(11, 4.6, severity.value, border=1, fill=True, align="C")
        self.pdf.set_text_color(*SOFT)
        self.pdf.cell(0, 4.6, f"  {facts}", new_x="LMARGIN", new_y="NEXT")
        self.pdf.ln(1.5)

    def moments(self, block: Moments) -> None:
        """Single moments with all that belongs to them."""
        self.room(62)
        self.heading(block.heading)
        self.text(block.note if block.shown else "本期没有违规，值得保持。", 8.5, SOFT)
        for shown in block.shown:
            self.moment(shown, full=True)

    def moment(self, shown: Shown, *, full: bool) -> None:
        """When, what the customer said, what the agent said; in full also the better sentence."""
        costly = shown.costly
        facts = f"{when(shown, self.zone)} · {STANDINGS[costly.moment.standing]}"
        if full:
            fatal = "（一票否决）" if costly.finding.fatal else ""
            facts += f" · 条款 {costly.moment.phrase_id} · 扣 {amount(costly.finding.points)} 分{fatal}"
        self.dialogue(shown, facts, url=href(shown, self.link), full=full)

    def dialogue(self, shown: Shown, facts: str, *, url: str, full: bool) -> None:
        """The lines of a moment, kept on one page."""
        said = f"{shown.head}【{shown.quote}】{shown.tail}"
        lines = [("客户", shown.before), ("坐席", said), *([("改说", shown.better)] if full else [])]
        kept = [(who, words) for who, words in lines if words]
        self.room(6 + sum(self.height(words, 10, WIDTH - 12) + 0.6 for _, words in kept))
        self.text(facts + ("（点此打开）" if url else ""), 8.5, SOFT, after=0.2, url=url)
        for who, words in kept:
            self.pdf.set_font("noto", size=8.5)
            self.pdf.set_text_color(*SOFT)
            self.pdf.set_x(SIDE)
            self.pdf.cell(12, 5.5, who)
            self.pdf.set_x(SIDE)
            self.text(words, 10, GREEN if who == "改说" else INK, bold=who == "改说", indent=12, after=0.6)
        self.pdf.ln(1.6)

    def examples(self, block: Examples) -> None:
        """The coaching pack."""
        self.heading(block.heading)
        if not block.phrases:
            self.text("这一期没有可以选的例子。", 8.5, SOFT)
        for item in block.phrases:
            facts = f"条款 {item.phrase.id} · 本期 {item.found} 处，选 {len(item.examples)} 例"
            self.opening(item.phrase.text, item.phrase.severity, facts)
            self.text(item.phrase.why)
            for shown in item.examples:
                moment = shown.costly.moment
                self.dialogue(shown, f"{chinese(moment.role)} · {STANDINGS[moment.standing]}", url="", full=True)

    def sign(self, block: Sign) -> None:
        """A page of its own."""
        self.pdf.add_page()
        self.heading("面谈记录")
        self.text(f"坐席 {block.name} · {block.period}")
        self.text("这份报告我看过了，里面的通话我可以逐处回听；有不同意的，可以在规定的期限内申诉。", after=3)
        self.boxes(block.practise)
        for label in ("我的说明（有不同意见也写在这里）", "辅导人的话"):
            self.text(label, 11, bold=True)
            self.pdf.set_draw_color(*RULE)
            self.pdf.rect(SIDE, self.pdf.get_y(), WIDTH, 42)
            self.pdf.ln(47)
        self.pdf.ln(14)
        for place, label in enumerate(("坐席签名", "辅导人签名", "日期")):
            x, y = SIDE + place * 61, self.pdf.get_y()
            self.pdf.set_draw_color(*INK)
            self.pdf.line(x, y, x + 54, y)
            self.pdf.set_font("noto", size=8.5)
            self.pdf.set_text_color(*SOFT)
            self.pdf.text(x, y + 4.5, label)
        self.pdf.ln(8)

    def boxes(self, practices: Iterable[Practice]) -> None:
        """Sentences with a box to tick."""
        self.text("我这一周要练的", 11, bold=True)
        for practice in practices:
            self.pdf.set_draw_color(*INK)
            self.pdf.rect(SIDE, self.pdf.get_y() + 0.9, 3.6, 3.6)
            self.text(practice.sentence, indent=7, after=1.5)
        self.pdf.ln(3)

    def basis(self) -> None:
        """How the figures were made."""
        self.pdf.ln(3)
        lines = basis_lines(self.page.basis)
        self.room(7 + sum(self.height(line, 8, WIDTH) + 0.3 for line in lines))
        self.text("这份报告怎么来的", 10, SOFT, bold=True, after=0.5)
        for line in lines:
            self.text(line, 8, SOFT, after=0.3)


def _carried(line: list[str], token: str) -> list[str]:
    """What goes down with the token from the end of the line that is full; it is taken off."""
    down: list[str] = []
    while len(line) > 1 and ((not down and token in CLOSING) or (down and down[0] in CLOSING) or line[-1] in OPENING):
        down.insert(0, line.pop())
    return down


def _widths(block: Grid) -> tuple[int, ...]:
    """Columns as wide as what is in them; wide ones take the rest."""
    cells = [[column, *(str(row[place]) for row in block.rows)] for place, column in enumerate(block.columns)]
    longest = [max(sum(1.0 if ord(c) > 255 else 0.56 for c in cell) for cell in column) for column in cells]
    return tuple(int(10 * min(max(length, 2.5), 24)) + 12 for length in longest)


def _ratio(svg: str) -> float:
    """Height by width."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert found is not None
    return float(found[2]) / float(found[1])
