"""
The secrets whose values only the vendor knows.

They are created without any value and filled by the operator: a value in the template would be readable there, and a
later deployment could put it back over the real one.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.manifest import Secret

FILLED_BY_OPERATOR = {
    Secret.STRIPE: "JSON {api_key, webhook_secrets: [whsec...]}",
    Secret.ACCESS_TOKEN_KEYS: "JSON {keys: [{kid, private_pem}]}, RSA 3072; the first signs, all verify",
    Secret.LICENSE_KEYS: "JSON {keys: [{kid, private_pem}]}, Ed25519; rotated by Keywright",
    Secret.AUDIT_KEYS: "JSON {keys: [{kid, key}]}, 32 bytes or more in base64; the first seals, all verify",
}

IRREPLACEABLE = frozenset({Secret.LICENSE_KEYS, Secret.AUDIT_KEYS})
"""What can be made by nobody a second time: licenses verify by these keys, and the audit log is sealed by them."""


class OperatorSecrets(Construct):
    """
    One empty secret each, kept when the stack goes: a lost license key cannot be made again.

    Beside them the one that nobody has to know: the distribution and the API share it.
    """

    def __init__(self, scope: Construct, name: str, *, copied_to: str | None) -> None:
        super().__init__(scope, name)
        self._copied_to = copied_to
        self.edge_key = secretsmanager.Secret(
            self,
            "EDGE",
            description="Keywright EDGE: JSON {key, previous?}, what the distribution says to the API",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}", generate_string_key="key", password_length=48, exclude_punctuation=True
            ),
        )
        by_operator = {secret: self._empty(secret, form) for secret, form in FILLED_BY_OPERATOR.items()}
        self.secret_arns = {**by_operator, Secret.EDGE: self.edge_key.secret_arn}

    def _empty(self, secret: Secret, form: str) -> str:
        replica = secretsmanager.CfnSecret.ReplicaRegionProperty
        resource = secretsmanager.CfnSecret(
            self,
            secret,
            description=f"Keywright {secret}: {form}",
            replica_regions=[replica(region=self._copied_to)] if self._copied_to and secret in IRREPLACEABLE else None,
        )
        resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        # The operator's commands find the secret by this output.
        cdk.CfnOutput(self, f"{secret}Arn", key=f"Secret{secret.replace('_', '')}", value=resource.ref)
        return resource.ref
