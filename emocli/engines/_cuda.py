"""Memory and a stream on the GPU, by NVIDIA's own bindings: no torch."""

from typing import Any

import numpy as np
from cuda.bindings import runtime
from numpy.typing import NDArray

from emocli.errors import EmoError


class Buffers:
    """Memory on the GPU that grows as it is asked for, and the stream that fills and empties it."""

    def __init__(self) -> None:
        self.stream = int(_checked(runtime.cudaStreamCreate()))
        self._places: dict[str, tuple[int, int]] = {}

    def place(self, name: str, size: int) -> int:
        """Return the address of at least `size` bytes that belong to tensor `name`."""
        address, held = self._places.get(name, (0, 0))
        if held < size:
            if held:
                _checked(runtime.cudaFree(address))
            address = int(_checked(runtime.cudaMalloc(size)))
            self._places[name] = (address, size)
        return address

    def send(self, name: str, x: NDArray[Any]) -> int:
        """Copy a contiguous array to the GPU and return its address there."""
        address = self.place(name, x.nbytes)
        kind = runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        _checked(runtime.cudaMemcpyAsync(address, x.ctypes.data, x.nbytes, kind, self.stream))
        return address

    def fetch(self, name: str, shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
        """Return the tensor of this name; it is filled once `wait` has returned."""
        x = np.empty(shape, kind)
        direction = runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        _checked(runtime.cudaMemcpyAsync(x.ctypes.data, self._places[name][0], x.nbytes, direction, self.stream))
        return x

    def wait(self) -> None:
        """Return when all that was asked of the GPU is done."""
        _checked(runtime.cudaStreamSynchronize(self.stream))

    def close(self) -> None:
        """Give memory and stream back."""
        for address, _ in self._places.values():
            _checked(runtime.cudaFree(address))
        self._places.clear()
        _checked(runtime.cudaStreamDestroy(self.stream))


def architecture() -> str:
    """Return the compute capability of the GPU in use, such as 87; raises EmoError when there is none."""
    device = _checked(runtime.cudaGetDevice())
    kinds = runtime.cudaDeviceAttr
    major = _checked(runtime.cudaDeviceGetAttribute(kinds.cudaDevAttrComputeCapabilityMajor, device))
    minor = _checked(runtime.cudaDeviceGetAttribute(kinds.cudaDevAttrComputeCapabilityMinor, device))
    return f"{major}{minor}"


def _checked(answer: tuple[Any, ...]) -> Any:
    """Return what a CUDA call gave besides its status; raises EmoError for any other status than success."""
    status, *values = answer
    if status != runtime.cudaError_t.cudaSuccess:
        reason = status.name.removeprefix("cudaError")
        raise EmoError(f"CUDA can't be used here ({reason}); see emo doctor for the driver and its version")
    return values[0] if values else None
