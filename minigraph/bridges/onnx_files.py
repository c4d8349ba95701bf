"""ONNX files: read without trust, and their arrays, in the file or beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, numpy_helper

from ..errors import FileError, FormatError
from ..errors.words import printable
from ..graph.files import file_path, naming, read, shown
from .onnx_call import DTYPES
from .onnx_rules import type_name
from .translating import refusal

# The fields of a tensor that hold numbers; all others are in int32_data.
_FIELDS = {
    "float32": "float_data", "float64": "double_data", "int64": "int64_data",
    "uint32": "uint64_data", "uint64": "uint64_data",
}  # fmt: skip


class Source:
    """A model, and where its data lies.

    Attributes:
        model: what the file says.
        path: of the file; None for a model in memory that has none.
        most: how many bytes it may take, with the data beside it.
    """

    def __init__(self, model: Any, most: int) -> None:
        self.most = most
        self.path: Path | None = None
        self._taken = 0
        if isinstance(model, onnx.ModelProto):
            self.model = model
            return
        self.path = file_path(model)
        with naming(self.path, "read"):
            size = self.path.stat().st_size
        self._take(size, "it")
        self.model = onnx.ModelProto()
        try:
            self.model.ParseFromString(read(self.path))
        except DecodeError:
            raise FormatError("it is no ONNX file, or a part of one") from None
        if not self.model.HasField("graph"):
            raise FormatError("it holds no graph; perhaps it is no ONNX file")

    def _take(self, size: int, what: str) -> None:
        self._taken += size
        if self._taken > self.most:
            raise refusal(
                f"{what} holds {self._taken / 1e6:,.1f} MB, more than {self.most / 1e6:,.1f} MB",
                instead=f"if memory has three times as much, allow it with most={self._taken:_}",
            )

    def array(self, tensor: TensorProto) -> np.ndarray:
        """The numbers of a tensor.

        Raises:
            TranslationError: if a Node cannot hold their type.
            FormatError: if they do not fit their shape, or lie where they may not.
            FileError: naming the file beside this one that cannot be read.
        """
        name = f"the weight {printable(tensor.name)[:60]!r}" if tensor.name else "a constant"
        if tensor.data_type not in DTYPES:
            raise refusal(
                f"{name} holds {type_name(tensor.data_type)}, which minigraph has not",
                instead="it has float16, float32, float64, integers and booleans",
            )
        dtype, shape = np.dtype(DTYPES[tensor.data_type]), tuple(tensor.dims)
        if any(n < 0 for n in shape):
            raise FormatError(f"{name} has the shape {shape}")
        if tensor.data_location == TensorProto.EXTERNAL:
            data = self._beside(tensor, name, prod(shape) * dtype.itemsize)
            return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
        if tensor.HasField("raw_data"):
            wanted, held, what = prod(shape) * dtype.itemsize, len(tensor.raw_data), "bytes"
        else:
            field = _FIELDS.get(dtype.name, "int32_data")
            wanted, held, what = prod(shape), len(getattr(tensor, field)), f"numbers in {field}"
        if held != wanted:
            raise FormatError(
                f"{name} is {dtype} of shape {shape!s:.100}, which is {wanted:,} {what}, and it "
                f"has {held:,}"
            )
        return numpy_helper.to_array(tensor)

    def _beside(self, tensor: TensorProto, name: str, size: int) -> bytes:
        """The bytes of a tensor that lie in another file, of the same folder or below."""
        where = {entry.key: entry.value for entry in tensor.external_data}
        place = where.get("location", "")
        if self.path is None:
            raise refusal(
                f"{name} lies in the file {printable(place)[:80]!r} beside the model",
                instead="give the path of the model's file",
            )
        folder = Path(os.path.realpath(self.path)).parent
        beside = folder / place
        is_inside = Path(os.path.realpath(beside)).is_relative_to(folder)
        if not place or Path(place).is_absolute() or not is_inside:
            raise FormatError(
                f"{name} lies in {printable(place)[:80]!r}, which is not in the folder of the file"
            )
        try:
            start = int(where.get("offset", 0))
            length = int(where.get("length", size))
        except ValueError:
            raise FormatError(f"{name} has an offset or a length that is no number") from None
        with self._of(name), naming(beside, "read"):
            if not beside.is_file():
                raise FileNotFoundError
            whole = beside.stat().st_size
        if start < 0 or length != size or start + size > whole:
            raise FormatError(
                f"{name} needs {size:,} bytes from {start:,} on of {printable(place)[:80]}, which "
                f"has {whole:,}"
            )
        self._take(size, "it, with the data beside it,")
        with self._of(name), naming(beside, "read"), beside.open("rb") as file:
            file.seek(start)
            return file.read(size)

    @contextmanager
    def _of(self, name: str) -> Iterator[None]:
        """Let an error of a file beside the model name the model and what lies there."""
        try:
            yield
        except FileError as error:
            told = type(error)(
                f"{shown_of(self.path)}: {name} lies beside it, and {error}; put this file there"
            )
            told.reason, told.errno, told.filename = error.reason, error.errno, error.filename
            raise told from None


def shown_of(model: Any) -> str:
    """What an error calls a model."""
    return "the model" if isinstance(model, onnx.ModelProto) else shown(file_path(model))
