"""Folding block-quantised weights."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from kiosk.errors import ModelError
from models.fold import dequantize, fold
from models.session import OnnxSession

BLOCK = 4


def a_model(seed: int = 5, slopes: tuple[float, ...] = ()) -> tuple[bytes, np.ndarray]:
    """A picture-shaped model whose kernel is block-quantised and whose weights are listed as inputs, as SFace's are.

    With eight ``slopes`` a PRelu follows.
    """
    random = np.random.default_rng(seed)
    values = random.integers(-128, 128, (8, 3, 1, 1)).astype(np.int8)
    scale = random.uniform(0.01, 0.1, (2, 3, 1, 1)).astype(np.float32)
    zero = random.integers(-5, 5, (2, 3, 1, 1)).astype(np.int8)
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["weight"], axis=0, block_size=BLOCK),
        helper.make_node("Conv", ["data", "weight"], ["conv" if slopes else "fc1"]),
    ]
    if slopes:
        nodes.append(helper.make_node("PRelu", ["conv", "slope"], ["fc1"]))
    inputs = [
        helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 2, 2]),
        helper.make_tensor_value_info("dangling", TensorProto.FLOAT, [1]),
        helper.make_tensor_value_info("q", TensorProto.INT8, [8, 3, 1, 1]),
    ]
    constants = [numpy_helper.from_array(*pair) for pair in ((values, "q"), (scale, "s"), (zero, "z"))]
    if slopes:
        constants.append(numpy_helper.from_array(np.array(slopes, np.float32).reshape(8, 1, 1), "slope"))
    output = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 8, 2, 2])
    graph = helper.make_graph(nodes, "g", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=9)
    wide_scale, wide_zero = (np.repeat(one, BLOCK, axis=0).astype(np.float32) for one in (scale, zero))
    by_hand = (values.astype(np.float32) - wide_zero) * wide_scale
    return model.SerializeToString(), by_hand


def test_the_folded_model_runs_and_computes_the_same() -> None:
    """One real input is left, and the output is the convolution with the dequantised kernel."""
    content, weight = a_model()
    folded = fold(content)
    graph = onnx.load_model_from_string(folded).graph
    assert [one.name for one in graph.input] == ["data"]
    assert [node.op_type for node in graph.node] == ["Conv"]
    picture = np.random.default_rng(1).random((1, 3, 2, 2)).astype(np.float32)
    expected = np.einsum("oc,nchw->nohw", weight[:, :, 0, 0], picture)
    np.testing.assert_allclose(OnnxSession(folded, name="folded").run(picture), expected, rtol=1e-5)


@pytest.mark.parametrize("steepest", [0.9, 1.0, 1.3])
def test_a_parametric_rectifier_becomes_plain_arithmetic(steepest: float) -> None:
    """The same numbers for flat, negative and steep slopes, without the runtime's slow node."""
    slopes = (0.25, -0.8, 0.0, 0.5, steepest, 0.1, -0.1, 0.7)
    content, weight = a_model(slopes=slopes)
    folded = fold(content)
    assert "PRelu" not in {node.op_type for node in onnx.load_model_from_string(folded).graph.node}
    picture = np.random.default_rng(1).normal(size=(1, 3, 2, 2)).astype(np.float32)
    straight = np.einsum("oc,nchw->nohw", weight[:, :, 0, 0], picture)
    expected = np.where(straight > 0, straight, straight * np.array(slopes, np.float32)[None, :, None, None])
    np.testing.assert_allclose(OnnxSession(folded, name="folded").run(picture), expected, rtol=1e-5, atol=1e-6)


def test_it_is_the_same_to_the_byte() -> None:
    """Its hash is pinned in the manifest."""
    assert fold(a_model()[0]) == fold(a_model()[0])
    assert fold(a_model()[0]) != fold(a_model(seed=6)[0])


def test_an_axis_shorter_than_its_blocks() -> None:
    """The last block may be cut."""
    values = np.arange(6, dtype=np.int8)
    scale, zero = np.array([1.0, 10.0], np.float32), np.array([0, 1], np.int8)
    np.testing.assert_array_equal(dequantize(values, scale, zero, 0, 4), [0, 1, 2, 3, 30, 40])


def test_one_scale_an_axis() -> None:
    """Without blocks the scale runs along the axis."""
    values = np.ones((2, 3), np.int8)
    result = dequantize(values, np.array([1, 2, 3], np.float32), np.zeros(3, np.int8), 1, 0)
    np.testing.assert_array_equal(result, [[1, 2, 3], [1, 2, 3]])


@pytest.mark.parametrize("content", [b"\xffnot a model", b""])
def test_what_is_no_such_model_is_refused(content: bytes) -> None:
    """In one line."""
    with pytest.raises(ModelError):
        fold(content)


def test_the_runtime_refusing_is_a_model_error() -> None:
    """Not an exception of the runtime's own."""
    with pytest.raises(ModelError, match="the runtime refuses"):
        OnnxSession(b"garbage", name="x")
    with pytest.raises(ModelError, match="did not run"):
        OnnxSession(fold(a_model()[0]), name="x").run(np.zeros((1, 4, 2, 2), np.float32))
