"""What two features have in common: found where it was planted, and not where it was not."""

from __future__ import annotations

import math

import pytest
import torch

from course_utils import polysemanticity as poly
from course_utils.polysemanticity.pair_lab import Lists, pair_report
from course_utils.polysemanticity.verdict import Evidence, View

pytest_plugins = ["language_fixtures"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def planted(cosine, *, n=30, d=200, noise=1.0, seed=0, layers=()):
    """Rows around two unit vectors with this cosine; in every coordinate, noise / sqrt(d)."""
    u = torch.linalg.qr(normal(d, 2, seed=seed)).Q
    means = u[:, 0], cosine * u[:, 0] + math.sqrt(1 - cosine**2) * u[:, 1]
    return [
        mean + noise * normal(*layers, n, d, seed=seed + k + 1) / d**0.5
        for k, mean in enumerate(means)
    ]


# Differences


def texts_with_signs():
    """Three texts of 4, 3 and 5 tokens; text 2 has two signs, and text 1 none."""
    text = torch.tensor([0] * 4 + [1] * 3 + [2] * 5)
    sign = torch.zeros(12, dtype=torch.bool)
    sign[[2, 8, 10]] = True
    return text, sign, normal(2, 12, 6)


def test_a_row_is_the_mean_at_signs_minus_the_mean_elsewhere_in_the_same_text():
    text, sign, values = texts_with_signs()
    rows = poly.differences(values, text, sign)
    assert rows.shape == (2, 2, 6), "a text without a sign has no row"
    expected = values[:, 2] - values[:, [0, 1, 3]].mean(1)
    torch.testing.assert_close(rows[:, 0], expected)
    expected = values[:, [8, 10]].mean(1) - values[:, [7, 9, 11]].mean(1)
    torch.testing.assert_close(rows[:, 1], expected)


def test_what_a_text_adds_to_all_its_tokens_does_not_count():
    text, sign, values = texts_with_signs()
    shifted = values + 100 * normal(3, 6, seed=5)[text]
    torch.testing.assert_close(
        poly.differences(shifted, text, sign), poly.differences(values, text, sign),
        atol=1e-4, rtol=1e-4,
    )  # fmt: skip


def test_random_signs_are_as_many_in_every_text_and_anywhere():
    text, sign, _ = texts_with_signs()
    order = torch.randperm(12, generator=seeded(9))
    for t, s in ((text, sign), (text[order], sign[order])):
        draws = torch.stack([poly.random_signs(t, s, generator=seeded(k)) for k in range(200)])
        for i in range(3):
            counts = draws[:, t == i].sum(1)
            assert (counts == int(s[t == i].sum())).all()
        assert draws[:, t != 1].any(0).all()


def test_random_directions_are_those_of_random_signs():
    text, sign, values = texts_with_signs()
    found = poly.random_directions(values, text, sign, n=5, generator=seeded(3))
    generator = seeded(3)
    for k in range(5):
        drawn = poly.random_signs(text, sign, generator=generator)
        torch.testing.assert_close(found[:, k], poly.differences(values, text, drawn).mean(1))


def test_no_sign_at_all_is_one_sentence():
    text, sign, values = texts_with_signs()
    with pytest.raises(ValueError, match="no text has both a sign and another token"):
        poly.differences(values, text, sign & False)
    with pytest.raises(ValueError, match="n is 0; use at least 1"):
        poly.random_directions(values, text, sign, n=0)


# Cosines


def test_a_direction_is_the_difference_of_means_one_long():
    a, b = normal(5, 4), normal(7, 4, seed=1)
    d = poly.direction(a, b)
    assert float(d.norm()) == pytest.approx(1)
    torch.testing.assert_close(d * (a.mean(0) - b.mean(0)).norm(), a.mean(0) - b.mean(0))
    assert not poly.direction(a, a).any(), "zeros where there is no difference"


@pytest.mark.parametrize("cosine", [-0.7, 0.0, 0.4, 0.9])
def test_noise_makes_the_plain_cosine_too_small_and_not_the_unbiased_one(cosine):
    plain, unbiased = [], []
    for seed in range(40):
        pair = planted(cosine, n=12, noise=3.0, seed=10 * seed)
        plain.append(float(poly.cosine(*pair)))
        unbiased.append(float(poly.unbiased_cosine(*pair)))
    plain, unbiased = sum(plain) / 40, sum(unbiased) / 40
    assert plain == pytest.approx(cosine * 12 / (12 + 9), abs=0.05)
    assert unbiased == pytest.approx(cosine, abs=0.08)


def test_layers_are_computed_one_by_one():
    first, second = planted(0.5, layers=(3,))
    together = poly.unbiased_cosine(first, second)
    each = [poly.unbiased_cosine(first[k], second[k]) for k in range(3)]
    torch.testing.assert_close(together, torch.stack(each))
    low, high = poly.bootstrap_interval(first, second, n=50, generator=seeded())
    assert low.shape == high.shape == (3,) and (low < high).all()


def test_reliability_is_the_share_of_a_means_length_that_is_no_noise():
    rows, _ = planted(0.0, n=400, noise=20.0)
    assert float(poly.reliability(rows)) == pytest.approx(1 / (1 + 20**2 / 400), abs=0.1)
    assert float(poly.reliability(normal(30, 200))) < 0.5


def test_where_there_is_nothing_but_noise_the_cosine_is_no_number_beyond_one():
    for seed in range(20):
        value = float(poly.unbiased_cosine(normal(6, 20, seed=seed), normal(5, 20, seed=seed + 99)))
        assert -1 <= value <= 1


def test_intervals_have_the_planted_value_about_as_often_as_they_say():
    inside = 0
    for seed in range(60):
        low, high = poly.bootstrap_interval(
            *planted(0.5, n=25, noise=2.0, seed=7 * seed), n=300, generator=seeded(seed)
        )
        inside += bool(low <= 0.5 <= high)
    assert 50 <= inside <= 60


def test_the_interval_is_about_the_unbiased_cosine():
    """A text drawn twice must not count as two that agree: then the interval would be too low."""
    pair = planted(0.8, n=10, noise=3.0, seed=3)
    draws = poly.bootstrap_cosines(*pair, n=2000, generator=seeded())
    assert float(draws.median()) == pytest.approx(float(poly.unbiased_cosine(*pair)), abs=0.1)
    naive = poly.bootstrap(poly.cosine, *pair, 300, seeded())
    assert float(naive.median()) < float(poly.cosine(*pair)) - 0.05


def test_the_bootstrap_draws_rows_of_both_with_replacement():
    first, second = torch.arange(6.0)[:, None], torch.arange(9.0)[:, None]
    seen = []
    values = poly.bootstrap(
        lambda a, b: seen.append((a, b)) or a.sum() - b.sum(), first, second, 20, seeded()
    )
    assert [(len(a), len(b)) for a, b in seen] == [(6, 9)] * 20
    assert values.tolist() == [float(a.sum() - b.sum()) for a, b in seen]
    assert any(len(a.unique()) < 6 for a, _ in seen)


def test_one_meaning_is_about_one_and_two_meanings_are_below_it():
    same, _ = planted(0.0, n=60)
    null = poly.shuffled_classes(same[:30], same[30:], generator=seeded())
    assert float(null.quantile(0.025)) > 0.9
    pair = planted(0.5)
    null = poly.shuffled_classes(*pair, generator=seeded())
    assert float(poly.unbiased_cosine(*pair)) < float(null.min())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: poly.unbiased_cosine(x[:1], x), "there are 1 and 6 texts; use at least 2"),
        (lambda x: poly.bootstrap_cosines(x, x, n=0), "n is 0; use at least 1."),
        (lambda x: poly.bootstrap_interval(x, x, level=95), "level is 95; use a share"),
        (lambda x: poly.strength(x[:1]), "fewer than 2 texts"),
        (lambda x: poly.bar_for_firing(x, n=0), "n is 0; use at least 1."),
        (lambda x: poly.neurons_for_both(x, x, 9), "k is 9; use 1 to 4."),
    ],
)
def test_bad_input_is_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call(normal(6, 4))


