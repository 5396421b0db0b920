"""New passwords for the database's users every month, by the function that Secrets Manager provides for it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.constructs.database import PLAIN_PASSWORD, Database
from infra.constructs.network import Network


class Rotation(Construct):
    """
    One schedule per user. The first time is a month after the deployment, when the migration has made them all.

    Code that meets a refused password reads its secret anew, so nobody notices.
    """

    def __init__(self, scope: Construct, name: str, *, network: Network, database: Database, after: Construct) -> None:
        super().__init__(scope, name)
        for user, secret in database.rotated.items():
            schedule = secretsmanager.RotationSchedule(
                self,
                user,
                secret=secret,
                hosted_rotation=secretsmanager.HostedRotation.mysql_single_user(
                    vpc=network.vpc,
                    vpc_subnets=network.function_subnets,
                    security_groups=[network.functions],
                    exclude_characters=PLAIN_PASSWORD,
                ),
                automatically_after=cdk.Duration.days(30),
                rotate_immediately_on_update=False,
            )
            schedule.node.add_dependency(after)
