"""
``keywright doctor``: looks at a deployment from the inside and says what is wrong, and what to do about it.

It reads the variables that the functions have, from this process's environment or, with ``--stack``, from the deployed
functions. It changes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from infra.cli import deployment
from infra.cli.examinations import aws, database, partners
from infra.cli.examinations.findings import Finding, Verdict
from keywright.platform.errors import KeywrightError

Examination = Callable[[], Iterable[Finding]]

EXAMINATIONS: dict[str, Examination] = {
    "secrets": aws.secrets_hold_what_they_should,
    "database": database.answers_and_is_set_up,
    "schema": database.is_migrated,
    "clock": database.tells_the_same_time,
    "schedules": database.is_visited_by_schedules,
    "stuck": database.holds_nothing_that_was_given_up,
    "queues": aws.queues_flow,
    "mail": aws.mail_may_be_sent,
    "Stripe": partners.stripe_knows_us,
    "API": partners.the_api_answers,
}


def add_command(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("--stack", metavar="NAME", help="take the variables from the functions of this stack")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.stack:
        deployment.adopt(arguments.stack)
    findings = list(examine(EXAMINATIONS))
    for finding in findings:
        print(finding)
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    print("The deployment is healthy." if not wrong else f"{wrong} of {len(findings)} are wrong.")
    return 1 if wrong else 0


def examine(examinations: dict[str, Examination]) -> Iterable[Finding]:
    """Carry out each examination; one that cannot be finished is a finding itself, and stops no other."""
    for name, examination in examinations.items():
        try:
            yield from examination()
        except KeywrightError as problem:
            yield Finding.wrong(name, f"{problem.title}. {problem.detail}")
        except deployment.AWS_FAILURES as problem:
            yield Finding.wrong(name, f"AWS refuses: {problem}")
