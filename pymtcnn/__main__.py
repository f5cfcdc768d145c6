"""`python -m pymtcnn`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main(prog="python -m pymtcnn"))
