"""The alarms on jobs watch what the dispatcher prints; bounces find their way to the function that takes them."""

from __future__ import annotations

import inspect
import json
import re

from functions.dispatcher import measuring
from infra.constructs import alarms
from infra.constructs.packaging import ROOT
from tests.architecture import documents
from tests.infra.assembly import Assembly


def test_each_alarm_speaks_to_the_topic_and_says_what_to_do(assembly: Assembly):
    (topic,) = assembly.of_type("AWS::SNS::Topic")

    found = assembly.of_type("AWS::CloudWatch::Alarm").values()

    # A deployment whose database may sleep has no minute's figures of which to say that nothing moves.
    assert len(found) == len(alarms.ALARMS) - 1
    for alarm in found:
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]


def test_each_alarm_names_a_page_of_the_runbook_that_is_there(assembly: Assembly):
    described = [alarm["Properties"]["AlarmDescription"] for alarm in assembly.of_type("AWS::CloudWatch::Alarm").values()]

    assert missing_pages(described, (ROOT / alarms.RUNBOOK).read_text()) == []
    assert {alarm.page for alarm in alarms.ALARMS} <= set(documents.anchors((ROOT / alarms.RUNBOOK).read_text()))


def test_an_alarm_without_a_page_is_noticed():
    described = ["Something is wrong. docs/runbook.md#gone", "Something else.", "Fine. docs/runbook.md#there-it-is"]

    assert missing_pages(described, "# Runbook\n\n## There it is\n") == described[:2]


def missing_pages(described: list[str], runbook: str) -> list[str]:
    """Return the descriptions that end without the address of a page that exists."""
    pages = {f"{alarms.RUNBOOK}#{heading}" for heading in documents.anchors(runbook)}
    return [text for text in described if text.rpartition(" ")[2] not in pages]


def test_every_figure_of_ours_that_is_watched_is_printed(assembly: Assembly):
    watched = set()
    for alarm in assembly.of_type("AWS::CloudWatch::Alarm").values():
        properties = alarm["Properties"]
        if properties.get("Namespace") == alarms.NAMESPACE:
            watched.add(properties["MetricName"])

    assert watched == {
        "DriftOpen", "EventAge", "EventsDead", "JobQueueAge", "JobsDead", "PriceDrift", "ReconciliationAge",
    }  # fmt: skip
    assert watched <= set(re.findall(r'_metric\("(\w+)"', inspect.getsource(measuring)))


def test_silence_of_the_dispatcher_is_an_alarm(assembly: Assembly):
    waits = [
        alarm["Properties"]
        for alarm in assembly.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("MetricName") == "JobQueueAge"
    ]

    assert [alarm["TreatMissingData"] for alarm in waits] == ["breaching"]


def test_the_alarms_watch_the_namespace_that_the_dispatcher_prints_in():
    assert alarms.NAMESPACE == measuring.NAMESPACE


def test_bounces_of_this_deployments_mail_reach_the_function(assembly: Assembly):
    (configuration_set,) = assembly.of_type("AWS::SES::ConfigurationSet")
    (rule,) = assembly.of_type("AWS::Events::Rule").values()

    pattern = rule["Properties"]["EventPattern"]
    (target,) = rule["Properties"]["Targets"]

    assert pattern["source"] == ["aws.ses"]
    assert pattern["detail-type"] == ["Email Bounced", "Email Complaint Received"]
    assert pattern["detail"]["mail"]["tags"]["ses:configuration-set"] == [{"Ref": configuration_set}]
    assert target["Arn"] == assembly.called("mail_feedback")
    assert "DeadLetterConfig" in target


def test_mail_is_sent_with_the_configuration_set_that_tells_of_bounces(assembly: Assembly):
    (configuration_set,) = assembly.of_type("AWS::SES::ConfigurationSet")
    (destination,) = assembly.of_type("AWS::SES::ConfigurationSetEventDestination").values()

    told = assembly.environment("job_worker")["KEYWRIGHT_MAIL_CONFIGURATION_SET"]
    allowed = json.dumps(assembly.resources_allowed("job_worker", "ses:SendEmail"))

    assert told == {"Ref": configuration_set}
    assert configuration_set in allowed
    assert destination["Properties"]["EventDestination"]["MatchingEventTypes"] == ["BOUNCE", "COMPLAINT"]
