"""
Judge vectors with whichever copy of the verifier the path finds; the counterpart of ``batch.mjs``.
"""

import base64
import json
import sys
from pathlib import Path

from tests.unit.verifier.corpus import Vector
from tests.unit.verifier.judges import in_python

for line in sys.stdin:
    given = json.loads(line)
    vector = Vector("", base64.b64decode(given["token"]), at=given["at"], kind=given["kind"])
    sys.stdout.write(json.dumps(in_python(vector, Path(sys.argv[1]))) + "\n")
