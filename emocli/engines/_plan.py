"""A TensorRT plan inside an ONNX file: the EPContext node that ONNX Runtime's TensorRT provider uses too.

The file pipes and carries the header like any model, and names the GPU and the TensorRT version it was built for.
"""

import hashlib
from dataclasses import dataclass

import onnx
from onnx import ModelProto, helper

from emocli import onnx_graph, store
from emocli.errors import EmoError

_SOURCE = "TensorrtExecutionProvider"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan and what it runs on."""

    code: bytes
    tensorrt: str
    """Version of TensorRT it was built with."""
    architecture: str
    """Compute capability of the GPU, such as 87 for a Jetson Orin."""

    @property
    def digest(self) -> str:
        """Return "sha256:…" of the plan itself, whatever header it travels with."""
        return f"sha256:{hashlib.sha256(self.code).hexdigest()}"


def wrap(plan: Plan, model: ModelProto) -> ModelProto:
    """Return an ONNX model that is this plan, with the inputs, outputs and metadata of `model`."""
    inputs, outputs = list(model.graph.input), list(model.graph.output)
    node = helper.make_node(
        "EPContext",
        [value.name for value in inputs],
        [value.name for value in outputs],
        "plan",
        domain="com.microsoft",
        main_context=1,
        embed_mode=1,
        ep_cache_context=plan.code,
        ep_sdk_version=plan.tensorrt,
        hardware_architecture=plan.architecture,
        source=_SOURCE,
    )
    graph = helper.make_graph([node], "plan", inputs, outputs)
    opsets = [*model.opset_import, helper.make_opsetid("com.microsoft", 1)]
    container = helper.make_model(graph, opset_imports=opsets, ir_version=model.ir_version, producer_name="emo")
    container.metadata_props.extend(model.metadata_props)
    return container


def is_container(model: ModelProto) -> bool:
    """Whether a model is compiled machine code, for TensorRT or another."""
    return any(node.op_type == "EPContext" for node in model.graph.node)


def unwrap(container: ModelProto, source: str) -> Plan:
    """Return the plan in an ONNX model; raises EmoError when it has none, or one in another file or for no GPU."""
    nodes = [node for node in container.graph.node if node.op_type == "EPContext"]
    if len(nodes) != 1 or len(container.graph.node) != 1:
        raise EmoError(f"{source} is not a TensorRT plan; build one on the GPU it shall run on")
    (node,) = nodes
    code = _bytes(node, "ep_cache_context")
    if not onnx_graph.attribute(node, "embed_mode", 0) or not code:
        raise EmoError(f"{source} keeps its plan in another file; build it again with the plan embedded")
    if (made_for := _text(node, "source")) not in (_SOURCE, ""):
        raise EmoError(f"{source} is compiled for {made_for}, not for TensorRT; build it again from the ONNX model")
    plan = Plan(code, _text(node, "ep_sdk_version"), _text(node, "hardware_architecture"))
    if not plan.tensorrt or not plan.architecture:
        raise EmoError(f"{source} does not say for which TensorRT and GPU its plan is; build it again with: emo plan")
    return plan


def remember(plan: Plan) -> None:
    """Note in the store that this user built the plan, or trusts who did, so that it loads from now on."""
    if not is_mine(plan):
        with open(store.folder("plans") / "built", "a", encoding="ascii") as file:
            file.write(f"{plan.digest}\n")


def is_mine(plan: Plan) -> bool:
    """Whether this user built the plan, or trusts who did."""
    built = store.home() / "plans" / "built"
    return built.exists() and plan.digest in built.read_text(encoding="ascii").split()


def _text(node: onnx.NodeProto, name: str) -> str:
    return _bytes(node, name).decode("utf-8", "replace")


def _bytes(node: onnx.NodeProto, name: str) -> bytes:
    value = onnx_graph.attribute(node, name, b"")
    return value if isinstance(value, bytes) else b""
