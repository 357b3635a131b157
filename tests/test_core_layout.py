"""The flat parameter vector and the flat workspace."""

import numpy as np
import pytest
from core_cases import CELLS

from rnncast.core import layout
from rnncast.core.layout import FORWARD, GRADIENT, lane_count, parameter_table, workspace_plan
from rnncast.core.shape import GRU, LSTM, RNN_TANH, Shape, check_shape, parameter_count, parameter_layout


@pytest.mark.parametrize("cell", CELLS)
def test_parameters_fill_the_vector_without_gap(cell):
    shape = Shape(CELLS[cell], 3, 5, 3, 2)
    end = 0
    for offset, dimensions in parameter_layout(shape).values():
        assert offset == end
        end += int(np.prod(dimensions))
    assert parameter_count(shape) == end


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(RNN_TANH, 5 * 3 + 5 + 5 * 5 + 2 * 5 + 2, id="rnn"),
        pytest.param(GRU, 15 * 3 + 15 + 5 + 15 * 5 + 2 * 5 + 2, id="gru"),
        pytest.param(LSTM, 20 * 3 + 20 + 20 * 5 + 2 * 5 + 2, id="lstm"),
    ],
)
def test_parameter_count_of_one_layer(cell, expected):
    assert parameter_count(Shape(cell, 3, 5, 1, 2)) == expected


def test_gru_recurrent_bias_follows_the_bias():
    layout_ = parameter_layout(Shape(GRU, 3, 5, 2, 2))
    for layer in range(2):
        offset, dimensions = layout_[f"layer{layer}.bias"]
        assert layout_[f"layer{layer}.recurrent_bias"] == (offset + dimensions[0], (5,))


def test_table_holds_the_layouts_offsets():
    shape = Shape(LSTM, 3, 5, 2, 4)
    names = parameter_layout(shape)
    got = parameter_table(shape)
    expected = [
        [names[f"layer{layer}.{key}"][0] for key in ("input_weight", "bias", "recurrent_weight")] for layer in range(2)
    ]
    np.testing.assert_array_equal(got[:2, :3], expected)
    np.testing.assert_array_equal(got[:, layout.INPUTS], [3, 5, 5])
    np.testing.assert_array_equal(got[2, :2], [names["output.weight"][0], names["output.bias"][0]])


@pytest.mark.parametrize("cell", CELLS)
def test_direct_weight_is_the_end_and_nothing_else_changes(cell):
    without = Shape(CELLS[cell], 3, 5, 2, 10)
    shape = without._replace(direct_steps=4, output_group=5)
    got = parameter_layout(shape)
    end = parameter_count(without)
    assert got.pop("direct.weight") == (end, (2, 4 * 3))
    assert list(got.items()) == list(parameter_layout(without).items())
    assert parameter_count(shape) == end + 2 * 4 * 3
    table = parameter_table(shape)
    assert table[2, layout.DIRECT_WEIGHT] == end
    table[2, layout.DIRECT_WEIGHT] = 0
    np.testing.assert_array_equal(table, parameter_table(without))


def test_layout_without_direct_weight_is_as_stored():
    """Names, offsets and shapes that stored models rely on, spelled out."""
    assert parameter_layout(Shape(GRU, 3, 2, 1, 4)) == {
        "layer0.input_weight": (0, (6, 3)),
        "layer0.bias": (18, (6,)),
        "layer0.recurrent_bias": (24, (2,)),
        "layer0.recurrent_weight": (26, (6, 2)),
        "output.weight": (38, (4, 2)),
        "output.bias": (46, (4,)),
    }


def test_plan_names_the_direct_connection():
    shape = Shape(LSTM, 3, 5, 2, 10, output_activation=1, direct_steps=6, output_group=5)
    plan = workspace_plan(shape, steps=6, batch=20, mode=GRADIENT, every_step=False)
    entries = ("OUTPUT_ACTIVATION", "DIRECT_STEPS", "OUTPUT_GROUP", "STEPS", "BATCH", "LANES")
    assert {name: plan[getattr(layout, name)] for name in entries} == {
        "OUTPUT_ACTIVATION": 1, "DIRECT_STEPS": 6, "OUTPUT_GROUP": 5, "STEPS": 6, "BATCH": 20, "LANES": 32,
    }  # fmt: skip


@pytest.mark.parametrize(("hidden", "most"), [(32, 64), (33, 32)])
@pytest.mark.parametrize("batch", [1, 16, 17, 33, 64, 65, 100, 1024])
def test_lanes_hold_the_batch_in_equal_shards(batch, hidden, most):
    lanes = lane_count(batch, hidden)
    assert lanes % 16 == 0
    assert lanes <= most
    assert lanes - -(-batch // -(-batch // lanes)) < 16


@pytest.mark.parametrize(("batch", "width", "lanes"), [(1, 4, 4), (4, 4, 4), (5, 4, 16), (8, 8, 8), (9, 8, 16)])
def test_few_windows_take_one_vector(batch, width, lanes):
    assert lane_count(batch, 64, width) == lanes


@pytest.mark.parametrize("mode", [FORWARD, GRADIENT], ids=["forward", "gradient"])
@pytest.mark.parametrize("cell", CELLS)
def test_workspace_parts_do_not_overlap(cell, mode):
    plan = workspace_plan(Shape(CELLS[cell], 3, 5, 2, 4), steps=6, batch=20, mode=mode, every_step=True)
    offsets = plan[layout.AT_INPUTS : layout.TOTAL + 1]
    sums = plan[layout.AT_BIAS_SUMS : layout.SUMS + 1]
    assert (np.diff(offsets) >= 0).all()
    assert (np.diff(sums) >= 0).all()
    assert (sums[-1] > 0) == (mode == GRADIENT)
    lanes, hidden = plan[layout.LANES], 5
    slots = 7 if mode == GRADIENT else 2
    assert plan[layout.AT_ABOVE] - plan[layout.AT_STATES] == 2 * slots * hidden * lanes
    assert plan[layout.TOTAL] == offsets[-1] > 0
    assert plan[layout.TOTAL] - offsets[-2] >= 16 * lanes  # a transpose reads beyond the last row


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cell", 9),
        ("input_size", 0),
        ("hidden_size", 0),
        ("layers", 0),
        ("outputs", 0),
        ("output_activation", 7),
        ("direct_steps", -1),
        ("output_group", 0),
        ("output_group", -1),
        ("output_group", 2),
        ("output_group", 5),
        ("residual", 2),
        ("dilations", (1, 2)),
        ("dilations", (0,)),
    ],
)
def test_a_field_out_of_range_is_named(field, value):
    shape = Shape(LSTM, 1, 1, 1, 6, direct_steps=2, output_group=3)
    check_shape(shape)
    with pytest.raises(ValueError, match=field):
        check_shape(shape._replace(**{field: value}))
