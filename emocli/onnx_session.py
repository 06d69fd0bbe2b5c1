"""ONNX networks that are no models of emo, on the processor: those of detectors and features, and probes."""

import onnxruntime

_FATAL_ONLY = 4


def opened(network: str | bytes, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session for a network's path or bytes, by default on one thread: other work goes on beside it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = _FATAL_ONLY
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
