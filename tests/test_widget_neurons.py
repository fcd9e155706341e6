"""The neuron dashboard without a browser: what is drawn of each neuron, and what is said."""

from __future__ import annotations

import json
import re

import pytest
import torch

from course_utils.neurons import Survey
from course_utils.plots.neurons import neuron_drawing, neuron_state, percent, score, visible
from course_utils.widgets.neurons import NeuronView, neuron_panel

NAMES = ["code", "Arabic", "DNA"]


def make(n_neurons=6, n_texts=12, seed=0):
    """Texts of 20 tokens of 3 characters; neuron 0 is for DNA, the last is never active."""
    g = torch.Generator().manual_seed(seed)
    letters = ["x =\n", "لا ", "GAT"]
    texts = ["".join(letters[i % 3][:3] for _ in range(20)) for i in range(n_texts)]
    classes = torch.arange(n_texts) % 3
    text = torch.arange(n_texts).repeat_interleave(20)
    starts = 3 * torch.arange(20).repeat(n_texts)
    x = torch.rand(20 * n_texts, n_neurons, generator=g)
    x = x * (torch.rand(x.shape, generator=g) < 0.4)
    x[:, 0] *= classes[text] == 2
    x[:, -1] = 0
    return Survey(x, text, torch.stack([starts, starts + 3], 1), texts, classes, NAMES)


class Effect:
    """Remembers which neurons were asked for."""

    def __init__(self):
        self.asked, self.fails = [], None

    def __call__(self, neuron):
        self.asked.append(neuron)
        if self.fails:
            raise self.fails
        return [(f"up{neuron}\n", 0.5), (" b", 0.25)], [("c", -1.234)]


@pytest.fixture(scope="module")
def survey():
    return make()


@pytest.fixture
def effect():
    return Effect()


@pytest.fixture
def panel(survey, effect):
    return neuron_panel(survey, effect)


# What is drawn


@pytest.mark.parametrize("neuron", range(6))
def test_bars_are_the_means_on_one_scale_with_what_shuffling_gives(survey, neuron):
    look = survey.look(neuron)
    rows = neuron_state(look)["bars"]["rows"]
    assert [row["name"] for row in rows] == NAMES
    top = max(float(look.means.max()), float(look.band.max()), 1e-12)
    for row, mean, low, high in zip(rows, look.means.tolist(), *look.band.tolist(), strict=True):
        drawn = (row["length"], row["low"], row["high"])
        assert drawn == pytest.approx((mean / top, low / top, high / top))
        assert 0 <= row["low"] <= row["high"] <= 1 and row["length"] <= 1
        assert float(row["text"]) == pytest.approx(mean, abs=0.051 * top)
        assert row["outside"] == (mean > high)


def test_the_numbers_are_those_of_the_survey(survey):
    look = survey.look(0)
    facts = {fact["name"]: fact["text"] for fact in neuron_state(look)["facts"]}
    assert facts["effective classes"] == "1.0 of 3"
    assert facts["other texts, 95 %"] == "1.0 to 1.0"
    assert facts["labels shuffled, 95 %"] == f"{look.null[0]:.1f} to {look.null[1]:.1f}"
    share = float((survey.activations[:, 0] > 0).float().mean())
    assert facts["active at"] == f"{percent(share)} of tokens"


def test_the_words_say_what_is_drawn(survey):
    state = neuron_state(survey.look(0))
    assert state["summary"].startswith("Neuron 0: active at ")
    assert "1.0 effective classes of 3" in state["summary"]
    assert "DNA 100 %, code 0 %" in state["summary"]
    assert "DNA" in state["bars"]["words"] and state["bars"]["rows"][2]["outside"]
    assert re.search(r"exactly 0 at \d+ % of tokens", state["histogram"]["words"])


def test_the_histogram_has_the_logarithm_of_the_counts(survey):
    look = survey.look(1)
    drawn = neuron_state(look)["histogram"]
    counts = look.histogram.counts
    assert len(drawn["heights"]) == len(counts)
    assert all(0 <= h <= 1 for h in drawn["heights"])
    pairs = sorted(zip(counts.tolist(), drawn["heights"]))
    assert [h for _, h in pairs] == sorted(drawn["heights"])
    assert drawn["x"][-1] == {"at": 1, "text": f"{look.largest:.2g}"}
    assert [tick["text"] for tick in drawn["y"]] == ["10", "100"][: len(drawn["y"])]
    assert all(0 < tick["at"] <= 1 for tick in drawn["y"])


def test_contexts_are_those_of_the_survey_with_shares_of_the_largest(survey):
    look = survey.look(1)
    groups = neuron_state(look)["contexts"]
    assert len({group["title"] for group in groups}) == 3
    for group, contexts in zip(groups, (look.strongest, look.active, look.random), strict=True):
        for row, context in zip(group["rows"], contexts, strict=True):
            assert row["name"] == context.name and row["at"] == context.at
            assert row["value"] == f"{context.values[context.at]:.2f}"
            for (text, strength), piece, value in zip(
                row["pieces"], context.pieces, context.values
            ):
                assert text == visible(piece)
                assert strength == pytest.approx(value / look.largest, abs=0.006)
    assert groups[0]["rows"][0]["pieces"][groups[0]["rows"][0]["at"]][1] == 1


