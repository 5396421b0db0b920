"""
Aurora MySQL 3, Serverless v2, and the credentials of its two users.

The code sets nothing per session, so the server's parameters are part of the design: UTC, READ COMMITTED, strict SQL
and no connection without TLS. The owner's user is made by RDS; the application's user is made by the first migration.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.constructs.network import Network
from infra.manifest import Secret
from infra.profiles import Profile

DATABASE_NAME = "keywright"
_APPLICATION_USER = "keywright_app"
_PORT = 3306

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
    # Exported below; without these two the exported log stays empty.
    "slow_query_log": "1",
    "long_query_time": "1",
}

# Left out of passwords: what a shell, an address or the rotation's own SQL would read as more than a character.
PLAIN_PASSWORD = " %+~`#$&*()|[]{}:;<>?!'/@\"\\=^,"


class Database(Construct):
    """The cluster, encrypted, backed up and protected from deletion; in the large profile with a reader and a pool."""

    def __init__(self, scope: Construct, name: str, *, network: Network, profile: Profile) -> None:
        super().__init__(scope, name)
        self._network, self._profile = network, profile
        self.cluster = self._cluster()
        self._application = rds.DatabaseSecret(
            self,
            "ApplicationSecret",
            username=_APPLICATION_USER,
            dbname=DATABASE_NAME,
            exclude_characters=PLAIN_PASSWORD,
        )
        # Migrations go to the cluster itself in either profile.
        self.cluster.connections.allow_default_port_from(network.functions)
        owner = self.cluster.secret
        assert owner is not None, "a cluster with generated credentials has a secret"
        # Attaching a secret adds the host and port that it leads to.
        application = self._application.attach(self.cluster)
        read: secretsmanager.ISecret = self._pooled() if profile.has_proxy else application
        self.secret_arns = {Secret.DATABASE: read.secret_arn, Secret.DATABASE_OWNER: owner.secret_arn}
        # The rotation knows of one secret: with a pool there are two, and only the owner's password is renewed by
        # itself.
        self.rotated = {"Owner": owner, **({} if profile.has_proxy else {"Application": application})}

    def _cluster(self) -> rds.DatabaseCluster:
        engine = rds.DatabaseClusterEngine.aurora_mysql(version=rds.AuroraMysqlEngineVersion.VER_3_10_4)
        profile = self._profile
        pauses_after = profile.pauses_after_s
        parameters = {
            **INSTANCE_PARAMETERS,
            "max_connections": str(profile.connections),
            "wait_timeout": str(profile.idle_s),
        }
        return rds.DatabaseCluster(
            self,
            "Cluster",
            engine=engine,
            parameter_group=rds.ParameterGroup(self, "ClusterParameters", engine=engine, parameters=CLUSTER_PARAMETERS),
            writer=rds.ClusterInstance.serverless_v2("writer", parameters=parameters),
            # Where there is a reader, it takes over if the writer's zone fails; so it grows with it.
            readers=[
                rds.ClusterInstance.serverless_v2(f"reader{number}", parameters=parameters, scale_with_writer=True)
                for number in range(1, profile.readers + 1)
            ],
            serverless_v2_min_capacity=profile.least_capacity,
            serverless_v2_max_capacity=profile.most_capacity,
            serverless_v2_auto_pause_duration=cdk.Duration.seconds(pauses_after) if pauses_after else None,
            vpc=self._network.vpc,
            vpc_subnets=self._network.database_subnets,
            default_database_name=DATABASE_NAME,
            credentials=rds.Credentials.from_generated_secret("keywright_owner", exclude_characters=PLAIN_PASSWORD),
            storage_encrypted=True,
            backup=rds.BackupProps(retention=cdk.Duration.days(profile.backup_days)),
            cloudwatch_logs_exports=["error", "slowquery"],
            copy_tags_to_snapshot=True,
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT,
        )

    def _pooled(self) -> secretsmanager.Secret:
        """
        Make the secret that leads functions to the pool, which itself signs in with the application's.

        Secrets Manager attaches no secret to a pool, so it is put together here; CloudFormation fills in the password.
        """
        proxy = self._proxy()
        proxy.connections.allow_from(self._network.functions, ec2.Port.tcp(_PORT), "From functions")
        plain = {"host": proxy.endpoint, "port": str(_PORT), "username": _APPLICATION_USER, "dbname": DATABASE_NAME}
        return secretsmanager.Secret(
            self,
            "PooledSecret",
            description="Keywright DATABASE: the application's user, by way of the pool",
            secret_object_value={
                **{key: cdk.SecretValue.unsafe_plain_text(value) for key, value in plain.items()},
                "password": self._application.secret_value_from_json("password"),
            },
        )

    def _proxy(self) -> rds.DatabaseProxy:
        return self.cluster.add_proxy(
            "Proxy",
            # Unique in the account and region, and CDK would call each of them "Proxy".
            db_proxy_name=cdk.Stack.of(self).stack_name,
            vpc=self._network.vpc,
            vpc_subnets=self._network.database_subnets,
            secrets=[self._application],
            require_tls=True,
            # Some stay free for migrations, rotation and an operator.
            max_connections_percent=90,
            borrow_timeout=cdk.Duration.seconds(3),
            idle_client_timeout=cdk.Duration.seconds(self._profile.idle_s),
        )
