"""``python -m infra.judges``: write the templates of both profiles, ask all three judges, exit 1 on an open finding."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from infra.judges import answers, checkov
from infra.judges.assemblies import synthesize_all, templates
from infra.judges.opinions import verdict

# The CDK names dependencies that CloudFormation would find by itself.
_LINT = ["--non-zero-exit-code", "error", "--ignore-checks", "W3005"]


def main() -> int:
    """Print what is open, judge by judge."""
    with tempfile.TemporaryDirectory(prefix="keywright-judged-") as name:
        folder = Path(name)
        open_findings = {"cdk-nag": verdict(synthesize_all(folder), answers.NAG)}
        found = templates(folder)
        command = [str(Path(sys.executable).with_name("cfn-lint")), *_LINT, "--", *map(str, found)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as lint:
            open_findings["checkov"] = verdict(checkov.ask(found), answers.CHECKOV)
            said, _ = lint.communicate()
        open_findings["cfn-lint"] = (said.splitlines() or ["it could not be run"]) if lint.returncode else []
    for judge, findings in open_findings.items():
        print(f"{judge}: {len(findings) or 'nothing'} open in {len(found)} templates")
        for finding in findings:
            print(f"  {finding}", file=sys.stderr)
    return 1 if any(open_findings.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
