"""What neurons are about: indices against definitions in loops, contexts against the texts."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from course_utils import neurons
from course_utils.neurons import Survey, effective_classes, histogram, interval, shuffled

seeds = st.integers(0, 2**32)


def dice(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def sparse(*shape: int, seed: int = 0, rate: float = 0.4) -> torch.Tensor:
    g = dice(seed)
    x = torch.rand(shape, generator=g, dtype=torch.float64)
    return x * (torch.rand(shape, generator=g) < rate)


# Classes


@given(st.integers(1, 6), st.integers(1, 5), seeds)
def test_the_index_is_the_exponential_of_the_entropy_of_shares(k, n_neurons, seed):
    g = dice(seed)
    classes = torch.cat([torch.arange(k), torch.randint(k, (9,), generator=g)])
    x = sparse(len(classes), n_neurons, seed=seed)
    for j in range(n_neurons):
        means = []
        for c in range(k):
            own = [float(v) for v, which in zip(x[:, j], classes.tolist()) if which == c]
            means.append(sum(own) / len(own))
        total = sum(means)
        want = 0.0
        if total > 0:
            want = math.exp(-sum(m / total * math.log(m / total) for m in means if m > 0))
        assert float(effective_classes(x, classes)[j]) == pytest.approx(want, abs=1e-9)
        assert neurons.class_means(x, classes)[:, j].tolist() == pytest.approx(means)


@pytest.mark.parametrize("s", range(1, 6))
def test_s_classes_alike_count_as_s(s):
    classes = torch.arange(5).repeat_interleave(torch.tensor([1, 2, 3, 4, 5]))
    x = (classes < s).float()[:, None]
    assert float(effective_classes(x, classes)[0]) == pytest.approx(s)
    assert float(effective_classes(7.5 * x, classes)[0]) == pytest.approx(s)


def test_a_neuron_that_is_never_active():
    classes = torch.tensor([0, 0, 1, 1])
    x = torch.stack([torch.zeros(4), torch.tensor([1.0, 0, 1, 0])], dim=1)
    assert effective_classes(x, classes).tolist() == pytest.approx([0, 2])
    assert neurons.class_shares(x, classes)[:, 0].tolist() == [0, 0]
    low, high = interval(x, classes, generator=dice())
    assert low[0] == high[0] == 0
    assert shuffled(effective_classes, x, classes, n_permutations=5)[:, 0].tolist() == [0] * 5


def test_text_means_are_over_the_tokens_of_each_text():
    x, text = sparse(12, 3), torch.tensor([0, 0, 0, 1, 2, 2, 2, 2, 2, 1, 0, 2])
    for t in range(3):
        torch.testing.assert_close(neurons.text_means(x, text)[t], x[text == t].mean(0))


def test_shuffled_labels_lose_what_classes_have():
    classes = torch.arange(6).repeat_interleave(20)
    x = torch.stack([(classes == 2) * 1.0, torch.ones(120), sparse(120, 1)[:, 0].float()], 1)
    null = shuffled(effective_classes, x, classes, n_permutations=50, generator=dice())
    assert null.shape == (50, 3)
    assert effective_classes(x, classes)[0] == 1 and null[:, 0].min() > 3
    assert null[:, 1].tolist() == pytest.approx([6] * 50)
    assert null[:, 2].min() <= float(effective_classes(x, classes)[2]) + 0.2
    again = shuffled(effective_classes, x, classes, n_permutations=50, generator=dice())
    assert torch.equal(null, again)


def test_shuffling_keeps_how_many_texts_each_class_has():
    classes = torch.tensor([0] * 7 + [1] * 3)
    seen = []
    shuffled(lambda x, c: seen.append(c) or x.sum(), sparse(10, 1), classes, n_permutations=4)
    assert all(c.bincount().tolist() == [7, 3] for c in seen)
    assert any(not torch.equal(c, classes) for c in seen)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Neurons with known shares; texts differ a lot. 95 % within what 600 tries can tell."""
    k, n_texts, n = 8, 40, 600
    rates = torch.distributions.Dirichlet(torch.full((k,), 0.7))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        share = rates.sample((n,)).T.double()
    truth = torch.special.entr(share).sum(0).exp()
    classes = torch.arange(k).repeat_interleave(n_texts)
    x = share[classes] * (0.2 + 1.6 * torch.rand(len(classes), n, generator=dice(1)))
    low, high = interval(x, classes, generator=dice(2))
    assert 0.9 < ((low <= truth) & (truth <= high)).double().mean() < 0.99
    assert (low <= effective_classes(x, classes)).double().mean() > 0.97
    wide = interval(x, classes, level=0.99, generator=dice(2))
    assert ((wide[0] <= low) & (high <= wide[1])).all()


