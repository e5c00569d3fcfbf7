"""The network that the Python services run: as wide as ours, in ONNX Runtime, one thread each."""

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

SENSORS = (
    "temperature",
    "vibration",
    "pressure",
    "rotation_speed",
    "current",
    "operating_hours",
)
WIDTHS = (30, 128, 64, 32, 1)


def onnx_model(weights: list[np.ndarray], biases: list[np.ndarray]) -> bytes:
    """A dense network as an ONNX model: Gemm and Relu, a sigmoid at the end."""
    nodes, initializers, source = [], [], "x"
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        initializers.append(numpy_helper.from_array(weight, f"w{index}"))
        initializers.append(numpy_helper.from_array(bias, f"b{index}"))
        nodes.append(helper.make_node("Gemm", [source, f"w{index}", f"b{index}"], [f"z{index}"]))
        last = index == len(weights) - 1
        source = "y" if last else f"a{index}"
        nodes.append(helper.make_node("Sigmoid" if last else "Relu", [f"z{index}"], [source]))
    inputs = weights[0].shape[0]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


def random_network(seed: int = 1) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights and biases of `WIDTHS`."""
    random = np.random.default_rng(seed)
    pairs = list(zip(WIDTHS, WIDTHS[1:], strict=False))
    weights = [random.uniform(-0.5, 0.5, pair).astype(np.float32) for pair in pairs]
    biases = [random.uniform(-0.5, 0.5, pair[1]).astype(np.float32) for pair in pairs]
    return weights, biases


def session(weights: list[np.ndarray], biases: list[np.ndarray]) -> ort.InferenceSession:
    """A session of one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(
        onnx_model(weights, biases), options, providers=["CPUExecutionProvider"]
    )


class Model:
    """Six sensors repeated to the network's width: no windows, no state, the least work."""

    def __init__(self) -> None:
        self.session = session(*random_network())

    def probabilities(self, rows: np.ndarray) -> list[float]:
        """One probability per row of sensors."""
        repeated = np.tile(rows, (1, WIDTHS[0] // rows.shape[1]))
        return list(self.session.run(None, {"x": repeated})[0][:, 0].tolist())
