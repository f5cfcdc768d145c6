"""The exceptions of this package.

Each is an `MtcnnError` and the built-in exception that fits its cause, so that callers may catch
either. The message is one sentence that names what is wrong and what to do about it. Warnings about
files that were read all the same are `MtcnnWarning`s.
"""

from __future__ import annotations


class MtcnnError(Exception):
    """Base of all exceptions that this package raises on purpose."""


class ArgumentError(MtcnnError, ValueError):
    """An argument or option is of the wrong kind or outside its range."""


class FileError(MtcnnError, OSError):
    """A file is missing, cannot be read or cannot be written."""


class CfgError(MtcnnError, ValueError):
    """A `.data` or `.cfg` file is not valid."""


class WeightsError(MtcnnError, ValueError):
    """A `.weights` file does not fit its `.cfg`."""


class ModelError(MtcnnError, ValueError):
    """Three networks that do not make a cascade, or no model is built in."""


class PictureError(MtcnnError, ValueError):
    """A file that is not a picture, or a damaged or too large one."""


class VideoError(MtcnnError, ValueError):
    """A file that is not a video, or a video or camera that stalls or breaks off."""


class OutOfMemoryError(MtcnnError, MemoryError):
    """Memory ran out."""


class LibraryError(MtcnnError, ImportError):
    """The compiled C core, or another library that is needed, cannot be loaded."""


class MtcnnWarning(UserWarning):
    """A file was read, but something about it is odd."""


class CfgWarning(MtcnnWarning):
    """A `.cfg` file was read, but something in it is odd, such as a key that is none."""


class PictureWarning(MtcnnWarning):
    """A picture file was read, but something about it is odd."""


class VideoWarning(MtcnnWarning):
    """A stream or camera stalled or broke off, and is connected again."""