def test_the_interval_stays_within_one_and_k_and_needs_two_texts_a_class():
    classes = torch.arange(4).repeat_interleave(2)
    x = sparse(8, 50, rate=0.9)
    low, high = interval(x, classes, generator=dice())
    assert low.min() >= 1 and high.max() <= 4 and (low <= high).all()
    low, high = interval(x[::2], classes[::2])
    torch.testing.assert_close(low, high)


@given(seeds)
def test_no_order_of_texts_or_neurons_matters(seed):
    classes, x = torch.arange(5).repeat(4), sparse(20, 6, seed=seed)
    order = torch.randperm(20, generator=dice(seed))
    found = effective_classes(x, classes)
    torch.testing.assert_close(effective_classes(x[order], classes[order]), found)
    torch.testing.assert_close(effective_classes(x.flip(1), classes), found.flip(0))


# Random directions


@given(seeds)
def test_random_directions_are_active_as_often_as_asked(seed):
    before = torch.randn(200, 12, generator=dice(seed), dtype=torch.float64)
    rates = torch.tensor([0.0, 0.005, 0.1, 0.5, 0.77, 1.0])
    found = neurons.random_directions(before, rates, generator=dice(seed))
    assert found.min() >= 0 and found.shape == (200, 6)
    assert ((found > 0).double().mean(0) - rates).abs().max() <= 1 / 200 + 1e-9


def test_random_directions_are_linear_with_a_threshold_and_orthogonal():
    before = torch.eye(8, dtype=torch.float64)
    x = neurons.random_directions(before, torch.ones(8), generator=dice())
    u = x - x.mean(0)  # but for the thresholds
    centred = torch.eye(8, dtype=torch.float64) - 1 / 8
    torch.testing.assert_close((u @ u.T), centred)
    kept = before.clone()
    neurons.random_directions(before, torch.ones(8))
    assert torch.equal(before, kept)


# Histogram


def test_a_histogram_counts_what_is_above_zero():
    x = torch.tensor([0, 0, 0, 0.1, 0.5, 0.9, 1.0, 2.0])
    found = histogram(x, bins=4)
    assert found.edges.tolist() == [0, 0.5, 1, 1.5, 2]
    assert found.counts.tolist() == [2, 2, 0, 1] and found.zeros == 3 / 8
    log = histogram(torch.tensor([0, 1e-6, 0.5, 5, 50, 1000.0]), bins=3, log=True)
    assert log.edges.tolist() == pytest.approx([1, 10, 100, 1000])
    assert log.counts.tolist() == [3, 1, 1] and log.zeros == pytest.approx(1 / 6)
    assert histogram(x, bins=4, top=8.0).counts.tolist() == [5, 0, 0, 0]


def test_a_histogram_of_nothing_but_zeros():
    found = histogram(torch.zeros(5), bins=3)
    assert found.counts.tolist() == [0, 0, 0] and found.zeros == 1 and found.edges[-1] == 1


# Survey

WORDS = ("the", "cat", "dog", "sun", "moon")