# Neurons


def with_neurons(seed=0, n=30, m=300):
    """Neurons 0 to 9 fire for both, 10 to 19 for the first, 20 to 29 for the second; 30 is silent
    at both."""
    first, second = normal(n, m, seed=seed), normal(n + 5, m, seed=seed + 1)
    first[:, :20] += 3
    second[:, :10] += 3
    second[:, 20:30] += 3
    first[:, 30] -= 5
    second[:, 30] -= 5
    return first, second


@pytest.mark.parametrize("seed", range(5))
def test_planted_neurons_are_found(seed):
    first, second = with_neurons(seed)
    found = poly.shared_neurons(first, second, generator=seeded())
    assert set(found.both.tolist()) >= set(range(10)) and found.n_both <= 11
    assert set(found.apart.tolist()) >= set(range(10, 30)) and found.n_apart <= 22
    assert 20 <= found.n_first <= 22 and 20 <= found.n_second <= 22
    assert found.expected == pytest.approx(found.n_first * found.n_second / 300)
    assert found.expected < found.most_by_chance < 10
    t = torch.minimum(poly.strength(first), poly.strength(second))[found.both]
    assert (t.diff() <= 0).all()
    assert set(poly.neurons_for_both(first, second, 10).tolist()) == set(range(10))


def test_without_anything_planted_hardly_a_neuron_is_found():
    counts = []
    for seed in range(30):
        found = poly.shared_neurons(
            normal(25, 400, seed=seed), normal(31, 400, seed=seed + 500), n=100,
            generator=seeded(seed),
        )  # fmt: skip
        counts.append((found.n_first > 0, found.n_apart > 0, found.n_both > 0))
    firing, apart, both = torch.tensor(counts).sum(0).tolist()
    assert firing <= 6 and apart <= 6 and both == 0, "each in about one case of twenty or forty"


