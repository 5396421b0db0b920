"""
Aurora MySQL 3, Serverless v2, and the credentials of its two users.

The code sets nothing per session, so the server's parameters are part of the design: UTC, READ COMMITTED, strict SQL
and no connection without TLS. The owner's user is made by RDS; the application's user is made by the first migration.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra.constructs.network import Network
from infra.manifest import Secret

DATABASE_NAME = "keywright"

CLUSTER_PARAMETERS = {
    "time_zone": "UTC",
    "character_set_server": "utf8mb4",
    "collation_server": "utf8mb4_bin",
    "require_secure_transport": "ON",
}
INSTANCE_PARAMETERS = {
    # Below the client's own patience, so that a long wait is an error that the whole transaction can be repeated after.
    "innodb_lock_wait_timeout": "3",
    "transaction_isolation": "READ-COMMITTED",
    "sql_mode": "STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION",
}


class Database(Construct):
    """The cluster with one writer, encrypted, backed up for 14 days and protected from deletion."""

    def __init__(self, scope: Construct, name: str, *, network: Network) -> None:
        super().__init__(scope, name)
        engine = rds.DatabaseClusterEngine.aurora_mysql(version=rds.AuroraMysqlEngineVersion.VER_3_10_4)
        self.cluster = rds.DatabaseCluster(
            self,
            "Cluster",
            engine=engine,
            parameter_group=rds.ParameterGroup(self, "ClusterParameters", engine=engine, parameters=CLUSTER_PARAMETERS),
            writer=rds.ClusterInstance.serverless_v2("writer", parameters=INSTANCE_PARAMETERS),
            # 0 lets the cluster pause, which it does only without connections: the minute's dispatch keeps a running
            # deployment awake at the lowest step, and one whose schedules are disabled costs storage alone.
            serverless_v2_min_capacity=0,
            serverless_v2_max_capacity=8,
            serverless_v2_auto_pause_duration=cdk.Duration.minutes(10),
            vpc=network.vpc,
            vpc_subnets=network.database_subnets,
            default_database_name=DATABASE_NAME,
            credentials=rds.Credentials.from_generated_secret("keywright_owner"),
            storage_encrypted=True,
            backup=rds.BackupProps(retention=cdk.Duration.days(14)),
            copy_tags_to_snapshot=True,
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT,
        )
        self.cluster.connections.allow_default_port_from(network.functions)
        self.secret_arns = self._secret_arns()

    def _secret_arns(self) -> dict[Secret, str]:
        """Return the secrets of both users; attaching them to the cluster adds its host and port."""
        application = rds.DatabaseSecret(
            self, "ApplicationSecret", username="keywright_app", dbname=DATABASE_NAME
        ).attach(self.cluster)
        owner = self.cluster.secret
        assert owner is not None, "a cluster with generated credentials has a secret"
        return {Secret.DATABASE: application.secret_arn, Secret.DATABASE_OWNER: owner.secret_arn}