def test_a_neuron_that_is_never_active_is_said_to_be(survey):
    state = neuron_state(survey.look(5))
    assert state["summary"] == "Neuron 5 is active at none of these tokens."
    assert state["facts"] == [{"name": "active at", "text": "no token"}]
    assert [len(group["rows"]) for group in state["contexts"]] == [0, 0, 5]
    assert set(state["histogram"]["heights"]) == {0.0}
    assert "100 %" in state["histogram"]["zeros"]


def test_tokens_come_with_their_scores(survey):
    up, down = neuron_state(survey.look(0), [("a\tb", 1.0)], [("c", -0.005)])["effects"]
    assert up["rows"] == [{"token": "a⇥b", "text": "+1.00"}]
    assert down["rows"] == [{"token": "c", "text": "−0.01"}] and up["title"] != down["title"]


@pytest.mark.parametrize(
    ("text", "seen"),
    [("a\nb", "a⏎b"), ("\t", "⇥"), ("\x00x", "�x"), ("لا", "لا"), ("\u2009", "␣"), (" a", " a")],
)
def test_what_leaves_no_mark_can_be_seen(text, seen):
    assert visible(text) == seen


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.0004, "under 0.1 %"), (0.012, "1.2 %"), (0.5, "50 %"), (0.999, "99.9 %"),
     (0.9996, "over 99.9 %"), (1, "100 %")],
)  # fmt: skip
def test_percentages_are_never_rounded_to_none_or_all(share, said):
    assert percent(share) == said


def test_scores_have_a_sign():
    assert [score(v) for v in (1.234, -0.5, 0.0)] == ["+1.23", "−0.50", "+0.00"]


def test_a_state_is_json(survey):
    assert json.loads(json.dumps(neuron_state(survey.look(2)))) == neuron_state(survey.look(2))


# The panel


def test_the_panel_opens_with_the_first_neuron(panel, effect, survey):
    assert effect.asked == [0] and panel.shown == 0
    assert panel.view.state == neuron_state(survey.look(0), *Effect()(0))
    assert panel.view.words == panel.view.state["summary"]
    assert panel.view.drawing == neuron_drawing(5) and panel.view.drawing["last"] == 5


def test_every_position_shows_its_neuron(panel, survey):
    for order, by in enumerate(("number", "fewest", "most")):
        panel.order.index = order
        for place, neuron in enumerate(survey.order(by)):
            panel.neuron.index = place
            assert panel.shown == panel.view.state["number"] == neuron
            label = panel.neuron.labels[place]
            assert label == f"{neuron}, {float(survey.effective[neuron]):.1f} classes"


def test_another_order_begins_at_its_beginning_and_by_number_the_neuron_stays(panel, survey):
    panel.neuron.index = 3
    panel.order.index = 2
    assert panel.neuron.index == 0 and panel.shown == survey.order("most")[0]
    panel.neuron.index = 2
    before = panel.shown
    panel.order.index = 0
    assert panel.shown == panel.neuron.index == before


def test_a_move_of_a_slider_is_one_look(panel, effect):
    panel.neuron.index = 2
    for order in (1, 2, 0):
        panel.order.index = order
    assert len(effect.asked) == 5
    panel.neuron.index += 1
    assert len(effect.asked) == 6 and effect.asked[-1] == panel.shown


@pytest.mark.parametrize(("typed", "shown"), [(4, 4), (0, 0), (99, 5), (-3, 0)])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_number_that_is_typed_in_is_shown(panel, typed, shown, order):
    panel.order.index = order
    panel._message(None, {"neuron": typed}, None)
    assert panel.shown == panel.view.state["number"] == shown


def test_the_order_to_begin_with(survey):
    panel = neuron_panel(survey, order="fewest")
    assert panel.shown == survey.order("fewest")[0] == 0
    assert [effects["rows"] for effects in panel.view.state["effects"]] == [[], []]
    with pytest.raises(ValueError):
        neuron_panel(survey, order="size")


def test_every_control_has_a_name_and_words_for_each_position(panel):
    for slider, name, n in zip(panel.children, ("Neuron", "Order"), (6, 3)):
        assert slider.name == name and len(set(slider.labels)) == n
    assert panel.children[-1] is panel.view


@pytest.mark.parametrize("error", [ValueError("no such token"), RuntimeError(), KeyError("x")])
def test_an_error_is_a_sentence_and_the_panel_lives_on(panel, effect, survey, error, capsys):
    effect.fails = error
    panel.neuron.index = 1
    assert panel.view.words.startswith("Its tokens could not be found")
    assert type(error).__name__ in panel.view.words
    assert panel.view.state == neuron_state(survey.look(1))
    effect.fails = None
    panel.neuron.index = 2
    assert panel.view.words == panel.view.state["summary"]
    assert capsys.readouterr() == ("", "")