def test_a_neuron_that_never_changes_has_no_strength():
    rows = normal(9, 4)
    rows[:, 2] = 5
    assert poly.strength(rows)[2] == 0 and poly.contrast(rows, rows + 0)[2] == 0
    assert math.isfinite(poly.bar_for_firing(rows, generator=seeded()))
    assert math.isfinite(poly.bar_for_contrast(rows, rows.flip(0), generator=seeded()))


def test_the_bar_for_telling_apart_is_that_of_the_slow_way():
    first, second = with_neurons(3, n=12, m=50)
    rows, most = torch.cat([first, second]), []
    generator = seeded(8)
    for order in torch.rand(100, len(rows), generator=generator).argsort(1):
        most.append(poly.contrast(rows[order[:12]], rows[order[12:]]).abs().max())
    fast = poly.bar_for_contrast(first, second, n=100, generator=seeded(8))
    assert fast == pytest.approx(float(torch.stack(most).quantile(0.95)), rel=1e-3)


# One sign in two classes


def sign(mean, seed, layers=2, n_texts=30, d=100):
    text = torch.arange(n_texts).repeat_interleave(6)
    is_sign = torch.arange(6 * n_texts) % 6 == 5
    values = normal(layers, 6 * n_texts, d, seed=seed)
    values[:, is_sign] += mean
    return poly.sign_of(values, text, is_sign, n_random=80, generator=seeded(seed))


def test_a_sign_lies_between_its_two_nulls_where_it_was_planted():
    first, second = torch.linalg.qr(normal(100, 2)).Q.T * 6
    mixed = 0.5 * first + math.sqrt(0.75) * second
    found = poly.compare_signs(sign(first, 1), sign(mixed, 2), generator=seeded())
    assert ((found.value - 0.5).abs() < 0.1).all()
    assert (found.low < 0.5).all() and (found.high > 0.5).all()
    assert (found.low > found.null_high).all() and (found.high < found.one_low).all()
    assert (found.plain < found.value).all()
    same = poly.compare_signs(sign(first, 1), sign(first, 2), generator=seeded())
    assert (same.high >= same.one_low).all()
    none = poly.compare_signs(sign(first, 1), sign(second, 2), generator=seeded())
    assert (none.low < none.null_high).all()


# The verdict

DEPENDS = "depends on what they are compared with"
NOTHING = View(0.0, -0.1, 0.1, -0.25, 0.25)
ALIKE = View(0.5, 0.4, 0.6, -0.25, 0.25)
OPPOSITE = View(-0.5, -0.6, -0.4, -0.25, 0.25)
ACROSS = View(0.3, 0.2, 0.4, -0.25, 0.25)
UNSURE = View(0.0, -0.7, 0.7, -0.25, 0.25)
BOTH_THERE = {
    "n_first": 16, "n_second": 16, "probe": 0.95, "probe_null": 0.6, "overlap": 0.1,
    "from_ordinary": NOTHING, "from_kinds": NOTHING, "shared": 4, "shared_null": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "likely orthogonal"),
        ({"from_ordinary": ALIKE, "from_kinds": ALIKE}, "likely in superposition together"),
        ({"from_ordinary": OPPOSITE, "from_kinds": OPPOSITE}, "likely in superposition together"),
        ({"from_ordinary": ALIKE}, DEPENDS),
        ({"from_ordinary": ALIKE, "from_kinds": OPPOSITE}, DEPENDS),
        ({"from_kinds": ALIKE}, "likely orthogonal"),
        ({"from_ordinary": ACROSS, "from_kinds": ALIKE}, "likely orthogonal"),
        ({"shared": 20}, "likely orthogonal"),
        ({"from_ordinary": ALIKE, "from_kinds": ALIKE, "overlap": 0.6}, "too few examples to say"),
        ({"overlap": 0.9}, "likely orthogonal"),
        ({"from_ordinary": UNSURE}, "too few examples to say"),
        ({"from_kinds": UNSURE}, "too few examples to say"),
        ({"probe": 0.6}, "not linearly represented here"),
        ({"probe": 0.8, "probe_null": 0.8}, "not linearly represented here"),
        ({"probe": 0.5, "from_ordinary": ALIKE, "from_kinds": ALIKE},
         "not linearly represented here"),
        ({"n_second": 9}, "too few examples to say"),
        ({"n_first": 4, "probe": 0.5}, "too few examples to say"),
    ],
)  # fmt: skip
def test_the_verdict_follows_its_rules(changes, word):
    said, reason = poly.verdict(Evidence(**(BOTH_THERE | changes)))
    assert said == word and said in poly.VERDICTS
    assert (
        reason[-1] == "." and 30 < len(reason) < 400 and reason[0].isupper() | reason[0].isdigit()
    )


