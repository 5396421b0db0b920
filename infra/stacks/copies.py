"""The vault that copies of the database are kept in, as a stack of its own: it stands in the other region."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from constructs import Construct

from infra.constructs.copies import vault_name
from infra.constructs.settings import Settings


class CopiesStack(cdk.Stack):
    """One vault, which stays when the stack goes."""

    def __init__(self, scope: Construct, name: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            name,
            description="Keywright: copies of the database, for when its region is lost",
            env=cdk.Environment(region=settings.backup_region),
        )
        backup.BackupVault(
            self, "Vault", backup_vault_name=vault_name(settings), removal_policy=cdk.RemovalPolicy.RETAIN
        )
