"""The shapes that feature directions make: built by hand, recognised, and their faces to draw."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.geometry.gram import feature_norms
from course_utils.geometry.packing import cosines


def regular_polygon(k: int) -> Float[Tensor, "2 k"]:
    """k unit vectors in the plane, at equal angles, the first one to the right.

    Every D_i is 2/k for k >= 3. Degenerate cases: k = 1 is one arrow, k = 2 an antipodal pair,
    which fills a line only and has D_i = 1/2.

    Raises:
        ValueError: k is below 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}; use at least 1.")
    angle = 2 * math.pi / k * torch.arange(k)
    return torch.stack([angle.cos(), angle.sin()])


def simplex(k: int) -> Float[Tensor, "k_less_1 k"]:
    """k unit vectors in k - 1 dimensions, every two with the cosine -1/(k - 1).

    2: digon (antipodal pair), 3: triangle, 4: tetrahedron. Every D_i is (k - 1)/k.

    Raises:
        ValueError: k is below 2.
    """
    if k < 2:
        raise ValueError(f"k is {k}; use at least 2.")
    # The corners e_i less their mean, in a basis of the space that they span.
    _, _, V = torch.linalg.svd(torch.eye(k, dtype=torch.float64) - 1 / k)
    return (V[: k - 1] * math.sqrt(k / (k - 1))).float()


def square_antiprism(height: float = 1 / math.sqrt(3)) -> Float[Tensor, "3 8"]:
    """Eight unit vectors: a square at +height, and one at -height turned by 45 degrees.

    D_i = 3/8 for all exactly at height 1/sqrt(3), where W W^T is a multiple of the identity.

    Raises:
        ValueError: height is outside [0, 1].
    """
    if not 0 <= height <= 1:
        raise ValueError(f"height is {height}; unit vectors need one from 0 to 1.")
    angle = math.pi / 4 * torch.tensor([0.0, 2, 4, 6, 1, 3, 5, 7])
    radius = math.sqrt(1 - height**2)
    z = height * torch.tensor([1.0] * 4 + [-1.0] * 4)
    return torch.stack([radius * angle.cos(), radius * angle.sin(), z])


def tegum_product(
    first: Float[Tensor, "d_1 n_1"], second: Float[Tensor, "d_2 n_2"]
) -> Float[Tensor, "d_1_plus_d_2 n_1_plus_n_2"]:
    """Two shapes in orthogonal subspaces: [[first, 0], [0, second]].

    Every feature keeps the D_i that it had alone, because no feature of one shape has a component
    along one of the other.

    Source: Toy Models of Superposition, "The Geometry of Superposition".
    """
    return torch.block_diag(first, second)


DIGON, TRIANGLE, PENTAGON, TETRAHEDRON = "digon", "triangle", "pentagon", "tetrahedron"
SINGLE = "single"

# The shapes that have a name, with how far a cosine may be off. The antiprism's depend on its
# height, which training does not fix exactly.
KNOWN: dict[str, tuple[Callable[[], Tensor], float]] = {
    DIGON: (lambda: simplex(2), 0.08),
    TRIANGLE: (lambda: simplex(3), 0.08),
    TETRAHEDRON: (lambda: simplex(4), 0.08),
    PENTAGON: (lambda: regular_polygon(5), 0.08),
    "hexagon": (lambda: regular_polygon(6), 0.08),
    "square antiprism": (square_antiprism, 0.15),
}
PRODUCTS = {
    (DIGON, DIGON): "square",
    (DIGON, DIGON, DIGON): "octahedron",
    (DIGON, TRIANGLE): "triangular bipyramid",
    (DIGON, PENTAGON): "pentagonal bipyramid",
}


def name_polytope(W: Float[Tensor, "d_hidden n_features"]) -> str:
    """The shape that the represented columns of W make, or "no shape with a name".

    Columns of length 1/2 or less are left out. The others are split into groups with right angles
    between them (|cos| < 0.15); each group is compared with the known shapes by its sorted cosines,
    and lengths are not looked at. Several groups are a tegum product: "triangle and digon
    (triangular bipyramid)". A group of one is "a dimension of its own".
    """
    names = _names_of_groups(W)
    if any(isinstance(name, int) for name in names):
        return "no shape with a name"
    product = PRODUCTS.get(tuple(sorted(map(str, names))))
    return name_groups(W) + (f" ({product})" if product else "")


