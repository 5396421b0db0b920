"""The portal's files: a bucket that nobody but the distribution reads, filled at each deployment."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from infra.constructs.packaging import ROOT


class Portal(Construct):
    """The bucket. It holds nothing that the repository does not, so it goes with the stack."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.bucket = s3.Bucket(
            self,
            "Files",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
            lifecycle_rules=[s3.LifecycleRule(noncurrent_version_expiration=cdk.Duration.days(30))],
        )

    def publish(self, distribution: cloudfront.IDistribution) -> None:
        """Copy the files, and have the distribution forget those before."""
        log = logs.LogGroup(
            self, "CopyLog", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        deployment.BucketDeployment(
            self,
            "Copy",
            sources=[deployment.Source.asset(str(ROOT / "portal"))],
            destination_bucket=self.bucket,
            distribution=distribution,
            distribution_paths=["/*"],
            cache_control=[deployment.CacheControl.from_string("public, max-age=300, must-revalidate")],
            log_group=log,
        )
