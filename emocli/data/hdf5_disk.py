"""The file below an HDF5 file that is written: on a full disk HDF5 itself crashes, so it is not told of it."""

import io
from typing import Any


class Disk(io.FileIO):
    """A file to give to h5py. What comes after a write that failed is dropped; `check` says so."""

    _fault: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of `data`, or keep the reason why that can't be."""
        view = memoryview(data).cast("B")
        size = len(view)
        try:
            while view and self._fault is None:
                view = view[super().write(view) :]
        except OSError as fault:
            self._fault = fault
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the length, or keep the reason why that can't be."""
        try:
            return super().truncate(size) if self._fault is None else 0
        except OSError as fault:
            self._fault = fault
            return 0

    def check(self) -> None:
        """Raise the OSError of what failed, if anything did; for after each write and after HDF5 has closed."""
        if self._fault is not None:
            raise self._fault
