"""The alarms on jobs watch what the dispatcher prints; bounces find their way to the function that takes them."""

from __future__ import annotations

import json

from functions.dispatcher import handler as dispatcher
from infra.constructs import alarms
from tests.infra.assembly import Assembly


def test_each_alarm_speaks_to_the_topic_and_says_what_to_do(assembly: Assembly):
    (topic,) = assembly.of_type("AWS::SNS::Topic")

    found = assembly.of_type("AWS::CloudWatch::Alarm").values()

    assert len(found) == 3
    for alarm in found:
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]
        assert len(alarm["Properties"]["AlarmDescription"]) > 20


def test_silence_of_the_dispatcher_is_an_alarm(assembly: Assembly):
    waits = [
        alarm["Properties"]
        for alarm in assembly.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("MetricName") == "JobQueueAge"
    ]

    assert [alarm["TreatMissingData"] for alarm in waits] == ["breaching"]


def test_the_alarms_watch_the_namespace_that_the_dispatcher_prints_in():
    assert alarms.NAMESPACE == dispatcher._NAMESPACE


def test_bounces_of_this_deployments_mail_reach_the_function(assembly: Assembly):
    (configuration_set,) = assembly.of_type("AWS::SES::ConfigurationSet")
    (rule,) = assembly.of_type("AWS::Events::Rule").values()

    pattern = rule["Properties"]["EventPattern"]
    (target,) = rule["Properties"]["Targets"]

    assert pattern["source"] == ["aws.ses"]
    assert pattern["detail-type"] == ["Email Bounced", "Email Complaint Received"]
    assert pattern["detail"]["mail"]["tags"]["ses:configuration-set"] == [{"Ref": configuration_set}]
    assert target["Arn"]["Fn::GetAtt"][0] == assembly.logical_id("mail_feedback")
    assert "DeadLetterConfig" in target


def test_mail_is_sent_with_the_configuration_set_that_tells_of_bounces(assembly: Assembly):
    (configuration_set,) = assembly.of_type("AWS::SES::ConfigurationSet")
    (destination,) = assembly.of_type("AWS::SES::ConfigurationSetEventDestination").values()

    told = assembly.environment("job_worker")["KEYWRIGHT_MAIL_CONFIGURATION_SET"]
    allowed = json.dumps(assembly.resources_allowed("job_worker", "ses:SendEmail"))

    assert told == {"Ref": configuration_set}
    assert configuration_set in allowed
    assert destination["Properties"]["EventDestination"]["MatchingEventTypes"] == ["BOUNCE", "COMPLAINT"]
