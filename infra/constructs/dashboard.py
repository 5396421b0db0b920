"""One page of CloudWatch with every figure that an alarm watches, and how much the API is asked."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

_WIDTH, _IN_A_ROW = 8, 3


class Dashboard(Construct):
    """A graph per alarm, after those of the API's traffic."""

    def __init__(
        self, scope: Construct, name: str, *, title: str, api_id: str, watched: Mapping[str, cloudwatch.IMetric]
    ) -> None:
        super().__init__(scope, name)
        graphs = [_requests(api_id), _latency(api_id), *(_graph(alarm, metric) for alarm, metric in watched.items())]
        rows = [graphs[start : start + _IN_A_ROW] for start in range(0, len(graphs), _IN_A_ROW)]
        cloudwatch.Dashboard(self, "Page", dashboard_name=title, widgets=rows)


def _graph(title: str, metric: cloudwatch.IMetric) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, width=_WIDTH, left=[metric])


def _requests(api_id: str) -> cloudwatch.IWidget:
    counts = [_of_api(api_id, name, "Sum") for name in ("Count", "4xx", "5xx")]
    return cloudwatch.GraphWidget(title="Requests", width=_WIDTH, left=counts)


def _latency(api_id: str) -> cloudwatch.IWidget:
    percentiles = [_of_api(api_id, "Latency", statistic) for statistic in ("p50", "p99")]
    return cloudwatch.GraphWidget(title="Latency", width=_WIDTH, left=percentiles)


def _of_api(api_id: str, name: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name=name,
        dimensions_map={"ApiId": api_id},
        statistic=statistic,
        period=cdk.Duration.minutes(5),
    )
