"""
Lets ``python -m keywright_verify`` run the command.
"""

import sys

from keywright_verify.cli import main

sys.exit(main())