def name_groups(W: Float[Tensor, "d_hidden n_features"]) -> str:
    """The groups of `name_polytope` in words, those without a name by their size: for large W."""
    names = _names_of_groups(W)
    counted = [
        _counted(str(name), names.count(name))
        for name in sorted({name for name in names if isinstance(name, str)} - {SINGLE})[::-1]
    ]
    if n_single := names.count(SINGLE):
        counted.append(
            "a dimension of its own" if n_single == 1 else f"{n_single} dimensions of their own"
        )
    sizes = sorted(size for size in names if isinstance(size, int))
    counted += [f"a group of {size} without a name" for size in sizes]
    return " and ".join(counted) or "nothing represented"


def _names_of_groups(W: Tensor) -> list[str | int]:
    """A name for each group, or its size when it has none."""
    C = cosines(W[:, feature_norms(W) > 0.5])
    groups = _groups(C.abs() >= 0.15)
    return [_name_of_group(C[group][:, group]) or len(group) for group in groups]


def _counted(name: str, count: int) -> str:
    return name if count == 1 else f"{count} {name}s"


def _groups(linked: Tensor) -> list[list[int]]:
    """The connected parts of a graph, given as a matrix of booleans."""
    left, groups = set(range(len(linked))), []
    while left:
        group, ahead = set(), {min(left)}
        while ahead:
            group |= ahead
            ahead = {j for i in ahead for j in linked[i].nonzero().flatten().tolist()} - group
        groups.append(sorted(group))
        left -= group
    return groups


def _name_of_group(C: Tensor) -> str | None:
    n = len(C)
    if n == 1:
        return SINGLE
    upper = tuple(torch.triu_indices(n, n, 1))
    for name, (make, tolerance) in KNOWN.items():
        shape = make()
        if shape.shape[1] == n:
            wanted = cosines(shape).to(C.dtype)[upper].sort().values
            if (C[upper].sort().values - wanted).abs().max() < tolerance:
                return name
    return None


def polytope_faces(W: Float[Tensor, "3 n_features"]) -> list[list[int]]:
    """The faces of the convex hull of the represented columns (longer than 1/2), to be drawn.

    Each face is a list of columns, in order around it. Triangles that lie in one plane within
    about 8 degrees are one face. Degenerate cases: a shape that is flat within 0.02 is one face;
    fewer than three columns, or columns on one line, have none.
    """
    kept = (feature_norms(W) > 0.5).nonzero().flatten()
    if len(kept) < 3:
        return []
    points = W[:, kept].T.double()
    _, spread, axes = torch.linalg.svd(points - points.mean(0), full_matrices=False)
    if spread[1] < 0.02:
        return []
    if spread[2] < 0.02:
        return [kept[_around(points, axes[2])].tolist()]
    triples = torch.combinations(torch.arange(len(kept)), 3)
    a, b, c = points[triples].unbind(1)
    normals = torch.linalg.cross(b - a, c - a)
    sizes = normals.norm(dim=1, keepdim=True)
    # A triple is part of a face when no point lies beyond its plane, on one of the two sides.
    unit = normals / sizes.clamp_min(1e-12)
    heights = unit @ points.T - (unit * a).sum(1, keepdim=True)
    high, low = heights.amax(1), heights.amin(1)
    part = (sizes[:, 0] > 1e-6) & (torch.minimum(high, -low) < 1e-6)
    outwards = torch.where(high[part, None] < 1e-6, unit[part], -unit[part])
    faces: list[tuple[Tensor, set[int]]] = []
    for triple, outward in zip(triples[part].tolist(), outwards):
        for known, corners in faces:
            if known @ outward > 0.99:
                corners.update(triple)
                break
        else:
            faces.append((outward, set(triple)))
    return [
        kept[sorted(corners)][_around(points[sorted(corners)], outward)].tolist()
        for outward, corners in faces
    ]


def _around(corners: Float[Tensor, "k 3"], normal: Float[Tensor, "3"]) -> Tensor:
    """The order of the corners of a face, by their angle about its centre."""
    arms = corners - corners.mean(0)
    side = torch.linalg.cross(normal, arms[0])
    return torch.atan2(arms @ side, arms @ arms[0]).argsort()
