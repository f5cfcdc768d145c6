"""Arrays of a file that joblib wrote, `joblib.dump([array, ...], "x.lz4")`: without joblib.

Such a file is a pickle in an LZ4 frame, in which the numbers of each array follow its description.
To unpickle it would be to run what code it names. So the few opcodes that such a list needs are
followed here, on a stack of plain values; what else the pickle names or does is refused.
"""

from __future__ import annotations

import io
import math
import pickletools
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from pymtcnn.errors import FileError, LibraryError

_MAGIC = b"\x04\x22\x4d\x18"  # of LZ4 frames
_LARGEST = 1 << 28  # bytes of a file, decompressed: as many as a network's weights may have

_WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
_ARRAY, _DTYPE = "numpy.ndarray", "numpy.dtype"

# What following a damaged pickle, or a hostile one, may raise.
_WRONG = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass
class _Made:
    """What the pickle wants to be made by calling `name`: it stays a description."""

    name: str
    arguments: tuple
    state: Any = None


def read_arrays(content: bytes, name: str) -> list[np.ndarray]:
    """Read a list of arrays; no code of the file is run.

    Parameters
    ----------
    content
        The whole file.
    name
        Its name in messages.

    Returns
    -------
    The arrays, of float32 or float64 and any shape.

    Raises
    ------
    FileError
        If it is not joblib's, not whole, or holds more than a list of such arrays.
    LibraryError
        If the package lz4 is not installed.
    """
    stream = io.BytesIO(_decompress(content, name))
    try:
        arrays = _follow(stream, name)
    except _WRONG as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError(f"{name}: not a whole file of joblib's: {reason}") from error
    if not isinstance(arrays, list) or not all(isinstance(one, np.ndarray) for one in arrays):
        raise FileError(f"{name}: holds more or other things than a list of arrays")
    return arrays


def _decompress(content: bytes, name: str) -> bytes:
    try:
        import lz4.frame  # here: other importers do without
    except ImportError as error:
        raise LibraryError(f"{name}: to read it takes lz4 ({error}); pip install lz4") from error
    if not content.startswith(_MAGIC):
        raise FileError(f"{name}: not compressed by LZ4")
    frame = lz4.frame.LZ4FrameDecompressor()
    try:
        whole = frame.decompress(content, max_length=_LARGEST)
    except RuntimeError as error:
        raise FileError(f"{name}: its LZ4 frame is damaged: {error}") from error
    if not frame.eof:
        fault = "is cut off" if frame.needs_input else f"holds more than {_LARGEST} bytes"
        raise FileError(f"{name}: its LZ4 frame {fault}")
    return whole


def _follow(stream: io.BytesIO, name: str) -> Any:
    """The value that the pickle builds (protocols 4 and 5)."""
    stack: list[Any] = []
    memo: list[Any] = []
    marks: list[int] = []  # where on the stack the items of a list, a tuple or a dict begin
    pop, push = stack.pop, stack.append

    def items() -> list:
        start = marks.pop()
        found = stack[start:]
        del stack[start:]
        return found

    argument: Any
    for opcode, argument, _ in pickletools.genops(stream):
        match opcode.name:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "BININT" | "BININT1" | "BININT2" | "SHORT_BINUNICODE":
                push(argument)
            case "NONE":
                push(None)
            case "NEWTRUE" | "NEWFALSE":
                push(opcode.name == "NEWTRUE")
            case "MEMOIZE":
                memo.append(stack[-1])
            case "BINGET" | "LONG_BINGET":
                push(memo[argument])
            case "MARK":
                marks.append(len(stack))
            case "EMPTY_TUPLE":
                push(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(opcode.name[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "TUPLE":
                push(tuple(items()))
            case "EMPTY_LIST":
                push([])
            case "APPEND":
                value = pop()
                stack[-1].append(value)
            case "APPENDS":
                values = items()
                stack[-1].extend(values)
            case "EMPTY_DICT":
                push({})
            case "SETITEMS":
                values = items()
                if not all(type(key) is str for key in values[::2]):
                    raise ValueError("a key that is no text")
                stack[-1].update(zip(values[::2], values[1::2], strict=True))
            case "STACK_GLOBAL":
                function, module = pop(), pop()
                if not type(function) is type(module) is str:
                    raise ValueError("a name that is no text")
                wanted = f"{module}.{function}"
                if wanted not in (_WRAPPER, _ARRAY, _DTYPE):
                    raise FileError(f"{name}: refused: its pickle names {wanted}")
                push(_Made(wanted, ()))
            case "NEWOBJ" | "REDUCE":
                arguments, made = pop(), pop()
                push(_Made(made.name, arguments))
            case "BUILD":
                state, made = pop(), pop()
                made.state = state
                push(_array(made.state, stream) if made.name == _WRAPPER else made)
            case other:
                raise FileError(f"{name}: refused: its pickle has the opcode {other}")
    return pop()


def _array(state: dict, stream: io.BytesIO) -> np.ndarray:
    """The array that `state` describes; its numbers come next in the stream."""
    shape, dtype = state["shape"], state["dtype"]
    code, order = dtype.arguments[0], dtype.state[1]
    if state["subclass"].name != _ARRAY or dtype.name != _DTYPE or code not in ("f4", "f8"):
        raise ValueError("an array of another type than f4 and f8")
    if order not in ("<", ">") or state["order"] not in ("C", "F"):
        raise ValueError("an array of an unknown order")
    if not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("an array of a shape that is none")
    if state.get("numpy_array_alignment_bytes") is not None:
        stream.read(stream.read(1)[0])  # filled up, and by how much
    dtype = np.dtype(order + code)
    size = math.prod(shape) * dtype.itemsize
    numbers = stream.read(size)
    if len(numbers) != size:
        raise ValueError(f"{len(numbers)} bytes of an array of {size}")
    return np.frombuffer(numbers, dtype).reshape(shape, order=state["order"])
