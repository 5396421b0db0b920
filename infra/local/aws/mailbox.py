"""
The mailbox: every mail that moto's SES was given, newest first, for scripts as JSON and for people as a page.

It only reads. moto keeps no time of arrival, so the mailbox looks after each request and stamps what is new.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment
from moto.core.base_backend import BackendDict
from moto.ses.models import RawMessage, ses_backends
from werkzeug.wrappers import Request, Response

from infra.local.aws.mail import Mail, parse_mail

KEPT = 50_000
"""More than the longest of our runs sends: what is counted afterwards must not be forgotten meanwhile."""

SHOWN = 200
"""On the page, for people."""

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# A mail's own HTML is shown in a sandboxed frame, where it can run and load nothing of this page's.
PAGE = Environment(autoescape=True).from_string("""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Mailbox ({{ total }})</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430 }
  article { border: 1px solid #d5dae1; border-radius: 8px; margin: 1rem 0; padding: 1rem 1.25rem }
  h2 { font-size: 1.1rem; margin: 0 } p.meta { color: #5b6675; margin: .1rem 0 .8rem; font-size: .9rem }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: 0 }
  iframe { width: 100%; height: 18rem; border: 1px solid #e6e9ee; border-radius: 4px; margin-top: .5rem }
</style>
<h1>Mailbox</h1>
<p>Mail that Keywright sent on this machine, newest first. It left the machine for nobody.</p>
{% for mail in mails %}
<article>
  <h2>{{ mail.subject }}</h2>
  <p class="meta">to {{ mail.to }} · {{ mail.at }}</p>
  <pre>{{ mail.text | urlize(target="_blank", rel="noopener") }}</pre>
  {% if mail.html %}
  <details><summary>as HTML</summary><iframe sandbox srcdoc="{{ mail.html }}"></iframe></details>
  {% endif %}
</article>
{% else %}<p>No mail yet.</p>{% endfor %}
{% if older %}<p>{{ older }} older ones are in the JSON.</p>{% endif %}
</html>
""")


def render(mails: Sequence[Mail]) -> str:
    """Return the page of the newest mails, and how many there are besides."""
    return PAGE.render(mails=mails[:SHOWN], total=len(mails), older=len(mails[SHOWN:]))


class Mailbox:
    """
    The mails of every account and region of moto's SES.
    """

    def __init__(self, backends: BackendDict[Any] = ses_backends) -> None:
        self._backends = backends
        self._seen: dict[int, int] = {}
        self._mails: deque[Mail] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def newest_first(self) -> list[Mail]:
        """List every mail."""
        with self._lock:
            return list(reversed(self._mails))

    def collect(self) -> None:
        """
        Take in what arrived since the last look.
        """
        at = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            for regions in list(self._backends.values()):
                for backend in list(regions.values()):
                    messages = backend.sent_messages
                    # A reset of moto empties the list: then everything in it is new.
                    first = min(self._seen.get(id(backend), 0), len(messages))
                    self._seen[id(backend)] = len(messages)
                    for message in messages[first:]:
                        if isinstance(message, RawMessage):
                            self._mails.append(parse_mail(message.raw_data, recipients=message.destinations, at=at))

    def watching(self, app: WsgiApp) -> WsgiApp:
        """
        Wrap moto's application so that each request is followed by a look.
        """

        def watched(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            answer = app(environ, start_response)
            self.collect()
            return answer

        return watched

    def page(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """
        Answer a reader: JSON unless the reader asks for a page first.
        """
        request = Request(environ)
        if request.path != "/":
            return Response("not found\n", 404)(environ, start_response)
        if request.method not in {"GET", "HEAD"}:
            return Response("read only\n", 405, {"Allow": "GET"})(environ, start_response)
        mails = self.newest_first()
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            response = Response(render(mails), mimetype="text/html")
        else:
            response = Response(json.dumps([asdict(mail) for mail in mails]), mimetype="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)