def test_what_is_sent_is_small():
    survey = make(n_neurons=64, n_texts=60)
    tokens = [(" token", 1.0)] * 8
    state = neuron_state(survey.look(3), tokens, tokens)
    assert len(json.dumps(state, ensure_ascii=False).encode()) < 16_000
    assert len(str(NeuronView._esm)) + len(str(NeuronView._css)) < 16_000


def test_texts_are_never_set_as_html():
    assert "innerHTML" not in str(NeuronView._esm) and "insertAdjacent" not in str(NeuronView._esm)


# Latents: some of many, by their own numbers


NUMBERS = [3, 17, 18, 500, 501, 4095]


@pytest.fixture
def latents(survey, effect):
    return neuron_panel(survey, effect, noun="latent", numbers=NUMBERS)


def test_a_latent_is_called_by_its_own_number_everywhere(latents, effect, survey):
    latents.neuron.index = 3
    assert latents.shown == 500 and effect.asked[-1] == 500
    state = latents.view.state
    assert state == neuron_state(survey.look(3), *Effect()(500), noun="latent", number=500)
    assert state["title"] == "latent 500" and latents.view.words.startswith("Latent 500: active")
    assert latents.neuron.name == "Latent" and latents.neuron.labels[3].startswith("500, ")
    assert latents.view.drawing["noun"] == "latent" and latents.view.drawing["last"] == 4095
    assert "euron" not in json.dumps(state)


@pytest.mark.parametrize(("asked", "got"), [(500, 500), (499, 500), (0, 3), (9999, 4095)])
def test_a_number_that_is_not_there_becomes_the_nearest(latents, asked, got):
    latents.view._handle_custom_msg({"neuron": asked}, [])
    assert latents.shown == got
    said = f"Latent {asked} is not among those shown here; this is the nearest number."
    assert latents.view.words.startswith(said) is (asked != got)


def test_the_sentence_of_another_number_goes_with_the_next(latents, effect):
    effect.fails = ValueError("no such token")
    latents.go_to(499)
    assert "no such token" in latents.view.words and "Latent 499 is not" in latents.view.words
    effect.fails = None
    latents.go_to(499)
    latents.go_to(500)
    assert not latents.view.words.startswith("Latent 499")


def test_of_all_neurons_a_number_beyond_the_last_is_the_last_without_a_word(panel):
    panel.view._handle_custom_msg({"neuron": 99}, [])
    assert panel.shown == 5 and panel.view.words == panel.view.state["summary"]


def test_in_another_order_the_numbers_go_with_their_latents(latents):
    latents.go_to(501)
    latents.order.index = 1
    assert sorted(int(label.split(",")[0]) for label in latents.neuron.labels) == NUMBERS
    assert latents.shown == int(latents.neuron.labels[0].split(",")[0])
    latents.go_to(501)
    latents.order.index = 0
    assert latents.shown == 501 and latents.neuron.index == 4


@pytest.mark.parametrize("numbers", [NUMBERS[:5], [*NUMBERS[:5], 501], NUMBERS[::-1]])
def test_each_column_needs_a_number(survey, numbers):
    with pytest.raises(ValueError, match="6 columns of the survey; give one for each, rising"):
        neuron_panel(survey, numbers=numbers)


def find(text):
    """Two results for most texts, none for one, and an error for another."""
    if text == "fails":
        raise RuntimeError("no such model")
    found = [(500, 3.21, " ;"), (17, 0.5, "\n")]
    return found[: {"nothing": 0, "one": 1}.get(text, 2)]


@pytest.fixture
def searched(survey, effect):
    return neuron_panel(survey, effect, noun="latent", numbers=NUMBERS, search=find)


def test_a_text_finds_latents_and_a_click_shows_one(searched):
    box = searched.search
    assert searched.children[0] is box and box.results == []
    box._handle_custom_msg({"text": "let x = 1;"}, [])
    assert [one["text"] for one in box.results] == [
        "latent 500: 3.2 at “ ;”", "latent 17: 0.5 at “⏎”"
    ]  # fmt: skip
    assert box.words == "2 latents, the strongest first."
    box._handle_custom_msg({"go": 17}, [])
    assert searched.shown == 17


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Type a text first."),
        ("  \n", "Type a text first."),
        ("nothing", "No latent of those shown here is active in that text."),
        ("fails", "That text could not be read (RuntimeError: no such model)."),
        ("x" * 10_000, "That text has 10,000 characters; use at most 2,000."),
    ],
)
def test_what_finds_nothing_is_a_sentence_and_the_box_lives_on(searched, text, sentence):
    searched.search.find(text)
    assert searched.search.words == sentence and searched.search.results == []
    searched.search.find("x")
    assert len(searched.search.results) == 2


def test_what_finds_one_counts_one(searched):
    searched.search.find("one")
    assert searched.search.words == "1 latent."
    assert len(searched.search.results) == 1


def test_without_a_search_there_is_no_box(panel):
    assert panel.search is None and len(panel.children) == 3