def made(n_neurons: int = 4, seed: int = 0) -> Survey:
    """12 texts of words, each word a token; neuron 0 is for "cat", 3 is dead."""
    g = dice(seed)
    picks = torch.randint(5, (12, 30), generator=g)
    texts = [" ".join(WORDS[w] for w in row) for row in picks.tolist()]
    spans = []
    for text in texts:
        at = 0
        for word in text.split(" "):
            spans.append((max(0, at - 1), at + len(word)))
            at += len(word) + 1
    x = sparse(360, n_neurons, seed=seed + 1).float()
    x[:, 0] = (picks.flatten() == 1) * (1 + torch.rand(360, generator=g))
    x[:, 3] = 0
    text = torch.arange(12).repeat_interleave(30)
    return Survey(x, text, torch.tensor(spans), texts, torch.arange(12) % 3, ["a", "b", "c"])


@pytest.fixture(scope="module")
def survey():
    return made()


def test_a_survey_has_the_numbers_of_its_functions(survey):
    x = neurons.text_means(survey.activations, survey.text)
    torch.testing.assert_close(survey.effective, effective_classes(x, survey.classes))
    torch.testing.assert_close(survey.means, neurons.class_means(x, survey.classes))
    assert (survey.low <= survey.high).all() and len(survey) == 4
    assert (survey.null[0] <= survey.null[1]).all() and survey.band.shape == (2, 3, 4)
    for j in range(4):
        look = survey.look(j)
        assert look.neuron == j and look.effective == float(survey.effective[j])
        assert (look.low, look.high) == (float(survey.low[j]), float(survey.high[j]))
        assert look.histogram.counts.sum() == (survey.activations[:, j] > 0).sum()


@pytest.mark.parametrize("j", range(4))
def test_every_context_is_a_piece_of_its_text_with_its_activations(survey, j):
    look = survey.look(j)
    for context in (*look.strongest, *look.active, *look.random):
        joined = "".join(context.pieces)
        (number,) = {i for i, text in enumerate(survey.texts) if joined in text} or {None}
        assert context.name == "abc"[number % 3]
        values = survey.activations[30 * number : 30 * number + 30, j].tolist()
        starts = [
            i for i in range(30) if list(context.values) == values[i : i + len(context.values)]
        ]
        assert starts and 10 <= len(context.pieces) <= 19
        assert 0 <= context.at < len(context.pieces)


def test_the_strongest_contexts_are_of_the_texts_with_the_largest_activations(survey):
    for j in range(3):
        peaks = survey.activations[:, j].reshape(12, 30).amax(1).sort(descending=True).values
        found = [c.values[c.at] for c in survey.look(j, n=7).strongest]
        assert found == pytest.approx(peaks[:7].tolist())
    assert {c.pieces[c.at].strip() for c in survey.look(0).strongest} == {"cat"}


def test_active_ones_are_random_from_the_upper_half(survey):
    x = survey.activations[:, 1]
    half = x[x > 0].median()
    found = [c.values[c.at] for c in survey.look(1, n=12).active]
    assert min(found) >= half and len(set(found)) == len(found) > 6
    assert found != sorted(found, reverse=True)
    everywhere = [c.values[c.at] for c in survey.look(1, n=12).random]
    assert min(everywhere) == 0


def test_no_two_contexts_are_of_one_text_and_looks_are_the_same_again(survey):
    look = survey.look(2, n=6)
    for contexts in (look.strongest, look.active, look.random):
        assert len({"".join(c.pieces) for c in contexts}) == len(contexts) == 6
    assert survey.look(2, n=6).active == look.active
    assert survey.look(1, n=6).random != look.random


def test_a_dead_neuron_has_random_contexts_only(survey):
    look = survey.look(3)
    assert look.strongest == look.active == () and len(look.random) == 5
    assert look.effective == look.largest == 0


def test_orders(survey):
    assert survey.order() == [0, 1, 2, 3]
    fewest, most = survey.order("fewest"), survey.order("most")
    assert fewest[-1] == most[-1] == 3 and fewest[:3] == most[:3][::-1]
    assert survey.effective[fewest[:3]].diff().min() >= 0


