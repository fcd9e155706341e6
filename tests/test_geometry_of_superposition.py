"""Geometry of notebook 03: shares of a dimension, shapes and their names, packing, pair losses."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor

from course_utils import geometry
from course_utils.toy_models import ToyConfig, ToyModel, expected_loss

seeds = st.integers(0, 2**32)
sizes = st.tuples(st.integers(1, 6), st.integers(1, 9))
dtypes = st.sampled_from([torch.float32, torch.float64])
DIGON = torch.tensor([[1.0, -1.0]])


def randn(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=dtype)


def rotation(d: int, seed: int) -> Tensor:
    """A random orthogonal matrix: a rotation, or one and a mirror."""
    return torch.linalg.qr(randn(d, d, seed=seed)).Q


def product(*parts: Tensor) -> Tensor:
    whole = parts[0]
    for part in parts[1:]:
        whole = geometry.tegum_product(whole, part)
    return whole


def cube() -> Tensor:
    return torch.tensor(list(itertools.product((-1.0, 1.0), repeat=3))).T / math.sqrt(3)


def rank_of(W: Tensor) -> int:
    return int(torch.linalg.matrix_rank(W.double(), rtol=1e-6))


@st.composite
def weights(draw: st.DrawFn, dtype: torch.dtype | None = None) -> Tensor:
    """Any W from (1, 1) to (6, 9), often of low rank, often with columns of zeros, maybe all."""
    d, n = draw(sizes)
    rank, seed = draw(st.integers(1, min(d, n))), draw(seeds)
    # An orthogonal matrix of this rank, and lengths that differ by no more than single precision
    # can tell from nothing.
    left, right = rotation(d, seed)[:, :rank], rotation(n, seed + 1)[:rank]
    spread = 10 ** -(2 * torch.rand(rank, generator=Generator().manual_seed(seed)).double())
    W = left * spread @ right
    W[:, draw(st.lists(st.integers(0, n - 1), max_size=n))] = 0
    return W.to(dtype or draw(dtypes))


# Shares of a dimension -------------------------------------------------------------------


@given(weights())
def test_a_share_is_at_most_the_leverage_score_and_the_shares_at_most_the_rank(W):
    D, leverage, rank = (
        geometry.feature_dimensionality(W),
        geometry.leverage_scores(W),
        rank_of(W),
    )
    assert D.shape == leverage.shape == (W.shape[1],)
    assert D.dtype == leverage.dtype == W.dtype
    assert (D >= 0).all() and (leverage <= 1 + 1e-4).all()
    assert (D <= leverage + 1e-4).all()
    assert leverage.sum().item() == pytest.approx(rank, abs=1e-3)
    assert D.sum() <= rank + 1e-3


@given(weights(torch.float64))
def test_shares_by_their_definitions(W):
    D, leverage = geometry.feature_dimensionality(W), geometry.leverage_scores(W)
    M = torch.linalg.pinv(W @ W.T, rtol=1e-9)
    for i in range(W.shape[1]):
        length, own = W[:, i].norm(), 0.0
        if length > 0:
            own = length**2 / ((W[:, i] / length) @ W).square().sum()
        assert D[i].item() == pytest.approx(float(own), abs=1e-9)
        assert leverage[i].item() == pytest.approx(float(W[:, i] @ M @ W[:, i]), abs=1e-6)


@given(weights(torch.float64))
def test_the_two_shares_are_equal_exactly_for_eigenvectors(W):
    S = W @ W.T
    gap = geometry.leverage_scores(W) - geometry.feature_dimensionality(W)
    for i in range(W.shape[1]):
        w = W[:, i] / W[:, i].norm().clamp_min(1e-300)
        off = (S @ w - (w @ S @ w) * w).norm() / S.norm().clamp_min(1e-300)
        if off < 1e-9:
            assert abs(gap[i]) < 1e-6
        elif off > 1e-2:
            assert gap[i] > 1e-6


@given(st.integers(1, 6), st.integers(0, 4), seeds)
def test_in_a_tight_frame_the_shares_fill_all_dimensions(m, more, seed):
    W = rotation(m + more, seed)[:m]  # the projection of an orthonormal basis
    D = geometry.feature_dimensionality(W)
    assert torch.allclose(D, geometry.leverage_scores(W), atol=1e-9)
    assert torch.allclose(D, (W**2).sum(0), atol=1e-9)
    assert D.sum().item() == pytest.approx(m)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), min_size=2, max_size=3), seeds)
def test_so_do_those_of_a_tegum_product_of_tight_frames(parts, seed):
    frames = [
        (i + 1) * rotation(m + more, seed + i)[:m]  # of any size
        for i, (m, more) in enumerate(parts)
    ]
    W = product(*frames)
    D = geometry.feature_dimensionality(W)
    assert torch.allclose(D, geometry.leverage_scores(W), atol=1e-9)
    assert D.sum().item() == pytest.approx(len(W))


@given(weights(torch.float64), weights(torch.float64))
def test_in_a_tegum_product_every_feature_keeps_its_share(A, B):
    W = geometry.tegum_product(A, B)
    assert W.shape == (len(A) + len(B), A.shape[1] + B.shape[1])
    assert torch.equal(W[: len(A), : A.shape[1]], A)
    assert torch.equal(W[len(A) :, A.shape[1] :], B)
    assert not W[: len(A), A.shape[1] :].any() and not W[len(A) :, : A.shape[1]].any()
    for share in (geometry.feature_dimensionality, geometry.leverage_scores):
        assert torch.allclose(share(W), torch.cat([share(A), share(B)]), atol=1e-6)


@given(weights(), st.floats(-6, 6), st.sampled_from([-1, 1]), seeds)
def test_shares_change_with_neither_rotation_nor_scale(W, power, sign, seed):
    scale = sign * 10**power
    Q = rotation(len(W), seed).to(W.dtype)
    for share in (geometry.feature_dimensionality, geometry.leverage_scores):
        assert torch.allclose(share(scale * W), share(W), atol=1e-4)
        assert torch.allclose(share(Q @ W), share(W), atol=1e-3)


@given(weights(torch.float64), seeds)
def test_leverage_scores_change_with_no_change_of_basis(W, seed):
    A = rotation(len(W), seed) @ torch.diag(torch.linspace(1, 3, len(W)).double())
    assert torch.allclose(geometry.leverage_scores(A @ W), geometry.leverage_scores(W), atol=1e-9)


@given(sizes, dtypes)
def test_nothing_has_no_share(size, dtype):
    W = torch.zeros(size, dtype=dtype)
    assert geometry.feature_dimensionality(W).tolist() == [0.0] * size[1]
    assert geometry.leverage_scores(W).tolist() == [0.0] * size[1]
    assert geometry.dimensions_per_feature(W) == math.inf


@pytest.mark.parametrize("scale", [1e-30, 1e-18, 1e18, 1e30])
def test_shares_of_tiny_and_of_huge_weights(scale):
    D = geometry.feature_dimensionality(scale * geometry.regular_polygon(5))
    assert D.tolist() == pytest.approx([2 / 5] * 5)


def test_every_instance_has_its_own_shares():
    W = randn(2, 3, 4, 6, seed=0)
    W[0, 1] *= 1e-5
    for share in (
        geometry.feature_dimensionality,
        geometry.leverage_scores,
        geometry.dimensions_per_feature,
        geometry.coherence,
        geometry.cosines,
    ):
        for i, j in itertools.product(range(2), range(3)):
            assert torch.allclose(share(W)[i, j], share(W[i, j]))


def test_dimensions_per_feature():
    assert geometry.dimensions_per_feature(torch.eye(4)).item() == pytest.approx(1)
    octahedron = product(DIGON, DIGON, DIGON)
    assert geometry.dimensions_per_feature(octahedron).item() == pytest.approx(1 / 2)
    assert geometry.dimensions_per_feature(2 * octahedron).item() == pytest.approx(1 / 8)
    unused = torch.cat([octahedron, torch.zeros(1, 6)])
    assert geometry.dimensions_per_feature(unused).item() == pytest.approx(4 / 6)


# Shapes ----------------------------------------------------------------------------------

BUILT = {
    "digon": (geometry.simplex(2), [1 / 2] * 2),
    "triangle": (geometry.simplex(3), [2 / 3] * 3),
    "tetrahedron": (geometry.simplex(4), [3 / 4] * 4),
    "pentagon": (geometry.regular_polygon(5), [2 / 5] * 5),
    "hexagon": (geometry.regular_polygon(6), [1 / 3] * 6),
    "square antiprism": (geometry.square_antiprism(), [3 / 8] * 8),
    "2 digons (square)": (product(DIGON, DIGON), [1 / 2] * 4),
    "3 digons (octahedron)": (product(DIGON, DIGON, DIGON), [1 / 2] * 6),
    "triangle and digon (triangular bipyramid)": (
        product(geometry.regular_polygon(3), DIGON),
        [2 / 3] * 3 + [1 / 2] * 2,
    ),
    "pentagon and digon (pentagonal bipyramid)": (
        product(geometry.regular_polygon(5), DIGON),
        [2 / 5] * 5 + [1 / 2] * 2,
    ),
    "digon and a dimension of its own": (product(DIGON, torch.ones(1, 1)), [0.5, 0.5, 1]),
    "2 dimensions of their own": (torch.eye(2), [1, 1]),
    "triangle and pentagon and digon": (
        product(geometry.simplex(3), geometry.regular_polygon(5), DIGON),
        [2 / 3] * 3 + [2 / 5] * 5 + [1 / 2] * 2,
    ),
}


@pytest.mark.parametrize(("W", "shares"), BUILT.values(), ids=BUILT)
def test_shares_in_each_shape(W, shares):
    assert geometry.feature_dimensionality(W).tolist() == pytest.approx(shares, abs=1e-5)
    assert geometry.feature_norms(W).tolist() == pytest.approx([1.0] * W.shape[1], abs=1e-5)


@given(st.integers(1, 40))
def test_regular_polygons(k):
    W = geometry.regular_polygon(k)
    assert W.shape == (2, k)
    assert W[:, 0].tolist() == [1, 0]
    expected = 2 / k if k > 2 else 1 / k
    assert geometry.feature_dimensionality(W).tolist() == pytest.approx([expected] * k, abs=1e-5)
    neighbours = (W * W.roll(1, 1)).sum(0)
    assert neighbours.tolist() == pytest.approx([math.cos(2 * math.pi / k)] * k, abs=1e-5)


@given(st.integers(2, 12))
def test_simplices(k):
    W = geometry.simplex(k)
    assert W.shape == (k - 1, k)
    expected = torch.full((k, k), -1 / (k - 1))
    expected.fill_diagonal_(1.0)
    assert torch.allclose(W.T @ W, expected, atol=1e-5)
    assert geometry.feature_dimensionality(W).tolist() == pytest.approx([(k - 1) / k] * k, abs=1e-5)


@given(st.floats(0, 1))
def test_the_antiprism_has_three_eighths_at_one_height_only(height):
    W = geometry.square_antiprism(height)
    D = geometry.feature_dimensionality(W)
    assert geometry.feature_norms(W).tolist() == pytest.approx([1.0] * 8, abs=1e-5)
    assert W[2].tolist() == pytest.approx([height] * 4 + [-height] * 4)
    assert D.tolist() == pytest.approx([D[0].item()] * 8, abs=1e-5)
    # w S w for a frame with 4 (1 − h²), twice, and 8 h² on its three axes.
    assert D[0].item() == pytest.approx(1 / (4 * (1 - height**2) ** 2 + 8 * height**4), abs=1e-5)
    if abs(height - 1 / math.sqrt(3)) > 0.02:
        assert D[0] < 0.3749


@pytest.mark.parametrize(
    ("make", "argument", "advice"),
    [
        (geometry.regular_polygon, 0, "use at least 1"),
        (geometry.simplex, 1, "use at least 2"),
        (geometry.square_antiprism, -0.1, "from 0 to 1"),
        (geometry.square_antiprism, 1.1, "from 0 to 1"),
        (geometry.square_antiprism, math.nan, "from 0 to 1"),
    ],
)
def test_shapes_that_there_are_not(make, argument, advice):
    with pytest.raises(ValueError, match=advice):
        make(argument)


# Names -----------------------------------------------------------------------------------


@given(st.sampled_from(list(BUILT)), st.integers(0, 3), st.integers(0, 3), seeds, dtypes)
def test_a_shape_is_named_wherever_it_lies(name, more, ignored, seed, dtype):
    """Rotated into a larger space, its columns mixed, some others short, all of them noisy."""
    W = BUILT[name][0].double()
    d, n = len(W) + more, W.shape[1]
    noise = torch.nn.functional.normalize(randn(d, n, seed=seed), dim=0)
    W = rotation(d, seed + 1)[:, : len(W)] @ W + 0.02 * noise
    lengths = 0.6 + torch.rand(n, generator=Generator().manual_seed(seed)).double()
    short = 0.45 * torch.nn.functional.normalize(randn(d, ignored, seed=seed + 2), dim=0)
    order = torch.randperm(n + ignored, generator=Generator().manual_seed(seed))
    W = torch.cat([W * lengths, short], 1)[:, order].to(dtype)
    assert geometry.name_polytope(W) == name
    assert geometry.name_groups(W) == name.partition(" (")[0]


@given(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3), seeds)
def test_groups_are_counted(digons, pentagons, singles, seed):
    parts = [DIGON] * digons + [geometry.regular_polygon(5)] * pentagons + [torch.eye(1)] * singles
    name = geometry.name_groups(product(torch.zeros(1, 2), *parts))
    said = {
        "pentagon": ("pentagon", f"{pentagons} pentagons")[pentagons > 1] if pentagons else "",
        "digon": ("digon", f"{digons} digons")[digons > 1] if digons else "",
        "single": ("a dimension of its own", f"{singles} dimensions of their own")[singles > 1]
        if singles
        else "",
    }
    assert name == (" and ".join(filter(None, said.values())) or "nothing represented")


@given(st.sampled_from([7, 9, 10]), seeds)
def test_random_arrows_have_no_name(n, seed):
    W = torch.nn.functional.normalize(randn(3, n, seed=seed), dim=0)
    assert geometry.name_polytope(W) == "no shape with a name"
    assert "without a name" in geometry.name_groups(W)


def test_names_in_part():
    assert geometry.name_polytope(torch.zeros(3, 4)) == "nothing represented"
    heptagon = geometry.regular_polygon(7)
    assert geometry.name_polytope(heptagon) == "no shape with a name"
    assert geometry.name_groups(heptagon) == "a group of 7 without a name"
    several = product(heptagon, DIGON, torch.eye(1), geometry.regular_polygon(9))
    assert geometry.name_polytope(several) == "no shape with a name"
    assert geometry.name_groups(several) == (
        "digon and a dimension of its own and a group of 7 without a name and "
        "a group of 9 without a name"
    )


@pytest.mark.parametrize("degrees", [60, 75, 105, 120, 150])
def test_two_arrows_are_a_digon_only_when_opposite(degrees):
    angle = torch.tensor(math.radians(degrees))
    W = torch.stack([torch.stack([angle.cos(), angle.sin()]), torch.tensor([1.0, 0.0])], 1)
    assert geometry.name_polytope(W) == "no shape with a name"


# Faces -----------------------------------------------------------------------------------

SOLIDS = {
    "tetrahedron": (geometry.simplex(4), [3] * 4),
    "octahedron": (product(DIGON, DIGON, DIGON), [3] * 8),
    "cube": (cube(), [4] * 6),
    "antiprism": (geometry.square_antiprism(), [3] * 8 + [4] * 2),
    "flat antiprism": (geometry.square_antiprism(0.3), [3] * 8 + [4] * 2),
    "triangular bipyramid": (product(geometry.regular_polygon(3), DIGON), [3] * 6),
    "pentagonal bipyramid": (product(geometry.regular_polygon(5), DIGON), [3] * 10),
}


def assert_closed(W: Tensor, faces: list[list[int]], tolerance: float) -> None:
    """Every edge lies between two faces, all else is behind each face, and Euler is right."""
    edges = [
        frozenset(edge) for face in faces for edge in zip(face, face[1:] + face[:1], strict=True)
    ]
    assert all(edges.count(edge) == 2 and len(edge) == 2 for edge in edges)
    corners = {corner for face in faces for corner in face}
    assert len(corners) - len(set(edges)) + len(faces) == 2
    points, kept = W.double().T, geometry.represented(W)
    for face in faces:
        around = points[face]
        # Of a face that is not quite flat, the area as a vector: three of its corners may mislead.
        area = torch.linalg.cross(around, around.roll(-1, 0)).sum(0)
        heights = (points[kept] - around.mean(0)) @ torch.nn.functional.normalize(area, dim=0)
        assert min(heights.max(), -heights.min()) < tolerance


@pytest.mark.parametrize(("W", "corners"), SOLIDS.values(), ids=SOLIDS)
def test_faces_of_each_solid(W, corners):
    for seed in range(10):
        turned = rotation(3, seed) @ W.double()
        faces = geometry.polytope_faces(turned)
        assert sorted(map(len, faces)) == corners
        assert_closed(turned, faces, 1e-4)
        assert {corner for face in faces for corner in face} == set(range(W.shape[1]))


@given(st.integers(4, 9), seeds)
def test_faces_of_random_points_on_the_sphere(n, seed):
    W = torch.nn.functional.normalize(randn(3, n, seed=seed), dim=0)
    faces = geometry.polytope_faces(W)
    if len(faces) > 1:  # else flat enough to be drawn so
        # Triangles up to 8 degrees from the first are one face, so up to 16 from each other, and
        # corners on a sphere are at most 2 apart.
        assert_closed(W, faces, 2 * math.sin(math.radians(16.4)))


def test_faces_leave_out_what_is_short_and_what_is_inside():
    octahedron = product(DIGON, DIGON, DIGON)
    more = torch.tensor([[0.0, 0.55, 0.3], [0.0, 0.0, 0.3], [0.0, 0.0, 0.2]])
    W = torch.cat([more, octahedron], 1)
    faces = geometry.polytope_faces(W)
    assert sorted(map(len, faces)) == [3] * 8
    assert {corner for face in faces for corner in face} == set(range(3, 9))


@pytest.mark.parametrize("n", range(3, 9))
def test_a_flat_shape_is_one_face(n):
    W = torch.cat([geometry.regular_polygon(n), torch.zeros(1, n)]).double()
    for seed in range(3):
        order = torch.randperm(n, generator=Generator().manual_seed(seed))
        turned = rotation(3, seed) @ W[:, order]
        (face,) = geometry.polytope_faces(turned)
        assert sorted(face) == list(range(n))
        around = turned[:, face]
        neighbours = (around * around.roll(1, 1)).sum(0)
        assert neighbours.tolist() == pytest.approx([math.cos(2 * math.pi / n)] * n, abs=1e-5)


@pytest.mark.parametrize(
    "W",
    [
        torch.zeros(3, 5),
        torch.eye(3)[:, :1],
        torch.eye(3)[:, :2],
        torch.tensor([[1.0, -1.0, 2.0, 0.7], [0.0] * 4, [0.0] * 4]),
        torch.tensor([[1.0] * 3, [-1.0, 0.0, 1.0], [2.0] * 3]),
    ],
    ids=["zero", "one arrow", "two arrows", "a line through 0", "another line"],
)
def test_points_on_a_line_have_no_faces(W):
    assert geometry.polytope_faces(W) == []


@given(st.sampled_from(list(SOLIDS)), seeds)
def test_faces_stay_when_the_corners_move_a_little(name, seed):
    W, corners = SOLIDS[name]
    moved = W.double() + 0.01 * torch.nn.functional.normalize(randn(*W.shape, seed=seed), dim=0)
    faces = geometry.polytope_faces(moved)
    assert sorted(map(len, faces)) == corners
    assert_closed(moved, faces, 0.1)


# Packing ---------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(1, 6), seeds, dtypes)
def test_no_packing_beats_the_welch_bound(m, more, seed, dtype):
    W = randn(m, m + more, seed=seed, dtype=dtype)
    n, C = m + more, geometry.cosines(W)
    off = C[tuple(torch.triu_indices(n, n, 1))]
    assert C.diagonal().tolist() == pytest.approx([1.0] * n, abs=1e-5)
    assert geometry.coherence(W).item() == pytest.approx(off.abs().max().item(), abs=1e-6)
    assert off.square().mean().sqrt() >= geometry.welch_bound(n, m) - 1e-6
    assert geometry.coherence(W) >= geometry.welch_bound(n, m) - 1e-6


@given(st.integers(2, 12))
def test_simplices_reach_the_welch_bound(k):
    assert geometry.welch_bound(k, k - 1) == pytest.approx(1 / (k - 1))
    assert geometry.coherence(geometry.simplex(k)).item() == pytest.approx(1 / (k - 1), abs=1e-5)


@given(st.data(), st.integers(3, 15))
def test_tight_frames_of_unit_arrows_reach_it_in_the_mean_square(data, n):
    """Cosines and sines of some whole frequencies, sampled at n points."""
    frequencies = data.draw(
        st.lists(st.integers(1, (n - 1) // 2), min_size=1, max_size=(n - 1) // 2, unique=True)
    )
    angle = 2 * math.pi / n * torch.arange(n).double() * torch.tensor(frequencies)[:, None]
    W = torch.cat([angle.cos(), angle.sin()]) / math.sqrt(len(frequencies))
    off = geometry.cosines(W)[tuple(torch.triu_indices(n, n, 1))]
    bound = geometry.welch_bound(n, len(W))
    assert off.square().mean().sqrt().item() == pytest.approx(bound, abs=1e-9)
    assert geometry.feature_dimensionality(W).sum().item() == pytest.approx(len(W))


@pytest.mark.parametrize("name", ["triangle", "tetrahedron", "pentagon", "square antiprism"])
def test_and_so_do_the_shapes(name):
    W = BUILT[name][0]
    n = W.shape[1]
    off = geometry.cosines(W)[tuple(torch.triu_indices(n, n, 1))]
    bound = geometry.welch_bound(n, len(W))
    assert off.square().mean().sqrt().item() == pytest.approx(bound, abs=1e-5)


@given(st.integers(1, 9), st.integers(1, 9))
def test_the_welch_bound_itself(n, m):
    bound = geometry.welch_bound(n, m)
    assert 0 <= bound <= 1
    assert (bound == 0) == (n <= m)
    assert geometry.welch_bound(n + 1, m) >= bound >= geometry.welch_bound(n, m + 1)
    if n > m:
        assert bound**2 * m * (n - 1) == pytest.approx(n - m)


def test_zero_columns_have_no_cosine_and_a_single_one_no_coherence():
    W = torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 2.0]])
    C = geometry.cosines(W)
    assert C[1].tolist() == C[:, 1].tolist() == [0, 0, 0]
    assert C[0, 2].item() == geometry.coherence(W).item() == pytest.approx(math.sqrt(1 / 2))
    assert geometry.coherence(torch.ones(3, 1)) == 0


@pytest.mark.parametrize(("n", "m"), [(0, 1), (1, 0), (-2, 3)])
def test_the_welch_bound_needs_numbers_of_things(n, m):
    with pytest.raises(ValueError, match="at least 1 for both"):
        geometry.welch_bound(n, m)


@pytest.mark.parametrize(("n", "m"), [(1, 3), (4, 1), (0, 0)])
def test_thomsons_problem_needs_two_points_and_a_circle(n, m):
    with pytest.raises(ValueError, match="at least 2 for both"):
        geometry.thomson_points(n, m, seed=0)


# The least energies on the sphere: en.wikipedia.org/wiki/Thomson_problem.
@pytest.mark.parametrize(
    ("n", "energy"), [(2, 0.5), (4, 3.674234614), (6, 9.985281374), (8, 19.675287861)]
)
def test_thomsons_points(n, energy):
    W = geometry.thomson_points(n, seed=0, n_restarts=4, steps=800)
    assert W.shape == (3, n)
    assert geometry.feature_norms(W).tolist() == pytest.approx([1.0] * n)
    i, j = torch.triu_indices(n, n, 1)
    found = (1 / (W[:, i] - W[:, j]).norm(dim=0)).sum().item()
    assert found == pytest.approx(energy, abs=1e-6)
    again = geometry.thomson_points(n, seed=0, n_restarts=4, steps=800)
    assert torch.equal(W, again)
    shape, share = {
        2: ("digon", 1 / 2),
        4: ("tetrahedron", 3 / 4),
        6: ("3 digons (octahedron)", 1 / 2),
        8: ("square antiprism", 0.3744),
    }[n]
    assert geometry.name_polytope(W) == shape
    assert geometry.feature_dimensionality(W).tolist() == pytest.approx([share] * n, abs=5e-5)


def test_thomsons_points_on_a_circle_are_a_polygon():
    W = geometry.thomson_points(5, 2, seed=1, n_restarts=4, steps=800)
    assert geometry.name_polytope(W) == "pentagon"


# What a pair costs -----------------------------------------------------------------------


@given(st.floats(-1, 1), st.floats(0, 1), seeds)
def test_interference_alone_is_what_chance_says(cosine, p, seed):
    alone = geometry.interference_alone(cosine, p)
    x = torch.rand(10_000, generator=Generator().manual_seed(seed)).double()
    errors = torch.relu(cosine * x) ** 2
    margin = p * (1 - p) * 5 * errors.std().item() / math.sqrt(len(x)) + 1e-12
    assert alone == pytest.approx(p * (1 - p) * errors.mean().item(), abs=margin)
    assert 0 <= alone <= 1 / 12
    assert alone == 0 or (cosine > 0 and 0 < p < 1)
    several = geometry.interference_alone(torch.tensor([cosine, cosine]).double(), p)
    assert several.tolist() == pytest.approx([alone] * 2)
    several = geometry.interference_alone(cosine, torch.tensor([p], dtype=torch.float64))
    assert several.tolist() == pytest.approx([alone])


@pytest.mark.parametrize(
    ("cosine", "p", "advice"),
    [
        (1.1, 0.5, "from -1 to 1"),
        (-1.1, 0.5, "from -1 to 1"),
        (math.nan, 0.5, "from -1 to 1"),
        (0.5, -0.1, "from 0 to 1"),
        (0.5, torch.tensor([0.5, 1.1]), "from 0 to 1"),
        (0.5, math.nan, "from 0 to 1"),
    ],
)
def test_interference_alone_of_no_angle_or_no_probability(cosine, p, advice):
    with pytest.raises(ValueError, match=advice):
        geometry.interference_alone(cosine, p)


@given(st.floats(-1, 0), seeds)
def test_a_pair_costs_what_chance_says(cosine, seed):
    """Two unit arrows at this angle, both features present, in 100,000 draws."""
    W = torch.tensor([[1.0, cosine], [0.0, math.sqrt(1 - cosine**2)]]).double()
    x = torch.rand(100_000, 2, generator=Generator().manual_seed(seed)).double()
    errors = (torch.relu(x @ W.T @ W) - x).square().sum(1)
    margin = 5 * errors.std().item() / math.sqrt(len(x)) + 1e-12
    assert geometry.pair_loss(cosine) == pytest.approx(errors.mean().item(), abs=margin)


@given(st.lists(st.floats(-1, 0), min_size=1, max_size=5))
def test_pair_loss_takes_tensors_too_and_grows_with_the_angle(cosines):
    several = geometry.pair_loss(torch.tensor(sorted(cosines), dtype=torch.float64))
    assert several.tolist() == pytest.approx([geometry.pair_loss(c) for c in sorted(cosines)])
    assert several.tolist() == sorted(several.tolist(), reverse=True)
    assert (several >= 0).all() and (several <= 1 / 3 + 1e-12).all()


def test_pair_loss_at_both_ends():
    assert geometry.pair_loss(0.0) == 0
    assert geometry.pair_loss(-1.0) == pytest.approx(1 / 3)


@pytest.mark.parametrize("cosine", [0.1, -1.1, math.nan, torch.tensor([-0.5, 0.5])])
def test_an_acute_angle_has_no_pair_loss(cosine):
    with pytest.raises(ValueError, match="from -1 to 0"):
        geometry.pair_loss(cosine)


LEADING = {
    "triangle": (geometry.simplex(3), 3 / 8),
    "digon and one": (product(DIGON, torch.ones(1, 1)), 1 / 3),
    "tetrahedron": (geometry.simplex(4), 10 / 27),
    "octahedron": (product(DIGON, DIGON, DIGON), 1),
    "alone": (torch.eye(3), 0),
    "a single arrow": (torch.ones(1, 1), 0),
}


@pytest.mark.parametrize(("W", "loss"), LEADING.values(), ids=LEADING)
def test_leading_loss(W, loss):
    assert geometry.leading_loss(W) == pytest.approx(loss, abs=1e-6)
    for seed in range(5):
        turned = rotation(len(W), seed) @ W.double()
        assert geometry.leading_loss(turned) == pytest.approx(loss, abs=1e-6)
        assert geometry.leading_loss(turned.float()) == pytest.approx(loss, abs=1e-5)


@pytest.mark.parametrize("name", ["triangle", "digon and one", "tetrahedron"])
def test_leading_loss_is_the_loss_of_very_sparse_features(name):
    """With p = 0.01, from the losses with k features present: to wait for two takes too long."""
    (W, loss), p = LEADING[name], 0.01
    n = W.shape[1]
    config = ToyConfig(n_features=n, d_hidden=len(W), feature_probability=p)
    model = ToyModel(W, torch.zeros(n), config)

    def with_present(k: int) -> float:
        def sampler(batch_size: int, generator: Generator) -> Tensor:
            order = torch.rand(batch_size, n, generator=generator).argsort(1).argsort(1)
            return torch.rand(batch_size, n, generator=generator) * (order < k)

        return expected_loss(model, n_samples=200_000, seed=0, sampler=sampler).item()

    assert with_present(0) == 0
    assert with_present(1) < 1e-9
    parts = [math.comb(n, k) * p**k * (1 - p) ** (n - k) * with_present(k) for k in range(n + 1)]
    assert sum(parts) / p**2 == pytest.approx(loss, rel=0.03)
    measured = expected_loss(model, n_samples=1_000_000, seed=0).item()  # a hundred pairs or more
    assert measured == pytest.approx(sum(parts), rel=0.4)


@pytest.mark.parametrize("k", [5, 6, 7])
def test_polygons_with_an_acute_angle_have_no_leading_loss(k):
    with pytest.raises(ValueError, match="from -1 to 0"):
        geometry.leading_loss(geometry.regular_polygon(k))
