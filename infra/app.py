"""
The CDK entry point: the manifest becomes one CloudFormation stack, what faces the public another, and the firewall a
third where it is wanted, as is what outlives the region.

Run it from the repository's root, as ``python -m infra.app``: started as a file it would put ``infra/`` first on
the module path, where our ``constructs`` hides the library of that name. It needs no account, no Docker and no
CDK command line; ``CDK_OUTDIR`` says where the cloud assembly goes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from infra.constructs.packaging import ROOT
from infra.constructs.settings import MissingContext, Settings
from infra.constructs.stated import stated_settings
from infra.stacks.copies import CopiesStack
from infra.stacks.edge import EdgeStack
from infra.stacks.firewall import FirewallStack
from infra.stacks.keywright import KeywrightStack


def declared_context() -> dict[str, Any]:
    """Return the context of cdk.json, which the CDK command line would pass and plain Python would not."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def build(context: Mapping[str, Any], *, outdir: str | None = None) -> cdk.App:
    """
    Compose the app. What the CDK command line was given (``-c name=value``) wins over ``context``.

    :raises MissingContext: naming the first value that a deployment has to state and has not
    """
    app = cdk.App(context=dict(context), outdir=outdir)
    settings = Settings(app.node)
    # First of all, for the stacks' own names are made of one of them.
    stated = stated_settings(settings)
    name = f"keywright-{settings.deployment}"
    stack = KeywrightStack(app, name, settings=settings, stated=stated)
    firewall = FirewallStack(app, f"{name}-firewall").acl_arn if settings.has_firewall else None
    if settings.backup_region:
        stack.add_stack_dependency(CopiesStack(app, f"{name}-copies", settings=settings), "copies go into its vault")
    EdgeStack(app, f"{name}-edge", settings=settings, behind=stack, firewall=firewall)
    return app


if __name__ == "__main__":
    try:
        build(declared_context()).synth()
    except MissingContext as missing:
        sys.exit(str(missing))
