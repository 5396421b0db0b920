"""
Keywright as one CloudFormation stack, but for what faces the public.

One, because everything here is deployed and rolled back together: the schema, the code that needs it and the routes
that lead to the code. The topics are constructs; this module only connects them.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_events as events
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.api import Api, Domain
from infra.constructs.copies import Copies
from infra.constructs.dashboard import Dashboard
from infra.constructs.database import Database
from infra.constructs.deployments import Deployments
from infra.constructs.event_rules import EventRules
from infra.constructs.functions import Functions, Surroundings
from infra.constructs.mail import Mail
from infra.constructs.migration import FUNCTION as MIGRATION
from infra.constructs.migration import Migration
from infra.constructs.network import Network
from infra.constructs.queues import Queues, encrypted_queue
from infra.constructs.rotation import Rotation
from infra.constructs.schedules import Schedules
from infra.constructs.secrets import OperatorSecrets
from infra.constructs.settings import OWN_ENDPOINT, Settings
from infra.constructs.watching import Watched
from infra.manifest import FUNCTIONS, Permission, Secret

_TWO_WEEKS_S = 14 * 24 * 3600


class KeywrightStack(cdk.Stack):
    """One deployment for one vendor."""

    def __init__(self, scope: Construct, name: str, *, settings: Settings, stated: Mapping[str, str]) -> None:
        super().__init__(
            scope,
            name,
            description="Keywright: licensing and billing for self-hosted software",
            env=cdk.Environment(region=settings.region),
        )
        profile = settings.profile
        bus = events.EventBus(self, "EventBus", event_bus_name=settings.value("event_bus"))
        mail = Mail(self, "Mail", domain=settings.mail_domain, makes_identity=settings.makes_mail_identity)
        self.api = Api(self, "Api", origins=settings.cors_origins, domain=_api_domain(settings))
        self._network = Network(self, "Network", profile=profile, region=settings.region, image=settings.way_out_image)
        self._database = Database(self, "Database", network=self._network, profile=profile)
        if settings.backup_region:
            Copies(self, "Copies", cluster=self._database.cluster, settings=settings)
        secrets = OperatorSecrets(self, "Secrets", copied_to=settings.backup_region)
        self.edge_key = secrets.edge_key
        self._queues = Queues(self, "Queues")
        self._failures = encrypted_queue(self, "INVOCATIONS_DEAD", retention_s=_TWO_WEEKS_S)
        surroundings = Surroundings(
            deployment=settings.deployment,
            network=self._network,
            profile=profile,
            queues=self._queues,
            failures=self._failures,
            secret_arns={**self._database.secret_arns, **secrets.secret_arns},
            settings={
                **stated,
                "API_URL": _api_url(settings, self.api),
                "EVENT_BUS": bus.event_bus_name,
                "MAIL_CONFIGURATION_SET": mail.configuration_set_name,
            },
            permitted=self._permitted(mail, bus, secrets),
        )
        functions = Functions(self, "Functions", surroundings=surroundings)
        migration = Migration(self, "Migration", functions=functions, after=[self._network, self._database])
        Rotation(self, "Rotation", network=self._network, database=self._database, after=migration)
        self.api.route_to(functions)
        schedules = Schedules(self, "Schedules", functions=functions, profile=profile)
        rules = EventRules(self, "EventRules", functions=functions, details={"aws.ses": mail.event_detail})
        alarms = self._watch(settings, functions, schedules, rules)
        Deployments(self, "Deployments", functions=functions, alarms=alarms.stopping, gradual=settings.is_gradual)
        self._tell(alarms, api_url=surroundings.settings["API_URL"])

    def _tell(self, alarms: Alarms, *, api_url: str) -> None:
        """Name what other stacks and operators ask for."""
        # The stack before the API imports it until it has been updated itself, whatever this deployment says by then.
        self.export_value(self.api.api_id)
        cdk.CfnOutput(self, "AlarmTopic", value=alarms.topic.topic_arn)
        cdk.CfnOutput(self, "ApiUrl", value=api_url)

    def _permitted(self, mail: Mail, bus: events.EventBus, secrets: OperatorSecrets) -> Mapping[Permission, list[str]]:
        license_keys = [self.format_arn(service="kms", resource="key", resource_name="*")]
        return {
            Permission.SEND_MAIL: mail.resources,
            Permission.PUT_EVENTS: [bus.event_bus_arn],
            Permission.READ_LICENSE_KEYS: license_keys,
            Permission.SIGN_LICENSES: license_keys,
            Permission.ROTATE_LICENSE_KEYS: [secrets.secret_arns[Secret.LICENSE_KEYS]],
        }

    def _watch(self, settings: Settings, functions: Functions, schedules: Schedules, rules: EventRules) -> Alarms:
        unattended = [each for each in FUNCTIONS if not each.routes and each.name != MIGRATION]
        nat_instance = self._network.nat_instance
        watched = Watched(
            deployment=settings.deployment,
            profile=settings.profile,
            api_id=self.api.api_id,
            cluster=self._database.cluster,
            dead_letters=[*self._queues.dead_letters, schedules.dead_letters, rules.dead_letters, self._failures],
            unattended=[functions[each.name] for each in unattended],
            way_out=nat_instance.gateway_instances[0].instance_id if nat_instance else None,
        )
        alarms = Alarms(self, "Alarms", watched=watched)
        Dashboard(self, "Dashboard", title=self.stack_name, api_id=self.api.api_id, watched=alarms.metrics)
        return alarms


def _api_domain(settings: Settings) -> Domain | None:
    """Return the host under which API Gateway itself answers, where there is a certificate for it."""
    certificate = settings.api_certificate
    return Domain(settings.host("api_url"), certificate) if certificate else None


def _api_url(settings: Settings, api: Api) -> str:
    stated = settings.value("api_url")
    return api.endpoint if stated == OWN_ENDPOINT else stated
