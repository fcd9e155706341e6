"""The tuning-curve explorer without a browser: what is drawn of each unit, and what is said."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from course_utils import stimuli
from course_utils.plots.theme import PALETTE
from course_utils.plots.tuning import LayerTuning, TuningCurves, pixels, tuning_state
from course_utils.widgets.tuning import TuningView, tuning_panel

ANGLES = np.arange(0, 180, 30.0)
FIRST = np.array([[0, 1, 4, 1, 0, 0], [2, 2, 2, 2, 2, 2], [0, 0, 0, 0, 0, 0.0]])  # (3, 6)
CONTROL = np.array([[1, 1, 2, 1, 1, 1], [3, 2, 1, 0, 1, 2], [1, 1, 1, 1, 1, 1.0]])
FILTERS = np.array([[[-2, 0], [1, 2]], [[3, 3], [3, 3]], [[0, 0], [0, 0.0]]])
SECOND = np.random.default_rng(0).uniform(0.5, 5, (5, 6))
BAND = np.stack([np.ones((5, 6)), 2 + np.arange(30.0).reshape(5, 6)])  # unit 1 up to 8


def first(**changes):
    usual = {
        "responses": FIRST,
        "selectivity": [0.6667, 0, 0],
        "preferred": [60.04, np.nan, np.nan],
        "control": CONTROL,
        "control_selectivity": [0.1, 0.7, 0.9],
        "control_preferred": [60, 10, np.nan],
        "filters": FILTERS,
    }
    return LayerTuning(**(usual | changes))


def second(**changes):
    usual = {"responses": SECOND, "selectivity": np.full(5, 0.2), "preferred": np.arange(5) * 30}
    return LayerTuning(**(usual | {"band": BAND, "units": [3, 7, 8, 20, 31]} | changes))


def make(**changes):
    usual = {"layers": {"conv1": first(), "conv2": second()}, "angles": ANGLES}
    return TuningCurves(**(usual | changes))


class Stimulus:
    """Remembers which angles were asked for; the grey is the angle."""

    def __init__(self):
        self.asked, self.fails, self.answer = [], None, None

    def __call__(self, angle):
        self.asked.append(angle)
        if self.fails:
            raise self.fails
        return np.full((4, 4), angle / 180) if self.answer is None else self.answer


@pytest.fixture
def stimulus():
    return Stimulus()


@pytest.fixture
def panel(stimulus):
    return tuning_panel(make(), stimulus)


# What is drawn


@pytest.mark.parametrize("unit", range(3))
@pytest.mark.parametrize("angle", range(6))
def test_curves_and_present_values_are_those_of_the_arrays(unit, angle):
    state = tuning_state(make(), "conv1", unit, angle)
    assert state["title"] == f"conv1 unit {unit}"
    assert (state["angle"], state["angle_text"]) == (ANGLES[angle], f"{ANGLES[angle]:.0f}°")
    for line, responses in zip(state["lines"], (FIRST[unit], CONTROL[unit]), strict=True):
        assert line["points"][:6] == [[a, r] for a, r in zip(ANGLES, responses)]
        assert line["now"]["value"] == responses[angle]
        assert line["now"]["text"] == f"{responses[angle]:.2f}"
    assert [line["color"] for line in state["lines"]] == [PALETTE[0], PALETTE[4]]
    assert state["band"] is None and state["band_name"] == ""


def test_a_curve_is_closed_one_period_after_its_beginning():
    end = tuning_state(make(), "conv1", 0, 0)["lines"][0]["points"][-1]
    assert end == [180, FIRST[0, 0]]
    halves = make(angles=ANGLES / 2)  # the other half was not measured
    assert len(tuning_state(halves, "conv1", 0, 0)["lines"][0]["points"]) == 6
    whole = make(angles=np.linspace(0, 180, 6))  # it is there already
    assert len(tuning_state(whole, "conv1", 0, 0)["lines"][0]["points"]) == 6
    edges = make(angles=2 * ANGLES, period=360)
    assert tuning_state(edges, "conv1", 0, 0)["lines"][0]["points"][-1] == [360, FIRST[0, 0]]


def test_a_band_is_drawn_as_it_is_and_named():
    state = tuning_state(make(band_name="three untrained networks"), "conv2", 1, 2)
    assert state["band"] == [[30 * k, 1, 8 + k % 6] for k in range(7)]
    assert state["band_name"] == "band: three untrained networks"
    assert len(state["lines"]) == 1


def test_a_layer_may_have_control_and_band():
    layer = second(control=SECOND / 2, units=None)
    state = tuning_state(make(layers={"conv2": layer}), "conv2", 1, 2)
    assert len(state["lines"]) == 2 and len(state["band"]) == 7


@pytest.mark.parametrize(("start", "at"), [(0, 150.0), (-90, -30.0)])
def test_the_preferred_angle_is_marked_within_the_period_that_is_drawn(start, at):
    layer = first(preferred=[150, 0, np.nan])
    curves = make(layers={"conv1": layer}, angles=ANGLES + start)
    state = tuning_state(curves, "conv1", 0, 0)
    assert state["lines"][0]["preferred"] == at
    assert (state["x"]["from"], state["x"]["to"]) == (start, start + 180)
    assert tuning_state(curves, "conv1", 2, 0)["lines"][0]["preferred"] is None


@pytest.mark.parametrize(("period", "step"), [(180.0, 45), (360.0, 90)])
def test_angles_have_ticks_at_quarters_of_the_period(period, step):
    ticks = tuning_state(make(period=period), "conv1", 0, 0)["x"]["ticks"]
    assert [tick["text"] for tick in ticks] == [f"{k * step}°" for k in range(5)]


@pytest.mark.parametrize("scale", [1e-6, 0.03, 1, 7, 1e6])
@pytest.mark.parametrize("offset", [0, -1])
def test_the_axis_has_a_few_round_numbers_and_room_for_all(scale, offset):
    layer = first(responses=scale * (FIRST + offset), control=scale * CONTROL)
    for unit in range(3):
        state = tuning_state(make(layers={"conv1": layer}), "conv1", unit, 0)
        values = [y for line in state["lines"] for _, y in line["points"]]
        axis = state["y"]
        assert axis["from"] <= min(values) + 1e-9 * scale and max(values) <= axis["to"]
        assert 3 <= len(axis["ticks"]) <= 8
        for tick in axis["ticks"]:
            assert float(tick["text"]) == pytest.approx(tick["value"], rel=1e-5)
            assert axis["from"] <= tick["value"] <= axis["to"] * (1 + 1e-9)


def test_a_nearly_silent_unit_does_not_look_as_tuned_as_a_loud_one():
    faint = first(responses=FIRST * [[1], [1e-6], [0]], control=None, band=FIRST * [[[0]], [[0]]])
    state = tuning_state(make(layers={"conv1": faint}), "conv1", 1, 0)
    assert max(y for _, y in state["lines"][0]["points"]) < 1e-4 * state["y"]["to"]


def test_relative_curves_are_shares_of_their_own_largest_response():
    state = tuning_state(make(relative=True), "conv1", 0, 3)
    for line, responses in zip(state["lines"], (FIRST[0], CONTROL[0])):
        np.testing.assert_allclose([y for _, y in line["points"]][:6], responses / responses.max())
    assert state["lines"][0]["now"] == {"value": 0.25, "text": "0.250"}
    assert state["y_title"] == "response / its largest" and state["y"]["to"] == 1
    assert "response 1.00 (25 % of its largest)" in state["summary"]  # words have both
    silent = tuning_state(make(relative=True), "conv1", 2, 3)
    assert silent["lines"][0]["now"]["value"] == 0
    band = tuning_state(make(relative=True), "conv2", 4, 0)["band"]
    assert band[0][1:] == pytest.approx(np.array([1, 26]) / SECOND[4].max())


# Pictures


def test_a_grey_picture_is_a_byte_a_pixel_row_by_row():
    picture = pixels([[0, 0.5, 1], [1, 0.2, 0]])
    assert (picture["width"], picture["height"]) == (3, 2)
    assert list(picture["data"]) == [0, 128, 255, 255, 51, 0]


def test_a_picture_in_colour_is_three_bytes_a_pixel():
    red_over_blue = np.zeros((3, 2, 1))
    red_over_blue[0, 0] = red_over_blue[2, 1] = 1
    picture = pixels(red_over_blue)
    assert (picture["width"], picture["height"]) == (1, 2)
    assert list(picture["data"]) == [255, 0, 0, 0, 0, 255]


def test_stimuli_can_be_shown_as_they_are_made():
    image = stimuli.grating(30.0, 0.125, size=9)
    picture = pixels(image)
    expected = (255 * image[0, 0]).round().flatten().tolist()
    assert (picture["width"], picture["height"], list(picture["data"])) == (9, 9, expected)


def test_a_large_picture_is_made_smaller_and_keeps_its_mean():
    image = np.random.default_rng(1).uniform(size=(224, 224))
    picture = pixels(image)
    assert (picture["width"], picture["height"]) == (112, 112)
    mean = image[:2, 2:4].mean()
    assert picture["data"][1] == round(255 * mean)
    thin = pixels(np.ones((1, 300)))
    assert (thin["width"], thin["height"], set(thin["data"])) == (100, 1, {255})


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.ones(4), "the stimulus has shape (4,)"),
        (np.ones((2, 4, 4)), "the stimulus has shape (2, 4, 4)"),
        (np.ones((0, 4)), "the stimulus has shape (0, 4)"),
        (None, "the stimulus has shape ()"),
        (np.full((4, 4), 255), "values from 255 to 255; use 0 for black to 1 for white"),
        (np.full((4, 4), -0.5), "values from -0.5 to -0.5"),
        (np.full((4, 4), np.nan), "values from nan to nan"),
    ],
)
def test_what_is_no_picture_is_said(image, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        pixels(image, "the stimulus")


def test_a_filter_is_grey_where_it_is_zero_and_has_its_own_scale():
    assert list(tuning_state(make(), "conv1", 0, 0)["filter"]["data"]) == [0, 128, 191, 255]
    assert set(tuning_state(make(), "conv1", 2, 0)["filter"]["data"]) == {128}
    assert tuning_state(make(), "conv2", 0, 0)["filter"] is None
    colour = first(filters=np.stack([FILTERS, -FILTERS, 0 * FILTERS], axis=1))
    state = tuning_state(make(layers={"stem": colour}), "stem", 0, 0)
    assert list(state["filter"]["data"]) == [0, 255, 128, 128, 128, 128, 191, 64, 128, 255, 0, 128]


# Words


def test_words_say_value_preference_and_selectivity_beside_the_control():
    state = tuning_state(make(), "conv1", 0, 3)
    assert state["summary"] == (
        "conv1 unit 0 at 90°: response 1.00 (25 % of its largest), untrained 1.00 (50 % of its "
        "largest). Trained: prefers 60°, selectivity 0.67. Untrained: prefers 60°, selectivity "
        "0.10. Of 3 untrained units of this layer, 2 are more selective."
    )
    assert state["words"] == (
        f"Tuning curve, largest at 60° and smallest at 0°. {state['summary']}"
    )
    said = [line["said"] for line in state["lines"]]
    assert said == [
        "trained: prefers 60°, selectivity 0.67",
        "untrained: prefers 60°, selectivity 0.10",
    ]


def test_a_unit_that_prefers_nothing_or_is_silent_is_said_to_be_so():
    flat = tuning_state(make(), "conv1", 1, 0)
    assert flat["lines"][0]["said"] == "trained: prefers no angle, selectivity 0.00"
    silent = tuning_state(make(), "conv1", 2, 0)
    assert silent["lines"][0]["said"] == "trained: never responds, selectivity 0.00"
    assert "response 0.00, untrained 1.00" in silent["summary"]


def test_as_selective_as_the_unit_is_not_more_selective():
    layer = first(selectivity=[0.7, 0, 0])
    state = tuning_state(make(layers={"conv1": layer}), "conv1", 0, 0)
    assert "Of 3 untrained units of this layer, 1 is more selective." in state["summary"]


@pytest.mark.parametrize(
    ("value", "where"), [(0.5, "below"), (1, "in"), (10, "in"), (10.1, "above")]
)
def test_words_say_where_the_value_is_in_the_band(value, where):
    layer = second(responses=np.full((5, 6), value))
    state = tuning_state(make(layers={"conv2": layer}), "conv2", 1, 2)
    assert f"; {where} the band (shuffled, middle 95 %)." in state["summary"]
    assert state["summary"].startswith("conv2 unit 7 at 60°")


def test_networks_have_the_names_that_they_are_given():
    state = tuning_state(make(name="published", control_name="random"), "conv1", 0, 0)
    assert [line["said"].split(":")[0] for line in state["lines"]] == ["published", "random"]
    assert "random 1.00" in state["summary"]


# What does not belong together


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"responses": FIRST[0]}, "responses have shape (6,)"),
        ({"responses": np.ones((0, 6))}, "responses have shape (0, 6)"),
        ({"responses": FIRST * np.nan}, "use finite numbers (n_units, n_angles)"),
        ({"control": None, "control_selectivity": None}, "give a control or a band"),
        ({"control": CONTROL.T}, "control has shape (6, 3); use finite numbers (3, 6)"),
        ({"band": BAND}, "band has shape (2, 5, 6); use finite numbers (2, 3, 6)"),
        ({"band": np.stack([FIRST + 1, FIRST])}, "the band is upside down"),
        ({"selectivity": [0.5, 0.5]}, "selectivity has shape (2,); use finite numbers (3,)"),
        ({"selectivity": None}, "selectivity has shape (); use finite numbers (3,)"),
        ({"selectivity": [0.5, 0.5, np.nan]}, "selectivity has shape (3,); use finite"),
        ({"selectivity": [0.5, 0.5, 1.5]}, "selectivity goes from 0.5 to 1.5; use 0 to 1"),
        ({"control_selectivity": [-1, 0, 0]}, "control_selectivity goes from -1 to 0"),
        ({"preferred": [0, 1, np.inf]}, "preferred has shape (3,); use finite"),
        ({"control_preferred": [[0, 1, 2]]}, "control_preferred has shape (1, 3)"),
        ({"filters": FILTERS[:2]}, "filters has shape (2, 2, 2); use finite numbers (3, 2, 2)"),
        ({"filters": FILTERS[0]}, "filters have shape (2, 2); use (n_units, h, w)"),
        ({"filters": np.ones((3, 4, 2, 2))}, "filters have shape (3, 4, 2, 2)"),
        ({"units": [1, 2]}, "units are (1, 2); use 3 different numbers"),
        ({"units": [1, 2, 2]}, "units are (1, 2, 2); use 3 different numbers"),
    ],
)
def test_a_layer_that_does_not_fit_is_said_in_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        first(**changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"layers": {}}, "there is no layer"),
        ({"angles": ANGLES[:5]}, "conv1 has 6 responses a unit for 5 angles"),
        ({"angles": ANGLES[::-1]}, "angles must be at least two, increasing"),
        ({"angles": [0.0]}, "angles must be at least two, increasing"),
        ({"angles": [*ANGLES[:5], np.nan]}, "angles must be at least two, increasing"),
        ({"angles": 2 * ANGLES}, "angles go from 0 to 300; use at most one period of 180"),
        ({"period": 0}, "period is 0; use 180"),
        ({"period": np.nan}, "period is nan"),
    ],
)
def test_curves_that_do_not_fit_are_said_in_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make(**changes)


def test_tensors_do_as_well_as_arrays():
    arrays = {"responses": FIRST, "control": CONTROL, "filters": FILTERS}
    torches = first(**{name: torch.tensor(array) for name, array in arrays.items()})
    curves = make(layers={"conv1": torches}, angles=torch.tensor(ANGLES))
    assert tuning_state(curves, "conv1", 0, 3) == tuning_state(make(), "conv1", 0, 3)


# The panel


def drawn(panel):
    return {key: value for key, value in panel.view.state.items() if key != "stimulus"}


def test_the_panel_opens_at_the_peak_of_the_first_unit(panel, stimulus):
    assert stimulus.asked == [60]
    assert drawn(panel) == tuning_state(make(), "conv1", 0, 2)
    assert set(panel.view.state["stimulus"]["data"]) == {85}  # of 255, a third
    assert panel.view.words == panel.view.state["summary"]


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_every_position_of_the_sliders_shows_what_the_arrays_say(panel, stimulus, layer):
    panel.layer.index = panel.layer.labels.index(layer)
    for unit, unit_label in enumerate(panel.unit.labels):
        panel.unit.index = unit
        for angle, angle_label in enumerate(panel.angle.labels):
            panel.angle.index = angle
            assert drawn(panel) == tuning_state(make(), layer, unit, angle)
            assert panel.view.state["title"] == f"{layer} {unit_label}"
            assert panel.view.state["angle_text"] == angle_label
            assert stimulus.asked[-1] == ANGLES[angle]
            assert set(panel.view.state["stimulus"]["data"]) == {round(255 * ANGLES[angle] / 180)}


def test_a_move_of_a_slider_is_one_stimulus_and_one_state(panel, stimulus):
    states = []
    panel.view.observe(lambda change: states.append(change["new"]), "state")
    for slider in (panel.angle, panel.unit, panel.layer):
        slider.index = 1
    assert len(stimulus.asked) == 4 and len(states) == 3


def test_sliders_stay_within_their_bounds(panel):
    assert panel.unit.labels == ["unit 0", "unit 1", "unit 2"]
    for slider, last in ((panel.angle, 5), (panel.unit, 2), (panel.layer, 1)):
        slider.index = 99
        assert slider.index == last
        slider.index = -1
        assert slider.index == 0


def test_another_layer_has_its_own_units(panel, stimulus):
    panel.layer.index = 1
    assert panel.unit.labels == ["unit 3", "unit 7", "unit 8", "unit 20", "unit 31"]
    panel.unit.index = 4
    asked = len(stimulus.asked)
    panel.layer.index = 0  # it has three units only
    assert len(stimulus.asked) == asked + 1  # drawn once
    assert (panel.unit.index, panel.view.state["title"]) == (2, "conv1 unit 2")
    panel.unit.index = 1  # and the slider works on
    assert panel.view.state["title"] == "conv1 unit 1"


def test_one_layer_needs_no_slider(stimulus):
    panel = tuning_panel(make(layers={"conv1": first()}), stimulus)
    assert panel.layer not in panel.children
    assert [s.name for s in panel.children[:-1]] == ["Unit", "Angle"]


def test_every_slider_has_a_name_and_words_for_each_position(panel):
    for slider, name, n in zip(panel.children, ("Layer", "Unit", "Angle"), (2, 3, 6)):
        assert slider.name == name and len(set(slider.labels)) == n
    assert panel.children[-1] is panel.view


@pytest.mark.parametrize("error", [ValueError("no such angle"), RuntimeError(), KeyError("x")])
def test_an_error_is_a_sentence_and_the_panel_lives_on(panel, stimulus, error, capsys):
    stimulus.fails = error
    panel.angle.index = 4
    assert panel.view.words.startswith("This stimulus could not be drawn")
    assert type(error).__name__ in panel.view.words
    assert panel.view.state["stimulus"] is None
    assert drawn(panel) == tuning_state(make(), "conv1", 0, 4)  # the curve needs no stimulus
    stimulus.fails = None
    panel.angle.index = 5
    assert panel.view.words == panel.view.state["summary"]
    assert panel.view.state["stimulus"] is not None
    assert capsys.readouterr() == ("", "")


def test_a_stimulus_that_is_no_picture_is_said(panel, stimulus):
    stimulus.answer = np.full((4, 4), 255)
    panel.angle.index = 0
    assert "the stimulus has values from 255 to 255" in panel.view.words


def test_an_error_at_the_start_is_a_sentence_too(stimulus):
    stimulus.fails = ValueError("no luck")
    assert "no luck" in tuning_panel(make(), stimulus).view.words


def test_what_is_sent_is_small():
    angles = np.arange(0, 180, 2.5)
    responses = np.random.default_rng(0).uniform(size=(2, 72))
    layer = LayerTuning(responses, [0, 0], [0, 0], responses, band=np.stack([responses] * 2))
    state = tuning_state(TuningCurves({"a": layer}, angles), "a", 0, 0)
    assert len(json.dumps(state)) < 16_000
    assert len(str(TuningView._esm)) + len(str(TuningView._css)) < 16_000