# The pair lab, on planted features


class NearestMean:
    """A probe as `language.sparse_probe` is, but quick: the nearer of two means, half held out."""

    def __init__(self, features, labels):
        generator = seeded(1)

        def accuracy(y):
            train = torch.rand(len(y), generator=generator) < 0.5
            a, b = features[train & y].mean(0), features[train & ~y].mean(0)
            said = (features - a).norm(dim=1) < (features - b).norm(dim=1)
            return float((said == labels)[~train].float().mean())

        self.accuracy = accuracy(labels)
        self.null = [accuracy(labels[torch.randperm(len(labels), generator=generator)])
                     for _ in range(5)]  # fmt: skip


def nearest_says_yes(features, labels, others):
    a, b = features[labels].mean(0), features[~labels].mean(0)

    def share(rows):
        return float(((rows - a).norm(dim=1) < (rows - b).norm(dim=1)).float().mean())

    return share(features[labels]), share(features[~labels]), share(others)


def lists(cosine, *, n=16, length=5.0, d=150, seed=0, mixed=False, shift=0.0):
    """Two features with this cosine. `mixed`: the second's texts have the first too. `shift`: how
    far all texts but ordinary ones lie in a direction of their own."""
    first, second = (length * rows for rows in planted(cosine, n=n, noise=0, d=d, seed=seed))
    shape = (2, n, d)
    strange = shift * torch.nn.functional.normalize(normal(d, seed=seed + 90), dim=0)
    return Lists(
        first + strange + normal(*shape, seed=seed + 50),
        second + mixed * first + strange + normal(*shape, seed=seed + 60),
        normal(2, 96, d, seed=seed + 70),
        strange + normal(2, 8, 6, d, seed=seed + 80),
    )


def report(made, layers=(4, 12), **changes):
    return pair_report(
        made, made, layers, probe=NearestMean, says_yes=nearest_says_yes,
        generator=seeded(), **changes,
    )  # fmt: skip


def test_planted_pairs_get_their_verdicts():
    assert report(lists(0.0)).verdict == "likely orthogonal"
    assert report(lists(0.45, length=8.0)).verdict == "likely in superposition together"
    assert report(lists(0.0, length=0.0)).verdict == "not linearly represented here"
    assert report(lists(0.0, n=6)).verdict == "too few examples to say"


def test_two_texts_that_are_only_no_ordinary_ones_are_not_in_superposition():
    made = report(lists(0.0, length=5.0, shift=12.0))
    assert made.from_ordinary.cosine > 0.6 and abs(made.from_kinds.cosine) < 0.2
    assert made.verdict == DEPENDS


def test_a_feature_that_comes_with_the_other_is_not_in_superposition_with_it():
    """The probe must not have learned to say no to the other list."""
    made = report(lists(0.0, length=8.0, mixed=True))
    assert made.from_ordinary.side == made.from_kinds.side == 1
    assert made.first_in_second > 0.9 and made.verdict == "too few examples to say"


