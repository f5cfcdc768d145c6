"""What a program needs to be installed."""

from __future__ import annotations

import importlib.util

_PACKAGES = {"cv2": "opencv-python-headless", "PIL": "pillow"}
"""Those whose name is not the one that they are imported by."""


def require(prog: str, *modules: str) -> None:
    """End the program with one clear line if one of `modules` is not installed."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    packages = [_PACKAGES.get(module, module) for module in missing]
    if missing:
        raise SystemExit(
            f"{prog}: not installed: {', '.join(missing)}; `bash make_install.sh` makes a .venv"
            f" with all that is needed (or: pip install {' '.join(packages)})"
        )
