"""`python -m pymtcnn.demo`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main(prog="python -m pymtcnn.demo"))
