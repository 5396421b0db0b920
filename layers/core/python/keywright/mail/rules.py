"""The shape of every mail: a greeting, paragraphs, at most one link, a closing line."""

from __future__ import annotations

from html import escape

from keywright.mail.models import Mail

_PAGE = """\
<!doctype html><html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto">
{parts}
</body></html>
"""


def compose(
    *, to: str, subject: str, greeting: str, paragraphs: list[str], link: tuple[str, str] | None = None
) -> Mail:
    """Return a mail; ``link`` is (label, address). Everything is escaped in the HTML body."""
    lines = [greeting, *paragraphs]
    parts = [f"<p>{escape(line)}</p>" for line in lines]
    if link is not None:
        label, address = link
        lines.append(f"{label}: {address}")
        parts.append(f'<p><a href="{escape(address)}">{escape(label)}</a></p>')
    return Mail(to=to, subject=subject, text="\n\n".join(lines) + "\n", html=_PAGE.format(parts="\n".join(parts)))
