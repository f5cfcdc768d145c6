"""The web demo: a page for trying the detector out, served on this machine."""

from .command import main

__all__ = ["main"]
