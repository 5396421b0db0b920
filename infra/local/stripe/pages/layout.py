"""The frame that all pages share: one style sheet, inline, and nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { color-scheme: light; --ink: #17262b; --soft: #5b6f75; --line: #d9e2e4; --accent: #0f4c5c; --bad: #9b1c1c; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f7f7; color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 4rem auto; padding: 2rem; background: #fff; border: 1px solid var(--line);
  border-radius: 12px; }
main.wide { max-width: 76rem; margin: 2rem auto; }
h1 { font-size: 1.35rem; margin: 0 0 1rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p.note, small, .soft { color: var(--soft); }
p.problem { color: var(--bad); border-left: 3px solid var(--bad); padding-left: .75rem; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
td, th { padding: .4rem .5rem .4rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
td.amount, th.amount { text-align: right; white-space: nowrap; }
.scroll { overflow-x: auto; }
code, pre { font: .85em/1.5 ui-monospace, monospace; } pre { overflow-x: auto; }
main.wide td { white-space: nowrap; } main.wide h2 .soft { font-weight: 400; }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input { width: 100%; padding: .6rem .7rem; font: inherit; border: 1px solid #9fb2b7; border-radius: 8px; }
button { width: 100%; margin-top: 1.25rem; padding: .7rem; font: inherit; font-weight: 600; color: #fff;
  background: var(--accent); border: 0; border-radius: 8px; cursor: pointer; }
button.plain { background: #fff; color: var(--accent); border: 1px solid var(--accent); margin-top: .6rem; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid #6fb3c4; outline-offset: 2px; }
a { color: var(--accent); }
.badge { display: inline-block; padding: 0 .5rem; border-radius: 6px; background: #fdf1d3; font-size: .8rem; }
"""


def document(title: str, content: str, *, wide: bool = False) -> str:
    """Wrap ``content``, which is HTML already, into a whole page; ``title`` is text."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main{' class=wide' if wide else ''}>{content}</main></body></html>"
    )


@dataclass(frozen=True)
class Link:
    """A text that leads somewhere."""

    text: str
    path: str


def table(headings: list[str], rows: Sequence[Sequence[str | Link]]) -> str:
    """Write a table of plain texts and links."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    if not rows:
        body = f'<tr><td class="soft" colspan="{len(headings)}">none yet</td></tr>'
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(cell: str | Link) -> str:
    if isinstance(cell, str):
        return escape(cell)
    return f'<a href="{escape(cell.path)}">{escape(cell.text)}</a>'
