"""The alarms watch what the dispatcher prints; bounces find their way to the function that takes them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from functions.dispatcher import measuring
from infra.app import declared_context
from infra.constructs import alarms
from infra.constructs.packaging import ROOT
from infra.constructs.watching import NAMESPACE
from keywright.price_drift.rules import WATCHED
from tests.architecture import documents
from tests.functions.test_job_metrics import metrics
from tests.infra.assembly import Assembly


def test_each_alarm_speaks_to_the_topic_and_says_what_to_do(assembly: Assembly):
    (topic,) = assembly.of_type("AWS::SNS::Topic")

    found = assembly.of_type("AWS::CloudWatch::Alarm").values()

    # A deployment whose database may sleep has no minute's figures of which to say that nothing moves.
    assert len(found) == len(alarms.ALARMS) - 2
    for alarm in found:
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]


def test_every_alarm_is_in_the_large_deployment_but_the_one_on_its_single_way_out(large: Assembly):
    names = {re.sub(r"[0-9A-F]{8}$", "", name) for name in large.of_type("AWS::CloudWatch::Alarm")}

    listed = {f"Alarms{alarm.name.replace('-', '')}" for alarm in alarms.ALARMS}
    assert listed - names == {"AlarmsWayOut"}


def test_each_alarm_names_a_page_of_the_runbook_that_is_there(assembly: Assembly, large: Assembly):
    described = [
        alarm["Properties"]["AlarmDescription"]
        for each in (assembly, large)
        for alarm in each.of_type("AWS::CloudWatch::Alarm").values()
    ]

    assert described
    assert missing_pages(described, (ROOT / alarms.RUNBOOK).read_text()) == []


def test_an_alarm_without_a_page_is_noticed():
    described = ["Something is wrong. docs/runbook.md#gone", "Something else.", "Fine. docs/runbook.md#there-it-is"]

    assert missing_pages(described, "# Runbook\n\n## There it is\n") == described[:2]


def test_full_connections_are_seen_on_the_fullest_instance(large: Assembly):
    """The average over the cluster is half of the writer's where a reader has none."""
    (alarm,) = [
        each["Properties"]
        for each in large.of_type("AWS::CloudWatch::Alarm").values()
        if each["Properties"].get("MetricName") == "DatabaseConnections"
    ]

    assert alarm["Statistic"] == "Maximum"


def missing_pages(described: list[str], runbook: str) -> list[str]:
    """Return the descriptions that end without the address of a page that exists."""
    pages = {f"{alarms.RUNBOOK}#{heading}" for heading in documents.anchors(runbook)}
    return [text for text in described if text.rpartition(" ")[2] not in pages]


def test_where_the_dispatcher_comes_once_an_hour_figures_are_expected_no_sooner(assembly: Assembly, large: Assembly):
    def of(which: Assembly) -> tuple[int, int, int]:
        (alarm,) = alarms_on(which, "JobQueueAge")
        return alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]

    assert (of(assembly), of(large)) == ((3600, 2, 7380), (60, 5, 300))


def test_a_database_that_wakes_is_no_alarm_and_stops_no_deployment(assembly: Assembly, large: Assembly):
    """A page asks a dozen times within the quarter of a minute that it takes, and is answered 503."""
    lasts = [
        [each["EvaluationPeriods"] for each in alarms_on(which, "5xx") if each["Period"] == 300]
        for which in (assembly, large)
    ]

    assert lasts == [[2], [1]]


def test_a_price_that_differs_is_told_of_however_seldom_the_dispatcher_comes(assembly: Assembly, large: Assembly):
    """The figure looks back over two rounds of the slower dispatcher, so that no line falls between two of them."""
    for which in (assembly, large):
        (alarm,) = alarms_on(which, "PriceDrift")

        assert (alarm["Statistic"], alarm["EvaluationPeriods"]) == ("Maximum", 1)
        assert timedelta(seconds=2 * alarm["Period"]) < WATCHED