def test_tokens_that_share_a_character_are_one_piece():
    """Three tokens for one Chinese character, two for the next, one for two Latin ones."""
    spans = torch.tensor([[0, 1], [0, 1], [0, 1], [1, 2], [1, 2], [2, 4]])
    x = torch.tensor([[1.0], [3], [2], [0], [5], [4]])
    survey = Survey(
        x, torch.zeros(6, dtype=torch.long), spans, ["世界ab"], torch.tensor([0]), ["c"]
    )
    (context,) = survey.look(0).strongest
    assert context.pieces == ("世", "界", "ab") and context.values == (3, 5, 4)
    assert context.at == 1


# The one-layer models


def test_the_check_computes_what_the_language_package_does():
    from course_utils import language
    from course_utils.checks.notebook_04_polysemanticity import one_layer

    texts = ["def home():\n    return 1", "你好，世界; été 😀", ";", "long " * 200]
    model = language.load_one_layer("B")
    tokens = language.tokenize(model, texts, max_tokens=one_layer.MOST_TOKENS)
    point = language.hook_point(model, 0, "mlp_post")
    want = language.activations(model, tokens, point, progress=False).values[point]
    got = torch.cat(one_layer.activations("B", texts))
    torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", "AB")
def test_there_are_neurons_of_every_kind_to_name(name):
    from course_utils.checks.notebook_04_polysemanticity.neurons import verdicts
    from course_utils.checks.notebook_04_polysemanticity.one_layer import measured

    found = measured(name)
    said = verdicts(found.low, found.high)
    assert said.count("monosemantic") >= 1 and said.count("unclear") >= 3
    assert said.count("polysemantic") > 0.6 * len(said) and said.count("dense") >= 3
    assert found.low[said.index("monosemantic")] >= 1


# Raises

classes = torch.tensor([0, 1, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: effective_classes(-torch.ones(3, 1), classes), "negative"),
        (lambda: effective_classes(torch.full((3, 1), torch.nan), classes), "not finite"),
        (lambda: effective_classes(torch.ones(3, 1), 2 * classes), "class 1 has no row"),
        (lambda: effective_classes(torch.ones(3, 1), classes - 1), "below 0"),
        (lambda: neurons.text_means(torch.ones(2, 1), torch.tensor([0, 2])), "text 1 has no row"),
        (lambda: shuffled(effective_classes, torch.ones(3, 1), classes, n_permutations=0), "least"),
        (lambda: interval(torch.ones(3, 1), classes, n=0), "at least 1"),
        (lambda: interval(torch.ones(3, 1), classes, level=1.0), "between 0 and 1"),
        (lambda: histogram(torch.tensor([-1.0])), "negative"),
        (lambda: histogram(torch.ones(2), bins=0), "use at least 1"),
        (lambda: histogram(torch.ones(2), top=0.5), "1 or more"),
        (lambda: neurons.random_directions(torch.ones(3, 2), torch.ones(3)), "3 rates"),
        (lambda: neurons.random_directions(torch.ones(3, 2), torch.tensor([1.5])), "0 to 1"),
        (lambda: made().look(4), "use 0 to 3"),
        (lambda: made().order("size"), '"number", "fewest" or "most"'),
    ],
)
def test_what_cannot_be_computed_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": torch.tensor([0])}, "1 classes of texts"),
        ({"text": torch.tensor([0, 1, 0])}, "in the order of the texts"),
        ({"text": torch.tensor([0, 0, 0])}, "every text have some"),
        ({"names": ["a"]}, "1 names"),
    ],
)
def test_a_survey_whose_parts_do_not_belong_together(change, message):
    parts = {
        "activations": torch.ones(3, 2),
        "text": torch.tensor([0, 1, 1]),
        "spans": torch.tensor([[0, 1], [0, 1], [1, 2]]),
        "texts": ["a", "bc"],
        "classes": torch.tensor([0, 1]),
        "names": ["x", "y"],
    }
    assert len(Survey(**parts)) == 2
    with pytest.raises(ValueError, match=message):
        Survey(**(parts | change))


@pytest.mark.parametrize("name", neurons.__all__)
def test_everything_public_is_documented(name):
    assert inspect.getdoc(getattr(neurons, name))
