"""
What must outlive the region: a snapshot of the database each day, copied into another one.

The cluster's own continuous backup, which is younger, stays in the region; it is what one restores from otherwise.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra.constructs.settings import Settings

_MINUTE = "15"
"""Of the hour 3, UTC."""

_KEPT = cdk.Duration.days(14)


def vault_name(settings: Settings) -> str:
    """Return what the vault in the other region is called: both stacks know it without asking each other."""
    return f"keywright-{settings.deployment}-copies"


class Copies(Construct):
    """One plan: a snapshot a day, which is copied and then dropped here."""

    def __init__(self, scope: Construct, name: str, *, cluster: rds.DatabaseCluster, settings: Settings) -> None:
        super().__init__(scope, name)
        vault = backup.BackupVault(self, "Vault", removal_policy=cdk.RemovalPolicy.RETAIN)
        elsewhere = cdk.Stack.of(self).format_arn(
            service="backup",
            region=settings.backup_region,
            resource="backup-vault",
            resource_name=vault_name(settings),
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        plan = backup.BackupPlan(self, "Plan", backup_vault=vault)
        plan.add_rule(
            backup.BackupPlanRule(
                rule_name="daily",
                schedule_expression=events.Schedule.cron(hour="3", minute=_MINUTE),
                delete_after=cdk.Duration.days(1),
                copy_actions=[
                    backup.BackupPlanCopyActionProps(
                        destination_backup_vault=backup.BackupVault.from_backup_vault_arn(self, "There", elsewhere),
                        delete_after=_KEPT,
                    )
                ],
            )
        )
        plan.add_selection("Database", resources=[backup.BackupResource.from_arn(cluster.cluster_arn)])
