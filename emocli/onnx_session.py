"""ONNX networks ready to run: models, those of detectors and features, and probes."""

import onnxruntime

_FATAL_ONLY = 4


def opened(
    network: str | bytes,
    *,
    threads: int = 1,
    spin: bool = True,
    rewritten: bool = True,
    provider: str = "CPUExecutionProvider",
) -> onnxruntime.InferenceSession:
    """Return a session for a network's path or bytes, by default on one thread: other work goes on beside it.

    Threads that `spin` keep their cores busy between runs. One that is not `rewritten` is run node by node, as written.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    options.log_severity_level = _FATAL_ONLY
    if not rewritten:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(network, options, providers=[provider])
