"""Every figure: readable on light and dark, in words, and showing the numbers that it was given."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from course_utils import plots
from course_utils.plots import theme

W = np.array([[1.1, 0.6, -0.7, 0.05, -1.0], [-0.3, 1.0, 0.8, -0.1, -0.4]])
B = np.array([0.1, -0.2, 0.0, 0.45, -0.001])
SHORT = np.array([[1.0, -1.0, 0.0, 0.1, 0.0], [0.0, 0.0, 0.2, 0.0, 1.1]])
P = [1.0, 0.5, 0.1, 0.02]
LEVELS = np.array([[1.0, 1.0], [0.5, 0.5], [0.4, 0.49], [0.0, 0.4]])
GRID = np.array([[0, 1, 2, 0], [2, 1, 0, 0]])

# Each figure, from its arguments and from others that must be said in other words.
FIGURES = {
    "superposition_figure": [
        lambda: plots.superposition_figure(W, B),
        lambda: plots.superposition_figure(SHORT, B),
    ],
    "gram_heatmap": [lambda: plots.gram_heatmap(W, B), lambda: plots.gram_heatmap(SHORT, B)],
    "activity_grids": [
        lambda: plots.activity_grids({"dense": np.eye(6) + 0.1, "sparse": np.eye(6)}),
        lambda: plots.activity_grids({"dense": np.eye(6), "sparse": 0 * np.eye(6)}),
    ],
    "code_bars": [
        lambda: plots.code_bars({"activation": [0.5, -0.2], "code": [0.0, 1.0, 0.0]}),
        lambda: plots.code_bars({"activation": [0.5, -0.2], "code": [0.0, 1.0, 0.3]}),
    ],
    "line_chart": [
        lambda: plots.line_chart([1, 2], {"a": [3, 2]}, x_title="step", y_title="loss"),
        lambda: plots.line_chart([1, 2], {"a": [3, 1]}, x_title="step", y_title="loss", log_x=True),
    ],
    "norms_vs_sparsity": [
        lambda: plots.norms_vs_sparsity(P, np.linspace(0, 1, 20).reshape(4, 5)),
        lambda: plots.norms_vs_sparsity(P, np.zeros((4, 5))),
    ],
    "phase_diagram": [
        lambda: plots.phase_diagram(
            P, [0.2, 2], GRID, names=["a", "b", "c"], boundaries={"equal": ([0, 1], [1, 2])}
        ),
        lambda: plots.phase_diagram(P, [0.2, 2], 0 * GRID, names=["a", "b", "c"], boundaries={}),
    ],
    "cosine_strip": [
        lambda: plots.cosine_strip({"pairs": [0.1, -0.9], "others": [0.0, 0.3]}),
        lambda: plots.cosine_strip({"pairs": [0.9, 0.8], "others": [0.0, 0.3]}),
    ],
    "shapes_in_plane": [
        lambda: plots.shapes_in_plane({"one": W, "other": SHORT}),
        lambda: plots.shapes_in_plane({"one": SHORT, "other": SHORT}),
    ],
    "dimensionality_levels": [
        lambda: plots.dimensionality_levels(P, LEVELS, {"1/2": 0.5}, x_title="1/p", log_x=True),
        lambda: plots.dimensionality_levels(
            P, LEVELS, {"2/5": 0.4}, x_title="1/p", names=["x0", "x1"]
        ),
    ],
    "leverage_scatter": [
        lambda: plots.leverage_scatter({"random": ([0.5, 1.0], [0.4, 0.9])}),
        lambda: plots.leverage_scatter({"random": ([0.5, 1.0], [0.5, 1.0])}),
    ],
}
FIGURES |= {
    "dot_columns": [
        lambda: plots.dot_columns({"a": [0.1, 0.3], "b": [0.2]}, x_title="net", y_title="share"),
        lambda: plots.dot_columns({"a": [0.1, 0.5], "b": [0.2]}, x_title="net", y_title="share"),
    ],
    "pictures": [
        lambda: plots.pictures({"grey": np.eye(9), "colour": np.ones((3, 4, 4))}),
        lambda: plots.pictures({"grey": np.eye(9)}),
    ],
    "filters": [
        lambda: plots.filters({"one": W, "other": SHORT}),
        lambda: plots.filters({"one": W}),
    ],
}
FIGURES |= {
    "neuron_bars": [
        lambda: plots.neuron_bars({"one": W, "other": SHORT}),
        lambda: plots.neuron_bars({"one": SHORT, "other": SHORT}),
    ],
    "contribution_bars": [
        lambda: plots.contribution_bars(
            {"one": {"a": 1.0, "b": -2.0}}, x_title="neuron", y_title="added"
        ),
        lambda: plots.contribution_bars(
            {"one": {"a": 1.0, "b": 2.0}}, x_title="neuron", y_title="added"
        ),
    ],
}
PICTURES = ("shapes_in_plane", "pictures", "filters")  # nothing to measure along their axes
every_figure = pytest.mark.parametrize("name", FIGURES)


def test_every_public_figure_is_tested_here():
    functions = {name for name in plots.__all__ if getattr(plots, name).__class__ is not str}
    others = {"PALETTE", "TEMPLATE", "alt_text", "feature_color", "superposition_state"}
    others |= {"Look", "as_png", "drag_state", "polytope_state"}
    others |= {"CircuitDiagram", "circuit_drawing", "circuit_state"}
    others |= {"privileged_state", "LayerTuning", "TuningCurves", "NetworkSimilarities"}
    others |= {"SweepFigures", "latent_kinds", "sweep_drawing", "sweep_state"}
    assert functions - others == set(FIGURES)


@every_figure
def test_a_figure_is_plain_small_and_in_the_common_style(name):
    figure = FIGURES[name][0]()
    assert type(figure) is go.Figure  # not a widget
    assert len(figure.to_json()) < 20_000
    assert figure.layout.template == theme.TEMPLATE
    assert "rgba(0,0,0,0)" == figure.layout.template.layout.paper_bgcolor


@every_figure
def test_axes_are_labelled(name):
    layout = FIGURES[name][0]().to_plotly_json()["layout"]
    axes = {key: axis for key, axis in layout.items() if re.match("[xy]axis", key)}
    assert len(axes) >= 2
    for key, axis in axes.items():
        if name in PICTURES:  # arrows have a circle of length 1 instead
            assert axis.get("visible") is False or axis.get("showticklabels") is False
            continue
        beside_a_labelled_one = key.startswith("yaxis") and axis.get("showticklabels") is False
        # Heights of bars are named in the title above them and written on each.
        on_the_bars = name == "superposition_figure" and key == "yaxis3"
        assert axis.get("title", {}).get("text") or beside_a_labelled_one or on_the_bars, key


@every_figure
def test_words_are_one_line_computed_from_the_data(name):
    one, other = (plots.alt_text(make()) for make in FIGURES[name])
    assert one != other
    assert one.endswith(".") and "\n" not in one and 20 < len(one) < 900
    assert "nan" not in one and "-0.00" not in one


def test_tensors_with_gradients_and_arrays_are_the_same():
    tensors = (torch.tensor(W, requires_grad=True), torch.tensor(B, requires_grad=True))
    for draw in (plots.superposition_figure, plots.gram_heatmap):
        assert draw(*tensors) == draw(W, B)
    assert plots.superposition_state(*tensors) == plots.superposition_state(W, B)


# The picture of one model


def test_all_numbers_are_written_in_the_picture():
    data = plots.superposition_figure(W, B).data
    gram = next(trace for trace in data if trace.type == "heatmap")
    bars = next(trace for trace in data if trace.type == "bar")
    written = np.array([[float(cell) for cell in row if cell] for row in gram.text])
    assert np.allclose(written, np.column_stack([W.T @ W, B]), atol=0.00501)
    assert list(gram.x)[-2:] == [" ", "b"] and all(row[-2] == "" for row in gram.text)  # a gap
    assert np.allclose([float(text) for text in bars.text], np.linalg.norm(W, axis=0), atol=0.00501)
    assert [list(row) for row in gram.text] == [
        list(row) for row in plots.gram_heatmap(W, B).data[0].text
    ]


def test_the_fast_picture_shows_the_same_as_the_figure():
    state = plots.superposition_state(W, B)
    figure = plots.superposition_figure(W, B)
    gram = next(trace for trace in figure.data if trace.type == "heatmap")
    bars = next(trace for trace in figure.data if trace.type == "bar")
    ends = next(trace for trace in figure.data if trace.mode == "markers+text")
    assert [c["text"] for c in state["cells"]] == [t for row in gram.text for t in row if t]
    assert [x["text"] for x in state["lengths"]] == list(bars.text)
    assert np.allclose(state["arrows"], np.column_stack([ends.x, ends.y]))
    assert state["colors"] == list(bars.marker.color) == list(ends.marker.color)
    assert state["words"] == plots.alt_text(figure) and state["summary"] in state["words"]
    json.dumps(state, allow_nan=False)


def test_the_words_say_who_is_represented_and_who_faces_whom():
    words = plots.alt_text(plots.superposition_figure(SHORT, B))
    assert "3 of 5 features are represented in 2 dimensions: x0, x1, x4." in words
    assert "away from each other: x0 and x1." in words
    assert "Lengths: 1.00, 1.00, 0.20, 0.10, 1.10." in words
    assert "Biases: 0.10, -0.20, 0.00, 0.45, 0.00." in words


def test_nothing_is_lost_when_every_arrow_is_zero():
    words = plots.alt_text(plots.superposition_figure(0 * W, 0 * B))
    assert words.startswith("0 of 5 features are represented in 2 dimensions: none.")


def test_a_name_at_every_visible_arrow_and_the_same_colour_everywhere():
    ends = next(t for t in plots.superposition_figure(W, B).data if t.mode == "markers+text")
    assert list(ends.text) == ["x0", "x1", "x2", " ", "x4"]  # x3 is a stub
    lines = plots.norms_vs_sparsity(P, np.ones((4, 5)))
    for i, line in enumerate(lines.data):
        assert line.name == f"x{i}"
        assert line.line.color == plots.feature_color(i) == ends.marker.color[i]
    assert len({line.marker.symbol for line in lines.data}) == 5  # not by colour alone


@pytest.mark.parametrize("draw", [plots.superposition_figure, plots.superposition_state])
@pytest.mark.parametrize(
    ("w", "b", "said"),
    [
        (np.ones((3, 5)), B, "need (2, n_features)"),
        (W[0], B, "need (2, n_features)"),
        (W, B[:4], "5 columns"),
        (W * np.nan, B, "not finite"),
        (W, B + np.inf, "not finite"),
    ],
)
def test_what_cannot_be_drawn_is_said(draw, w, b, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        draw(w, b)


def test_the_shapes_have_their_arrows_and_a_name_for_each_that_can_be_seen():
    figure = plots.shapes_in_plane({"one": W, "other": SHORT})
    for k, arrows in ((0, W), (1, SHORT)):
        _, shafts, ends, names = figure.data[4 * k : 4 * k + 4]
        assert np.allclose([ends.x, ends.y], arrows)
        assert list(shafts.x)[1::3] == arrows[0].tolist()
        long = np.linalg.norm(arrows, axis=0) > 0.15
        assert " ".join(names.text).split() == [f"x{i}" for i in np.flatnonzero(long)]
        beyond = np.hypot(names.x, names.y) - np.linalg.norm(arrows, axis=0)[long]
        assert np.allclose(beyond, 0.26)  # not on the arrow's own end
    shared = plots.shapes_in_plane({"a bundle": [[1.0, 0.99, -1.0], [0.0, 0.02, 0.0]]})
    assert list(shared.data[3].text) == ["x0 x1", "x2"]  # they would cover each other
    with pytest.raises(ValueError, match="arrows in a plane need"):
        plots.shapes_in_plane({"a solid": np.eye(3)})


def test_levels_are_drawn_and_counted():
    figure = plots.dimensionality_levels(
        P, LEVELS, {"1/2": 0.5, "2/5": 0.4}, x_title="p", names=["x0", "x1"]
    )
    assert [list(trace.y) for trace in figure.data] == LEVELS.T.tolist()
    assert [(shape.y0, shape.y1) for shape in figure.layout.shapes] == [(0.5, 0.5), (0.4, 0.4)]
    assert [note.text for note in figure.layout.annotations] == ["1/2", "2/5"]
    # Of seven values above .02, three are near 1/2 and two near 2/5.
    assert "43% within .02 of 1/2, 29% within .02 of 2/5" in plots.alt_text(figure)
    dots = plots.dimensionality_levels(P, LEVELS, {}, x_title="p").data[0]
    assert list(zip(dots.x, dots.y)) == [(p, D) for p, row in zip(P, LEVELS) for D in row]


def test_the_phase_diagram_puts_each_outcome_at_its_p_and_r():
    figure = FIGURES["phase_diagram"][0]()
    drawn = {
        (float(x), float(y)): names
        for names, trace in zip((0, 1, 2), figure.data)
        for x, y in zip(trace.x, trace.y)
    }
    expected = {(p, r): GRID[i, j] for i, r in enumerate([0.2, 2]) for j, p in enumerate(P)}
    assert drawn == expected
    assert figure.data[3].name == "equal"


# Colours. Formulas: WCAG 2 (contrast), Machado, Oliveira and Fernandes 2009 (colour blindness,
# severity 1), CIE 1976 (L*a*b*).

WHITE, DARK = "#ffffff", "#111111"  # what is behind a figure in JupyterLab's two themes
THEME_TEXT = {WHITE: ("#000000", 0.87), DARK: ("#ffffff", 0.87)}  # --jp-ui-font-color1
SEEN_BY = {
    "everyone": np.eye(3),
    "protanopes": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopes": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
}  # fmt: skip
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def rgb(color: str) -> np.ndarray:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def over(color: np.ndarray, opacity: float, background: np.ndarray) -> np.ndarray:
    return opacity * color + (1 - opacity) * background


def linear(color: np.ndarray) -> np.ndarray:
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(c)) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(color: str, eyes: np.ndarray) -> np.ndarray:
    x, y, z = TO_XYZ @ np.clip(eyes @ linear(rgb(color)), 0, 1) / TO_XYZ.sum(1)
    f = [np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("background", [WHITE, DARK])
def test_marks_stand_out_from_the_background(background):
    for color in plots.PALETTE:
        assert contrast(rgb(color), rgb(background)) >= 3  # WCAG 1.4.11, for graphics


@pytest.mark.parametrize(("eyes", "apart"), [("everyone", 25), ("protanopes", 15),
                                             ("deuteranopes", 15)])  # fmt: skip
def test_colours_differ_for_all_eyes(eyes, apart):
    seen = [lab(color, SEEN_BY[eyes]) for color in plots.PALETTE]
    pairs = list(itertools.combinations(range(len(seen)), 2))
    distance = {(i, j): np.linalg.norm(seen[i] - seen[j]) for i, j in pairs}
    assert min(distance.values()) >= apart
    # The five features of the central panel are further apart still.
    assert min(d for (_, j), d in distance.items() if j < 5) >= 20


def test_colours_start_again_after_the_palette():
    assert plots.feature_color(len(plots.PALETTE)) == plots.feature_color(0)
    assert len(set(plots.PALETTE)) == len(plots.PALETTE)


@pytest.mark.parametrize("background", [WHITE, DARK])
def test_text_can_be_read(background):
    # In JupyterLab figure text has the theme's own colour. Elsewhere one grey must do on both, and
    # none has 4.5 on both: that takes a luminance below .183 and above .200. This one is best.
    text, opacity = THEME_TEXT[background]
    page = rgb(background)
    assert contrast(over(rgb(text), opacity, page), page) >= 4.5
    assert contrast(rgb(theme.TEXT), page) >= 4.2
    worst = [min(contrast(np.full(3, v / 255), rgb(c)) for c in (WHITE, DARK)) for v in range(256)]
    assert max(worst) < 4.5
    assert min(contrast(rgb(theme.TEXT), rgb(c)) for c in (WHITE, DARK)) >= max(worst) - 0.15


@pytest.mark.parametrize("background", [WHITE, DARK])
@pytest.mark.parametrize("value", [-2, -1.3, -0.6, 0, 0.6, 1.3, 2])
def test_numbers_in_cells_can_be_read(background, value):
    red, green, blue, opacity = map(float, re.findall(r"[\d.]+", theme.diverging(value)))
    cell = over(np.array([red, green, blue]) / 255, opacity, rgb(background))
    text, opacity = THEME_TEXT[background]
    assert contrast(over(rgb(text), opacity, cell), cell) >= 4.5


def test_the_scale_of_cells_is_symmetric():
    gram = plots.gram_heatmap(W, B).data[0]
    assert gram.zmin == -gram.zmax
    assert theme.diverging(9.9).endswith(f"{theme.OPACITY:.3f})")
    assert theme.diverging(0.0).endswith("0.000)")


def test_lists_of_any_length_share_one_scale():
    figure = plots.code_bars({"x": [0.5, -0.25], "f": [0.0, 2.0, 0.0]})
    assert [list(bar.y) for bar in figure.data] == [[0.5, -0.25], [0.0, 2.0, 0.0]]
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range
    low, high = figure.layout.yaxis.range
    assert low < -0.25 and high > 2
    assert "f: 3 numbers, 1 of them not 0" in plots.alt_text(figure)


@pytest.mark.parametrize("rows", [{}, {"x": []}, {"x": [[1.0, 2.0]]}])
def test_what_is_no_list_of_numbers_is_a_sentence(rows):
    with pytest.raises(ValueError, match="at least one list of numbers, each with a name"):
        plots.code_bars(rows)
