"""Where batches come from, and where the data lies."""

from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Generator

from course_utils.sae import Recipe, TopKConfig, train
from course_utils.sae.centre import geometric_median, unit_scale
from course_utils.sae.data import source


def rows(n, d, seed=0):
    return torch.randn(n, d, generator=Generator().manual_seed(seed), dtype=torch.float64)


# The geometric median


def test_of_four_corners_it_is_where_the_diagonals_cross():
    corners = torch.tensor([[0.0, 0.0], [6.0, 0.0], [7.0, 7.0], [0.0, 3.0]], dtype=torch.float64)
    # (0, 0) to (7, 7), and (6, 0) to (0, 3): y = x and y = 3 - x / 2
    expected = torch.tensor([2.0, 2.0], dtype=torch.float64)
    found = geometric_median(corners, tolerance=1e-9, most_steps=2000)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@given(n=st.integers(2, 30), d=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_no_point_nearby_has_a_smaller_sum_of_distances(n, d, seed):
    x = rows(n, d, seed)

    def total(point):
        return (x - point).norm(dim=1).sum().item()

    median = geometric_median(x, tolerance=1e-8, most_steps=5000)
    best = total(median)
    for step in 0.05 * rows(20, d, seed + 1):
        assert best <= total(median + step) + 1e-3 * n
    assert best <= total(x.mean(0)) + 1e-9


def test_a_few_huge_rows_move_the_mean_and_hardly_the_median():
    x = rows(1000, 8)
    huge = x.clone()
    huge[:5] += 10_000
    moved = (geometric_median(huge) - geometric_median(x)).norm()
    assert (huge.mean(0) - x.mean(0)).norm() > 100
    assert moved < 0.1


def test_of_equal_rows_it_is_that_row():
    x = torch.tensor([[1.0, -2.0, 3.0]]).repeat(7, 1)
    torch.testing.assert_close(geometric_median(x), x[0])
    torch.testing.assert_close(geometric_median(torch.zeros(3, 2)), torch.zeros(2))


def test_of_no_row_there_is_none():
    with pytest.raises(ValueError, match="x has no row; at least 1 is needed"):
        geometric_median(torch.zeros(0, 3))


@pytest.mark.parametrize("centre", ["median", "mean", "zero"])
def test_b_dec_begins_at_the_centre_that_is_asked_for(centre):
    x = rows(300, 6).float() ** 2
    recipe = Recipe(steps=1, batch_size=8, learning_rate=1e-6, centre=centre, scale=False)
    trained = train(TopKConfig(6, 12, k=2), x, recipe, seed=0, progress=False)
    wanted = {"median": geometric_median(x), "mean": x.mean(0), "zero": torch.zeros(6)}
    torch.testing.assert_close(trained.sae.b_dec, wanted[centre], atol=1e-5, rtol=0)


def test_the_unit_gives_rows_a_mean_norm_of_the_root_of_their_length():
    x = 40 * rows(200, 9)
    assert (unit_scale(x) * x).norm(dim=1).mean().item() == pytest.approx(3)
    assert unit_scale(torch.zeros(4, 9)) == 1


# Batches


def numbered(n):
    """Row i has only the number i."""
    return torch.arange(n, dtype=torch.float32).unsqueeze(1)


def taken(source, *sizes):
    return [source.take(size)(slice(None)).squeeze(1).int().tolist() for size in sizes]


def test_all_rows_come_once_before_any_comes_again():
    batches = taken(source(numbered(10), 1, seed=0, shuffle_rows=1), *[4] * 10)
    order = list(chain(*batches))
    rounds = [order[i : i + 10] for i in range(0, 40, 10)]
    assert all(sorted(some) == list(range(10)) for some in rounds)
    assert len({tuple(some) for some in rounds}) == 4
    assert all(len(batch) == 4 for batch in batches)


def test_a_stream_is_shuffled_in_its_pool_and_nothing_is_lost():
    blocks = list(numbered(60).split(7))
    found = list(chain(*taken(source(blocks, 1, seed=0, shuffle_rows=20), *[5] * 12)))
    assert sorted(found) == list(range(60))
    assert found != sorted(found)
    assert all(row < place + 20 + 7 for place, row in enumerate(found))  # no more is read ahead


@pytest.mark.parametrize("kind", ["rows", "pool"])
def test_the_seed_decides_the_order(kind):
    data = numbered(60) if kind == "rows" else list(numbered(60).split(7))
    once, again, other = (
        taken(source(data, 1, seed=seed, shuffle_rows=20), 6, 6) for seed in (0, 0, 1)
    )
    assert once == again != other


def test_a_file_is_read_as_its_tensor(tmp_path):
    x = numbered(30)
    np.save(tmp_path / "x.npy", x.numpy())
    save_file({"activations": x, "other": torch.zeros(3)}, tmp_path / "x.safetensors")
    save_file({"any": x}, tmp_path / "one.safetensors")
    expected = taken(source(x, 1, seed=0, shuffle_rows=1), 8, 8)
    for name in ("x.npy", "x.safetensors", "one.safetensors"):
        assert taken(source(tmp_path / name, 1, seed=0, shuffle_rows=1), 8, 8) == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_batches_have_32_bits_whatever_the_data_have(dtype):
    draw = source(numbered(9).to(dtype), 1, seed=0, shuffle_rows=1).take(4)
    assert draw(slice(0, 2)).dtype == torch.float32


# What is refused


def bad(change):
    x = torch.ones(20, 3)
    return change(x)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda x: x[:, :2], r"the tensor has shape \(20, 2\); \(rows, d_in = 3\) is needed"),
        (lambda x: x[0], r"the tensor has shape \(3,\); \(rows, d_in = 3\) is needed"),
        (lambda x: x[:0], "the tensor is empty: it has no row"),
        (lambda x: x.int(), r"the tensor is torch\.int32; activations are a tensor of floating"),
        (lambda x: x / (x.cumsum(0) - 5), "the tensor has NaN or infinity in row 4"),
        (lambda x: [x[:, :2]], r"block 0 of the stream has shape \(20, 2\)"),
        (lambda x: [x, x * torch.nan], "block 1 of the stream has NaN or infinity in row 0"),
        (
            lambda x: [x, x, x],
            "the stream ended after 3 blocks, and training needs more; use fewer",
        ),
        (lambda x: "nowhere.npy", r"there is no file nowhere\.npy"),
        (lambda x: __file__, r"is not a file of activations; use \.safetensors or \.npy"),
    ],
)
def test_activations_that_can_not_be_used_are_refused_in_one_sentence(change, sentence):
    recipe = Recipe(steps=4, batch_size=16, shuffle_rows=32)
    with pytest.raises(ValueError, match=sentence) as error:
        train(TopKConfig(3, 8, k=2), bad(change), recipe, seed=0, progress=False)
    assert "\n" not in str(error.value)


def test_huge_numbers_are_no_infinities():
    source(torch.full((20, 3), 3e38), 3, seed=0, shuffle_rows=1)  # though their sum is one


@pytest.mark.parametrize("content", ["text", "two"])
def test_files_that_can_not_be_read_are_named(tmp_path, content):
    path = tmp_path / "x.safetensors"
    if content == "two":
        save_file({"one": torch.ones(2, 3), "other": torch.ones(2, 3)}, path)
    else:
        path.write_text("no tensors")
    with pytest.raises(ValueError, match=r"x\.safetensors can't be read as activations"):
        source(path, 3, seed=0, shuffle_rows=1)