def test_a_report_has_every_number_beside_its_null():
    found = report(lists(0.6, length=8.0))
    assert found.layers == (4, 12) and found.judged == (12,)
    view = found.from_ordinary
    assert view.cosine == pytest.approx(found.cosine[1]) == pytest.approx(0.6, abs=0.15)
    assert found.from_kinds.cosine == pytest.approx(0.6, abs=0.15)
    assert found.from_kinds.low < found.from_kinds.cosine < found.from_kinds.high
    assert -0.5 < found.from_kinds.null_low < 0 < found.from_kinds.null_high < 0.5
    for k in range(2):
        assert found.low[k] <= found.cosine[k] <= found.high[k]
        assert found.null_low[k] < 0 < found.null_high[k]
    assert (view.low, view.high) == pytest.approx((found.low[1], found.high[1]))
    assert found.neuron_layer == 12 and found.n_strongest == round(0.05 * 150)
    assert 0 <= found.n_shared <= found.n_strongest
    assert found.shared_by_chance == pytest.approx(found.n_strongest**2 / 150)
    assert found.first_in_first > 0.9 > found.first_in_ordinary
    assert found.n_first == found.n_second == 16


def test_ordinary_sentences_do_not_make_two_directions_alike():
    """Their mean is taken from both; the noise in it must not be the same."""
    made = [report(lists(0.0, seed=100 * k)) for k in range(12)]
    assert abs(sum(r.from_ordinary.cosine for r in made) / 12) < 0.06
    assert abs(sum(r.from_kinds.cosine for r in made) / 12) < 0.06


@pytest.mark.parametrize(
    ("made", "layers", "words"),
    [
        (lists(0.0, n=3), (4, 12), "there are 3 and 3 snippets, 96 ordinary sentences and 6 texts"),
        (lists(0.0), (0, 4), r"layers are \[0, 4\]; use one from 8 on"),
    ],
)
def test_what_cannot_be_reported_is_one_sentence(made, layers, words):
    with pytest.raises(ValueError, match=words):
        report(made, layers)


# The real model


def test_the_semicolon_parts_in_the_neurons_of_layer_one(smollm2):
    from course_utils import language
    from course_utils.language.averages import (
        before_the_sign,
        massive,
        up_to_first,
    )
    from course_utils.snippets import SIGNS, semicolons

    found = {}
    layers = (0, 1, 4)
    for name in ("javascript", "english"):
        texts = semicolons()[name][:24]
        tokens, is_sign = up_to_first(language.tokenize(smollm2, texts), SIGNS)
        assert (is_sign.sum(1) == 1).all() and (tokens.is_text | ~is_sign).all()
        assert (tokens.lengths == is_sign.int().argmax(1) + 1).all(), "nothing after the sign"
        points = [language.hook_point(smollm2, layer, "mlp_post") for layer in layers]
        look = language.hook_point(smollm2, 3, "resid_post")
        acts = language.activations(smollm2, tokens, [*points, look])
        keep = ~massive(acts.values[look])
        assert 0.9 < keep.float().mean() < 1
        found[name] = poly.sign_of(
            (acts.values.pop(point)[keep] for point in points), acts.text[keep],
            is_sign[acts.text, acts.position][keep], generator=seeded(),
        )  # fmt: skip
        before, is_last = before_the_sign(tokens, is_sign)
        assert (is_last.sum(1) == 1).all() and not (is_last & is_sign).any()
        assert torch.equal(before.lengths, is_last.int().argmax(1) + 1)
    compared = poly.compare_signs(found["javascript"], found["english"], generator=seeded())
    assert compared.value[0] > 0.5 > 0.4 > compared.value[1] > compared.null_high[1]
    assert (compared.high < compared.one_low).all()


def test_probe_and_means_fit_the_pair_lab(smollm2):
    from course_utils import snippets
    from course_utils.language.averages import text_means
    from course_utils.language.probing import says_yes, sparse_probe

    layers, worked = (0, 8, 10), snippets.pairs()
    pair = worked["cooking_law"]
    ordinary = [*worked["past_future"].first, *worked["even_odd"].first]
    texts = [*pair.first, *pair.second, *ordinary]
    means = text_means(smollm2, texts, layers, progress=False)
    alone = text_means(smollm2, pair.first[:1], layers, progress=False)
    assert means["resid_post"].shape == (3, len(texts), 576)
    gap = (alone["mlp_post"][0, 0] - means["mlp_post"][0, 0]).norm()
    assert gap < 0.2 * means["mlp_post"][0, 0].norm(), "but for what counts as massive"
    n = len(pair.first)
    parts = {
        site: Lists(
            x[:, :n], x[:, n : 2 * n], x[:, 2 * n :], x[:, -24:].unflatten(1, (4, 6))
        )
        for site, x in means.items()
    }  # fmt: skip
    found = pair_report(
        parts["resid_post"], parts["mlp_post"], layers, probe=sparse_probe, says_yes=says_yes,
        generator=seeded(),
    )  # fmt: skip
    assert found.mean_probe > 0.75 > found.probe_null
    assert found.first_in_first > found.first_in_second
    assert found.verdict in poly.VERDICTS
