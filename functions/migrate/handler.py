"""Brings the schema up to date at deploy, before the new code takes traffic. An exception stops the deployment."""

from __future__ import annotations

from typing import Any

from keywright.platform import log, migrations, secrets


def handler(_event: object, _context: Any) -> dict[str, list[str]]:
    """Apply the missing migrations and renew the application user's grants."""
    applied = migrations.migrate(secrets.read("DATABASE_OWNER"), secrets.read("DATABASE"))
    log.info("migrated", applied=applied)
    return {"applied": applied}
