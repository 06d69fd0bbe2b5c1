"""torch's exporter, but for reading the source of onnxscript's 497 operators anew in each export."""

import functools

from torch.onnx._internal._lazy_import import onnxscript_apis


def read_once() -> None:
    """Keep what the first export of this process finds out about the operators; each after it takes a second less."""

    @functools.cache
    def operators() -> list[object]:
        # what the attribute is without this one; it loads onnxscript
        return onnxscript_apis.__getattr__("get_torchlib_ops")()

    onnxscript_apis.get_torchlib_ops = operators
