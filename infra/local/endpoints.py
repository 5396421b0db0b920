"""Where a running stack answers: what ``make dev`` writes for people, scripts and tests."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.state import write_private

FILE = "endpoints.json"


@dataclass(frozen=True)
class Endpoints:
    """Addresses and credentials of one stack."""

    api_url: str
    portal_url: str
    docs_url: str
    mailbox_url: str
    dns_url: str
    stripe_api_url: str
    stripe_api_key: str
    stripe_webhook_secret: str
    database_url: str
    manager_email: str
    manager_password: str

    def write(self, folder: Path) -> Path:
        """
        Write the file at once and for its owner alone: it holds passwords.
        """
        path = folder / FILE
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")
        return path


def read_endpoints(folder: Path) -> Endpoints:
    """Read what a running stack wrote."""
    return Endpoints(**json.loads((folder / FILE).read_text()))


def remove_endpoints(folder: Path) -> None:
    """Take the file away: nothing answers there any more."""
    (folder / FILE).unlink(missing_ok=True)