def test_silence_of_the_dispatcher_is_an_alarm(assembly: Assembly):
    waits = [
        alarm["Properties"]
        for alarm in assembly.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("MetricName") == "JobQueueAge"
    ]

    assert [alarm["TreatMissingData"] for alarm in waits] == ["breaching"]


def alarms_on(assembly: Assembly, metric: str) -> list[dict[str, Any]]:
    return [
        alarm["Properties"]
        for alarm in assembly.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("MetricName") == metric
    ]


def test_a_look_that_never_succeeded_or_is_late_is_an_alarm_for_each_kind(assembly: Assembly):
    late = alarms_on(assembly, "ReconciliationLag")

    limits = {dimensions(alarm)["kind"]: alarm["Threshold"] for alarm in late}
    assert limits == {
        "event-gap": 3 * 3600,
        "object-sweep": 13 * 3600,
        "license-sweep": 13 * 3600,
        "stuck-work": 3 * 3600,
    }
    assert {alarm["TreatMissingData"] for alarm in late} == {"breaching"}


@pytest.mark.parametrize(
    ("metric", "threshold", "missing"),
    [
        ("StripeEventsDead", 0, "ignore"),
        ("StripeEventsParkedAge", 86_400, "notBreaching"),
        ("StripeEventsWaitAge", 900, "notBreaching"),
        ("ReconciliationFailed", 0, "notBreaching"),
        ("DriftAge", 14 * 3600, "notBreaching"),
        ("PriceDrift", 0, "notBreaching"),
    ],
)
def test_what_waits_fails_or_stays_different_is_watched(large: Assembly, metric: str, threshold: int, missing: str):
    (alarm,) = alarms_on(large, metric)

    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (threshold, missing)
    assert dimensions(alarm)["kind"] == "all"


def test_drift_that_the_sweeps_find_is_an_alarm_and_an_event_that_is_only_late_is_none(large: Assembly):
    (alarm,) = [
        alarm["Properties"]
        for alarm in large.of_type("AWS::CloudWatch::Alarm").values()
        if any(part.get("Expression") == "objects + licenses" for part in alarm["Properties"].get("Metrics", ()))
    ]

    watched = {dimensions(part["MetricStat"]["Metric"])["kind"] for part in alarm["Metrics"] if "MetricStat" in part}
    assert watched == {"object-sweep", "license-sweep"}
    assert alarm["TreatMissingData"] == "notBreaching"


def test_every_metric_that_an_alarm_watches_is_printed(large: Assembly, invoke: Any, capsys: Any):
    """But for the lag of a look that never was: there the silence is what is watched."""
    invoke("dispatcher", {"do": "dispatch"})
    printed = set(metrics(capsys.readouterr().out))

    watched = {(metric["MetricName"], dimensions(metric)["kind"]) for metric in our_metrics(large)}
    assert {name for name, _ in watched - printed} == {"ReconciliationLag"}


def test_alarms_watch_the_figures_of_their_own_deployment_alone(large: Assembly):
    """Another one in the account prints the same, and would hide this one's silence."""
    own = declared_context()["keywright:deployment"]

    found = our_metrics(large)

    assert found
    assert {dimensions(metric)["deployment"] for metric in found} == {own}


def our_metrics(assembly: Assembly) -> list[dict[str, Any]]:
    """Return every metric of ours that an alarm watches, alone or as a part of an expression."""
    alarms = [alarm["Properties"] for alarm in assembly.of_type("AWS::CloudWatch::Alarm").values()]
    parts = [
        part["MetricStat"]["Metric"] for alarm in alarms for part in alarm.get("Metrics", ()) if "MetricStat" in part
    ]
    return [metric for metric in [*parts, *alarms] if metric.get("Namespace") == NAMESPACE]


def dimensions(metric: dict[str, Any]) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in metric["Dimensions"]}


def test_the_alarms_watch_the_namespace_that_the_dispatcher_prints_in():
    assert NAMESPACE == measuring.NAMESPACE


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
