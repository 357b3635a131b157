"""Entry of ``python -m rnncast``: the same program as the command ``rnncast``."""

import sys

from rnncast.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
