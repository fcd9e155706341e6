# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] minutes=80
# # 3. The geometry of superposition
#
# When features share dimensions, their directions make shapes: pairs, triangles, pentagons. Here you
# find out which shapes, why those, and how much of a dimension each feature gets.

# %% [markdown]
# You need notebook 02, or these four sentences from it. A toy model writes n features into d hidden
# numbers and tries to get them back: x̂ = ReLU(WᵀWx + b). Column i of W is the direction, the *arrow*,
# of feature i. Feature probability p says how often a feature is present; small p is called sparse.
# With sparse features the model keeps more features than it has dimensions, and that is superposition.
#
# Plan about 80 minutes for the exercises, and more if you play. Short of time? Sections 1, 2 and 6 and the last question
# are the core; cells of the rest run by themselves, because the library's version stands in for an exercise that you
# skip. At the end you can explain on a whiteboard how much of a dimension each feature of a pentagon has, and say
# which shapes training does *not* make.
#
# W_i is the arrow of feature i, column i of W: in code `W[:, i]`. ‖W_i‖ is its length, and small w_i is the same arrow
# made 1 long. A feature is called **represented** if its arrow is longer than ½. The paper writes S = 1 − p for sparsity.

# %%
import functools
import math
import time
from collections import Counter

import torch
from IPython.display import Markdown, display

from course_utils import features, geometry, plots, toy_models
from course_utils.checks import ask, check, predict, reveal, start
from course_utils.widgets import drag_panel, polytope_panel, polytope_view, show

torch.set_num_threads(1)  # models this small would spend their time on sharing out the work
start("03_geometry_of_superposition")

# %% [markdown]
# ## 1. Two arrows
#
# Two features have arrows of length 1, at some angle. Only the second feature is present, with value
# x. It is written along its own arrow. What does the first one's output read? The cosine of the angle,
# times x. The truth is 0, so whatever comes out is an error: **interference**.
#
# There are two ways to be equally far from a right angle: a bit less, or a bit more.

# %%
predict(
    "3.a",
    "The output passes a ReLU, and b = 0. Which angle between the arrows makes less interference?",
    ["60 degrees", "120 degrees", "Both the same"],
)

# %% [markdown] exercise="3.1" title="The price of an angle" minutes=6 difficulty=1 misconceptions=[]
# Write what the inputs in which **only feature 2 is present** add to the expected squared error of output 1: the
# *probability* of this case, times the mean squared error in it. Output 1 is W₁ · (W₂x) = (W₁ · W₂)x, and for arrows of
# length 1 that dot product is the cosine.
#
# The output is ReLU(c·x), where c is the cosine and x is feature 2's value. Each feature is present
# with probability p, independently, and then uniform on [0, 1], so that its mean square is ⅓.
#
# HINT: How often is feature 2 present *and* feature 1 absent?
#
# HINT: That has probability p(1 − p). In those inputs the error is ReLU(c·x). For c below 0 it is 0; else
# its mean square is c²/3.


# %%
def interference_alone(cosine: float, p: float) -> float:
    """P(only feature 2 is present) times the mean of ReLU(cosine · x_2)² in that case."""
    ### BEGIN SOLUTION
    return p * (1 - p) * max(cosine, 0.0) ** 2 / 3
    ### END SOLUTION


interference_alone = check("3.1", interference_alone)

# %% [markdown]
# Below, your formula for all angles, beside two measurements on 200,000 samples: with the ReLU, and as
# a control without it.

# %%
degrees = torch.arange(0, 181, 15)
p = 0.1
x = features.sample_features(200_000, 2, p, generator=torch.Generator().manual_seed(0))
alone = (x[:, 0] == 0) & (x[:, 1] != 0)
measured, without_relu = [], []
for c in degrees.deg2rad().cos():
    leak = torch.where(alone, c * x[:, 1], 0)
    measured.append(leak.relu().square().mean())
    without_relu.append(leak.square().mean())
formula = torch.tensor([float(interference_alone(float(c), p)) for c in degrees.deg2rad().cos()])
show(
    plots.line_chart(
        degrees,
        {
            "your formula": formula,
            "measured": torch.stack(measured),
            "measured, no ReLU": torch.stack(without_relu),
        },
        x_title="angle between the two arrows, in degrees",
        y_title="error of feature 1",
    )
)
reveal("3.a", "120 degrees", "A negative reading is cut to 0. An obtuse angle costs nothing here.")
assert (torch.stack(measured) - formula).abs().max() < 0.03 * formula.max()
assert torch.stack(measured)[degrees > 90].max() < 1e-12
assert torch.stack(without_relu)[-1] > 0.9 * formula[0]

# %% [markdown]
# So the ReLU **forgives** every angle from 90 to 180 degrees, as long as features come alone. In one
# dimension there is only one such angle: 180. To be forgiven, two features on a line must be opposite.
# That is the antipodal pair of notebook 02, also called a **digon**.
#
# The price is paid when both are present. That happens with probability p², and p² is tiny next to p
# when features are sparse. Keep this sentence; section 6 turns it into numbers.

# %% [markdown]
# ## 2. How much of a dimension?
#
# Take one arrow, and look along its line. Everyone who has a component along this line uses it too.
# The feature's own share of that use is its **dimensionality**.
#
# First in pictures. In each shape below, how much of a dimension does feature x0 have?

# %%
shapes = {
    "right angles": torch.eye(2),
    "digon": torch.tensor([[1.0, -1.0], [0.0, 0.0]]),
    "three, one alone": torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, -1.0]]),
    "pentagon": torch.stack(
        [(2 * torch.pi * torch.arange(5) / 5).cos(), (2 * torch.pi * torch.arange(5) / 5).sin()]
    ),
}
show(plots.shapes_in_plane(shapes))

# %%
predict(
    "3.b",
    "In the pentagon, how much of a dimension does x0 have? Guess from the picture.",
    (0.0, 1.0),
)

# %% [markdown]
# Now in words. Project every arrow onto the line of arrow i, and square the results. Add them up:
# that is how much the line is used. Feature i's own part is its squared length. Divide.
#
# $$D_i = \frac{\lVert W_i\rVert^2}{\sum_j (w_i \cdot W_j)^2}, \qquad w_i = \frac{W_i}{\lVert W_i\rVert}$$
#
# The sum goes over **all** j, feature i too.
#
# Why squares? By Pythagoras, the squares of an arrow's components on two lines at right angles add up to its squared
# length. So use can be shared out, and none is lost.

# %% [markdown] exercise="3.2" title="Feature dimensionality" minutes=8 difficulty=2 misconceptions=[]
# Write this formula for all columns of W at once. A feature whose column is zero has no line; give it
# D = 0.
#
# HINT: With G = WᵀW, the numerator is G_ii, and w_i · W_j is G_ij divided by the length of W_i.
#
# HINT: Put together, D_i = G_ii² / Σ_j G_ij². Where the sum is 0, so is G_ii: `torch.where` keeps the
# division by zero out, or add a tiny number, such as 1e-12, to the sum.


# %%
def feature_dimensionality(W: torch.Tensor) -> torch.Tensor:
    """D_i of every column of W. W: (d_hidden, n_features); returns (n_features,)."""
    ### BEGIN SOLUTION
    G = W.T @ W
    used = (G**2).sum(1)
    return torch.where(used > 0, G.diagonal() ** 2 / used.clamp_min(1e-30), 0.0)
    ### END SOLUTION


feature_dimensionality = check("3.2", feature_dimensionality)


# %% [markdown]
# The pentagon, term by term. This is the calculation for the whiteboard.


# %%
def listed(values: torch.Tensor, digits: int = 3) -> str:
    return "  ".join(f"{v:.{digits}f}" for v in values)


for name, W in shapes.items():
    print(f"{name:18} D = {listed(feature_dimensionality(W))}")
row = (shapes["pentagon"].T @ shapes["pentagon"])[0]
print("\npentagon, along the line of x0")
print(f"  projections   {listed(row)}")
print(f"  squared       {listed(row**2)}   sum {row.square().sum():.3f}")
print(f"  own share     1 / {row.square().sum():.3f} = {1 / row.square().sum():.3f}")
reveal("3.b", 0.4, "The five squares add up to 5/2. Its own is 1. So D = 1 / (5/2) = 2/5.")
assert abs(feature_dimensionality(shapes["pentagon"]) - 0.4).max() < 1e-5
assert abs(feature_dimensionality(shapes["digon"]) - 0.5).max() < 1e-6

# %% [markdown]
# Three things to see:
#
# - At right angles to all others, a feature has its dimension to itself: D = 1.
# - A digon shares one line between two: ½ each.
# - The pentagon shares two dimensions between five: ⅖ each. Its five squares add up to exactly 5/2.
#   That is no accident. The arrows are spread so evenly that every line in the plane is used equally.
#
# Why 5/2? Add up the use of two lines at right angles. Each arrow's two squared components add up to its
# squared length, 1, so both lines together get 5. If every line is used equally, each gets half of it.
#
# And why equally? Take any line, at an angle t. Its use is the sum of cos²(t − 72°·j) over the five arrows. Now
# cos²a = ½ + ½ cos 2a. The five halves make 5/2. What is left are five cosines at steps of 144°: the corners of a
# pentagon again, in another order, seen from the side. They are balanced around the middle and add up to 0. So every
# line gets 5/2. (With two arrows the doubled steps are 360°: nothing is balanced, and that is why a digon is different.)

# %% [markdown]
# ## Drag an arrow
#
# Here is the whole toy model in your hands. **Drag the arrows**, and see interference, every D_i, their
# sum, and the loss at the current sparsity. (The bias is the best one for your arrows.) With the
# keyboard: Tab to an arrow; left and right turn it, up and down change its length.
#
# 1. Start with the triangle. Can you lower the loss? How low, compared with what training found?
# 2. Press *Let go and train from here* and watch.
# 3. Take the pentagon and bring two arrows close together. Whose D changes, and what does the sum do?
# 4. Shrink an arrow to nothing. Is its dimension free for others?


# %%
@functools.cache
def inputs(n, p):
    """Every combination of n present features with 8192 / 2^n values, and how often it occurs."""
    combinations = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * n)
    values = torch.quasirandom.SobolEngine(n, scramble=True, seed=0).draw(8192 // 2**n)
    k = combinations.sum(1, keepdim=True)
    weight = p**k * (1 - p) ** (n - k) / len(values)
    return (combinations[:, None] * values).flatten(0, 1), weight.expand(-1, len(values)).flatten()


def measure(W, p):
    """Best bias, dimensionality and loss of arrows W (2, n) at feature probability p."""
    W = torch.as_tensor(W, dtype=torch.float32)
    x, weight = inputs(W.shape[1], p)
    b = toy_models.best_bias(x, W, weight)
    loss = weight @ (toy_models.reconstruct(x, W, b) - x).square().sum(1)
    return b.numpy(), feature_dimensionality(W).numpy(), float(loss)


def train_from(W, p):
    """What W becomes during training, as 50 pictures."""
    config = toy_models.ToyConfig(n_features=W.shape[1], d_hidden=2, feature_probability=p)
    b, W = torch.as_tensor(measure(W, p)[0]), torch.as_tensor(W, dtype=torch.float32)
    weights, _ = toy_models.descend(W, b, config, seed=0, n_snapshots=50)
    return weights.numpy()


def best_known(n, p):
    """The loss of the best of eight trainings, measured in the same way."""
    config = toy_models.ToyConfig(n_features=n, d_hidden=2, feature_probability=p)
    return measure(toy_models.train(config, seed=0, n_restarts=8).W, p)[2]


drag_panel(measure, train_from, best_known)

# %% [markdown]
# When two arrows come close, each counts in the other's line, so their D falls. An arrow of length 0 uses no line at all:
# it is gone from every sum. And did you notice Σ D_i? Write down the largest one that you saw. Section 4 asks why.

# %% [markdown]
# ## 3. Build the shapes
#
# To know a shape when you see one, build it once.

# %% [markdown] exercise="3.3" title="Regular polygons" minutes=5 difficulty=1 misconceptions=[]
# Return k arrows of length 1 in the plane, at equal angles all the way round, as the columns of W.
#
# HINT: The angle of arrow i is i steps of a full turn divided by k.
#
# HINT: `angle = 2 * torch.pi * torch.arange(k) / k`, then `torch.stack` its cosine and its sine.


# %%
def regular_polygon(k: int) -> torch.Tensor:
    """k unit vectors at equal angles, shape (2, k)."""
    ### BEGIN SOLUTION
    angle = 2 * torch.pi * torch.arange(k) / k
    return torch.stack([angle.cos(), angle.sin()])
    ### END SOLUTION


regular_polygon = check("3.3", regular_polygon)

# %%
polygons = {f"k = {k}": regular_polygon(k) for k in (2, 3, 4, 5, 6)}
show(plots.shapes_in_plane(polygons))
for k in (2, 3, 4, 5, 6, 7):
    D = feature_dimensionality(regular_polygon(k))
    print(f"k = {k}   D = {D[0]:.4f}   2/k = {2 / k:.4f}   sum of D = {D.sum():.3f}")
    assert k == 2 or (D - 2 / k).abs().max() < 1e-5

# %% [markdown]
# Triangle ⅔, square ½, pentagon ⅖: always 2/k, and the sum is 2. Except for k = 2. Why? Two opposite
# arrows lie on one line. They fill one dimension, not two, and the sum is 1. In these shapes the sum
# counts the dimensions that are *filled*.
#
# Now up, into three dimensions. First the most even way to place four arrows.

# %% [markdown] exercise="3.4" title="The tetrahedron" minutes=6 difficulty=2 misconceptions=[]
# Return four arrows of length 1 in three dimensions, every two at the same angle, as the columns of W,
# shape (3, 4). Any rotation will do.
#
# HINT: Take four corners of a cube with the corners (±1, ±1, ±1), so that any two differ in exactly two
# coordinates.
#
# HINT: The corners with an even number of minus signs: (1, 1, 1), (1, −1, −1), (−1, 1, −1),
# (−1, −1, 1). Divide by their length, √3.


# %%
def tetrahedron() -> torch.Tensor:
    """Four unit vectors with equal angles between them, shape (3, 4)."""
    ### BEGIN SOLUTION
    corners = torch.tensor([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    return corners.T / 3**0.5
    ### END SOLUTION


tetrahedron = check("3.4", tetrahedron)


# %%
def look(W):
    """Name, dimensionality and faces of a shape, for the pictures."""
    W = torch.as_tensor(W, dtype=torch.float32)
    return plots.Look(
        geometry.name_polytope(W),
        feature_dimensionality(W).numpy(),
        geometry.polytope_faces(W) if len(W) == 3 else [],
    )


W = tetrahedron()
print(f"cosines with the first arrow: {listed(W.T @ W[:, 0])}")
assert (feature_dimensionality(W) - 0.75).abs().max() < 1e-5
polytope_view(W, look)

# %% [markdown]
# Turn it with the pointer, or with the arrow keys. Four features in three dimensions: ¾ each.
#
# Eight features in three dimensions have a favourite too. Take a square, lift it up. Take a second one,
# turned by 45 degrees, and push it down. This is the **square antiprism**.

# %%
predict(
    "3.c",
    "Eight arrows in three dimensions, all equivalent by symmetry. "
    "Does every D_i depend on how far the squares are apart?",
    ["No: it is 3/8 by symmetry", "Yes: it is 3/8 for one height only"],
)

# %% [markdown] exercise="3.5" title="The square antiprism" minutes=7 difficulty=2 misconceptions=[]
# Return eight arrows of length 1, shape (3, 8). Four of them have third coordinate +height, and stand at
# 0, 90, 180 and 270 degrees. The other four have third coordinate −height, and stand at 45, 135, 225 and
# 315 degrees. (Turned about the axis, they are as good.)
#
# HINT: An arrow of length 1 that ends at height z has a distance of √(1 − z²) from the axis.
#
# HINT: Put the eight angles and the eight heights into two tensors. The rows of W are radius · cos(angle),
# radius · sin(angle), and the height.


# %%
def square_antiprism(height: float) -> torch.Tensor:
    """Eight unit vectors, two squares at ±height, one turned by 45 degrees; shape (3, 8)."""
    ### BEGIN SOLUTION
    degrees = torch.tensor([0.0, 90, 180, 270, 45, 135, 225, 315])
    angle, radius = degrees.deg2rad(), (1 - height**2) ** 0.5
    z = height * torch.tensor([1.0] * 4 + [-1.0] * 4)
    return torch.stack([radius * angle.cos(), radius * angle.sin(), z])
    ### END SOLUTION


square_antiprism = check("3.5", square_antiprism)

# %%
heights = torch.linspace(0.3, 0.8, 51)
D_of_height = torch.stack([feature_dimensionality(square_antiprism(float(h))) for h in heights])
best_height = float(heights[D_of_height[:, 0].argmax()])
show(
    plots.dimensionality_levels(
        heights,
        D_of_height[:, :1],
        levels={"3/8": 3 / 8},
        x_title="height of the upper square above the middle",
        names=["D, the same for all eight"],
    )
)
print(f"highest D: {D_of_height.max():.5f}, at a height of about {best_height:.2f}")
print(f"at 1/√3 = {3**-0.5:.4f}: D = {listed(feature_dimensionality(square_antiprism(3**-0.5)))}")
reveal(
    "3.c", "Yes: it is 3/8 for one height only", "All eight are alike, and yet below 3/8 elsewhere."
)
assert (feature_dimensionality(square_antiprism(3**-0.5)) - 3 / 8).abs().max() < 1e-5
assert (D_of_height[(heights - 3**-0.5).abs() > 0.02] < 0.3749).all()

# %% [markdown]
# Symmetry makes all eight equal. It does not make them 3/8. At the height 1/√3 every line through the
# middle is used equally, as in the pentagon. At other heights one direction is used more than another,
# and all eight pay.

# %%
polytope_view(square_antiprism(3**-0.5), look)

# %% [markdown]
# One more way to make a shape: put two together, in dimensions of their own.

# %% [markdown] exercise="3.6" title="Two shapes side by side" minutes=5 difficulty=2 misconceptions=[]
# Given shapes A, (d₁, n₁), and B, (d₂, n₂), return the shape of size (d₁ + d₂, n₁ + n₂) in which A uses
# the first d₁ dimensions and B the others. Mathematicians call it a **tegum product**.
#
# HINT: The columns of A get zeros below. The columns of B get zeros above.
#
# HINT: Make `torch.zeros(d1 + d2, n1 + n2)` and write A and B into two of its corners, or look for
# `torch.block_diag`.


# %%
def tegum_product(A: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
    """A and B in orthogonal subspaces: [[A, 0], [0, B]]."""
    ### BEGIN SOLUTION
    return torch.block_diag(A, B)
    ### END SOLUTION


tegum_product = check("3.6", tegum_product)

# %%
digon = torch.tensor([[1.0, -1.0]])
triangular_bipyramid = tegum_product(regular_polygon(3), digon)
pentagonal_bipyramid = tegum_product(regular_polygon(5), digon)
octahedron = tegum_product(tegum_product(digon, digon), digon)
for name, W in {
    "triangle × digon": triangular_bipyramid,
    "pentagon × digon": pentagonal_bipyramid,
    "digon × digon × digon": octahedron,
}.items():
    D = feature_dimensionality(W)
    print(f"{name:22} D = {listed(D, 2)}   sum {D.sum():.2f}")
D = feature_dimensionality(triangular_bipyramid)
assert (D - torch.tensor([2 / 3] * 3 + [1 / 2] * 2)).abs().max() < 1e-5
D = feature_dimensionality(pentagonal_bipyramid)
assert (D - torch.tensor([2 / 5] * 5 + [1 / 2] * 2)).abs().max() < 1e-5
polytope_view(pentagonal_bipyramid, look)

# %% [markdown]
# In a bipyramid the corners do **not** share one value. The five around the middle keep the pentagon's
# ⅖, the two tips keep the digon's ½. Nobody in one part has a component along the other part, so nothing
# changes for anyone.

# %% [markdown]
# ## 4. What limits the sum
#
# In every shape so far the D_i added up to the number of filled dimensions. That number is called the **rank** of W.
# Now take any arrows.

# %%
predict(
    "3.d",
    "For arbitrary arrows, in any number of dimensions: what is true of Σ D_i?",
    [
        "It can exceed the rank, up to the number of features",
        "It is the rank of W always",
        "It is the rank of W at most",
    ],
)

# %% [markdown]
# There is a second way to share out dimensions, well known in statistics. The **leverage score** of
# feature i is
#
# $$\ell_i = W_i^\top (W W^\top)^{+} W_i$$
#
# where ⁺ is the pseudoinverse (the inverse, if there is one). It measures length in units of how much
# each direction is used, and leverage scores *always* add up to the rank of W.

# %% [markdown] exercise="3.7" title="Leverage scores" minutes=8 difficulty=3 misconceptions=["features-are-a-basis"]
# Write ℓ_i for all columns at once. W may be wide, have zero columns, or have less than full rank.
#
# HINT: `torch.linalg.pinv(W @ W.T)` is the middle factor, of shape (d, d). You need only the diagonal of
# WᵀMW.
#
# HINT: `(W * (M @ W)).sum(0)` is that diagonal, without the rest. Shorter, and the same: the diagonal of
# `torch.linalg.pinv(W) @ W`.


# %%
def leverage_scores(W: torch.Tensor) -> torch.Tensor:
    """ℓ_i = W_iᵀ (W Wᵀ)⁺ W_i for every column of W, shape (n_features,)."""
    ### BEGIN SOLUTION
    return (torch.linalg.pinv(W) @ W).diagonal()
    ### END SOLUTION


leverage_scores = check("3.7", leverage_scores)

# %% [markdown]
# Now compare the two on 300 random W of all sizes, on random W of low rank, and on every shape
# that you have built.

# %% tags=["refutes:features-are-a-basis"]
generator = torch.Generator().manual_seed(0)
random_W, low_rank = [], []
for _ in range(300):
    d, n = torch.randint(1, 8, (2,), generator=generator).tolist()
    random_W.append(torch.randn(d, n, generator=generator))
    thin = torch.randn(d, 1, generator=generator) @ torch.randn(1, n, generator=generator)
    low_rank.append(thin)
built = [
    *shapes.values(), *polygons.values(), tetrahedron(), square_antiprism(3**-0.5),
    triangular_bipyramid, pentagonal_bipyramid, octahedron,
]  # fmt: skip
points = {}
for name, group in {"random": random_W, "rank 1": low_rank, "built": built}.items():
    D = torch.cat([feature_dimensionality(W) for W in group])
    leverage = torch.cat([leverage_scores(W) for W in group])
    points[name] = (leverage, D)
    sums = torch.tensor([feature_dimensionality(W).sum() for W in group])
    ranks = torch.tensor([float(torch.linalg.matrix_rank(W, rtol=1e-5)) for W in group])
    counts = torch.tensor([float(W.shape[1]) for W in group])
    print(
        f"{name:7}  D − ℓ at most {(D - leverage).max():.0e}   "
        f"ΣD/rank from {(sums / ranks).min():.2f} to {(sums / ranks).max():.2f}   "
        f"more features than rank: {(counts > ranks).float().mean():.0%}"
    )
    assert (D <= leverage + 1e-4).all()
    assert (sums <= ranks + 1e-3).all()
    assert name == "random" or (sums - ranks).abs().max() < 1e-3
    if name == "built":  # more directions than dimensions: no basis
        assert ((counts > ranks) & ((sums - ranks).abs() < 1e-3)).float().mean() > 0.8
show(plots.leverage_scatter(points))
reveal("3.d", "It is the rank of W at most", "When it is equal, you will see below.")

# %% [markdown]
# No point lies above the diagonal: **D_i ≤ ℓ_i**, so **Σ D_i ≤ rank W**. Random arrows mostly stay below; only
# those with a single row or column reach it. Rank 1 is always on it: one line, shared by all. So are the shapes that you
# built, and most of those have more features than dimensions (the last column above).
#
# Why? Four lines. Let S = WWᵀ. How much is the line of arrow i used? Σ_j (w_i · W_j)² = w_iᵀ S w_i. So
# D_i = ‖W_i‖² / (w_iᵀ S w_i). And ℓ_i = ‖W_i‖² (w_iᵀ S⁺ w_i). So we need (wᵀSw)(wᵀS⁺w) ≥ 1 for w of length 1.
#
# S has main directions at right angles to each other, its **eigenvectors**. Along each of them it multiplies by a number,
# the use of that line, and S⁺ divides by it. The squared components of w along them add up to 1. So wᵀSw is an
# *average* of the uses, and wᵀS⁺w is the average of their inverses, with the same weights. An average times the average
# of the inverses is never below 1. Try 1 and 4, with equal weights: 2.5 · 0.625 = 1.56. Therefore D_i ≤ ℓ_i.
#
# It is an equality exactly when all the uses that count are equal: when w_i is itself an eigenvector of S. For the
# pentagon S is 5/2 times the identity, so every vector is one. A set of arrows with S ∝ identity is called a **tight frame**.
# The bipyramids are two tight frames at right angles: still all eigenvectors.
#
# You may read elsewhere that "Σ D_i is at most the number of features, with equality only if they are
# orthogonal". True, and it misses the point: the sum is capped by the *dimensions*, and superposed
# features reach that cap without being orthogonal. And "features are independent, like a basis" fails
# here too: in most of the shapes you built there are more directions than dimensions.

# %% [markdown]
# ## 5. Sticky fractions
#
# Suppose a model does fill its dimensions, Σ D_i = d, and its arrows split into small groups at right
# angles: a tegum product. Then a group of k equivalent features in r dimensions gives each of them r/k,
# and only few fractions are left. Here are those of the smallest groups.

# %%
for r, k, name in (
    (1, 1, "alone"), (3, 4, "tetrahedron"), (2, 3, "triangle"), (1, 2, "digon"),
    (2, 5, "pentagon"), (3, 8, "square antiprism"),
):  # fmt: skip
    print(f"{k} features in {r} dimension{'s' * (r > 1):1}  {r}/{k} = {r / k:.3f}   {name}")

# %% [markdown]
# To move from ½ to ⅖, a digon cannot stretch a little. It must give up its line, join others, and make a
# pentagon. So the fractions are **sticky**: as sparsity changes, features stay at one value for a while
# and then go to another, a group at a time.
#
# Is it so? In each line of the print-out, count dimensions: 1 for a digon, 2 for a pentagon, 3 for an antiprism. Is it
# always 12? Train 80 features in 12 dimensions, for five feature probabilities close to each other, from two
# seeds. (This takes some seconds.)

# %%
close_p = (0.32, 0.29, 0.27, 0.25, 0.23)
sticky = [
    toy_models.train(
        toy_models.ToyConfig(n_features=80, d_hidden=12, feature_probability=close_p),
        toy_models.Recipe(steps=3000, batch_size=512, learning_rate=1e-2),
        seed=seed,
    ).W
    for seed in (0, 1)
]
for k, p in enumerate(close_p):
    for seed in (0, 1):
        print(f"p = {p}, seed {seed}: {geometry.name_groups(sticky[seed][k])}")

# %%
D_sticky = torch.stack([feature_dimensionality(W) for W in sticky[0]])
levels = {"1/2": 1 / 2, "2/5": 2 / 5, "3/8": 3 / 8}
show(
    plots.dimensionality_levels(
        torch.tensor(close_p),
        D_sticky,
        levels=levels,
        x_title="feature probability p, denser to the right",
    )
)


def share_on_levels(D: torch.Tensor) -> torch.Tensor:
    """The share of D within .02 of one of the levels."""
    near = [(D - level).abs() < 0.02 for level in levels.values()]
    return torch.stack(near).any(0).float().mean()


kept = [W[:, geometry.represented(W)] for run in sticky for W in run]
generator = torch.Generator().manual_seed(0)
control = [torch.randn(W.shape, generator=generator) for W in kept]
on_level, control_on_level = (
    share_on_levels(torch.cat([feature_dimensionality(W) for W in group]))
    for group in (kept, control)
)
print(f"represented features within .02 of 1/2, 2/5 or 3/8: {on_level:.0%}")
print(f"the same number of random directions:               {control_on_level:.0%}")
more = [W for W in kept if W.shape[1] > 24]
share_more = share_on_levels(torch.cat([feature_dimensionality(W) for W in more]))
evenly = sorted({round(12 / W.shape[1], 3) for W in more}, reverse=True)
print(f"only the models with more than 24 features:         {share_more:.0%}")
print(f"spread evenly, their features would have:           {evenly}")
assert share_more > 0.8
assert on_level > control_on_level + 0.3

# %% [markdown]
# Do the sums: twelve digons fill twelve dimensions. So do ten digons and one pentagon, then eight and two,
# six and three, four and four. Two digons at a time give up their lines and become the plane of a pentagon, with one
# feature more. Hardly anybody is in between. Then come antiprisms, and larger groups that have no name.
# The two seeds change at slightly different p, and their sums are right all the same. Two controls are in the print-out. Random
# directions rarely land on the levels, but that is too easy: 24 features that fill 12 dimensions evenly have ½ each in
# any arrangement. So look at the models with more features. Spread evenly, these would have a value in between, and
# they do not.

# %% [markdown]
# ## 6. Three features in a plane
#
# Three equal features, two dimensions. The triangle looks perfect: three equal angles, every dimension
# filled.

# %%
predict(
    "3.e",
    "Three equally important, sparse features in two dimensions. What does training choose?",
    [
        "A triangle",
        "A digon, and a dimension of its own for the third",
        "Two features, third dropped",
    ],
)

# %% [markdown]
# Do the sum before you train. All angles here are obtuse or right, so a feature that comes alone is
# recovered exactly (section 1). The first error comes from inputs with **two** present. Each pair of
# features has probability p² of that, if we leave out p³ and smaller. So we need the error of one pair.

# %% [markdown] exercise="3.8" title="What a pair costs" minutes=9 difficulty=3 misconceptions=[]
# Two arrows of length 1 have the cosine −k, with k between 0 and 1. Both features are present, with values
# u and v, independent and uniform on [0, 1]. The outputs are ReLU(u − kv) and ReLU(v − ku).
#
# Return the mean of the total squared error of both outputs **given that both are present**: no factor p². The argument is
# the cosine, which is not above 0, so k = −cosine.
#
# HINT: Look at one output. If kv < u, it is u − kv, and its error is kv. Otherwise it is 0, and its
# error is u.
#
# HINT: Fix v: u is above kv with probability 1 − kv, and the squared error is then k²v². Fix u, below k: kv is above u
# with probability 1 − u/k, and the squared error is then u².
#
# HINT: So you need ∫ k²v² (1 − kv) dv over v from 0 to 1, plus ∫ u² (1 − u/k) du over u from 0 to k.
# That is k²/3 − k³/4 + k³/12. And there are two outputs.


# %%
def pair_loss(cosine: float) -> float:
    """Mean total squared error of two unit arrows at this cosine (−1 to 0), both present."""
    ### BEGIN SOLUTION
    k = -cosine
    return 2 * (k**2 / 3 - k**3 / 6)
    ### END SOLUTION


pair_loss = check("3.8", pair_loss)

# %%
half, third, whole = (float(pair_loss(-k)) for k in (1 / 2, 1 / 3, 1.0))
contest = {
    "3 in 2": {"triangle": 3 * half, "digon + own dimension": whole},
    "4 in 3": {"tetrahedron": 6 * third, "digon + 2 own dimensions": whole},
}
for case, candidates in contest.items():
    for name, loss in candidates.items():
        print(f"{case}   {name:26} loss = {loss:.4f} p²")
assert abs(contest["3 in 2"]["triangle"] - 3 / 8) < 1e-3
assert abs(contest["4 in 3"]["tetrahedron"] - 10 / 27) < 1e-3
assert abs(contest["3 in 2"]["digon + own dimension"] - 1 / 3) < 1e-3

# %% [markdown]
# By hand: ⅜ against ⅓. One bad pair is cheaper than three medium ones. The ReLU decides. Leave it out for a moment: a
# pair would cost 2k²/3, so three pairs at k = ½ make ½, one pair at k = 1 makes ⅔, and the triangle would win. The ReLU
# takes a quarter off the triangle and half off the digon, because no output can fall below 0. It helps most where
# interference is worst.
#
# Now train. 64 random starts of each case, none discarded. And a harder test: 64 starts *at* the triangle
# and the tetrahedron, with a little noise.

# %%
recipe = toy_models.Recipe(steps=800, batch_size=512)
tally = {}
for n, ideal in ((3, regular_polygon(3)), (4, tetrahedron())):
    config = toy_models.ToyConfig(n_features=n, d_hidden=n - 1, feature_probability=0.05)
    generator = torch.Generator().manual_seed(0)
    anywhere, b = toy_models.initial_weights(config, generator, 64)
    nearby = ideal + 0.05 * torch.randn(64, *ideal.shape, generator=generator)
    for where, W in (("random starts", anywhere), ("starts at the ideal shape", nearby)):
        began = time.perf_counter()
        ends, _ = toy_models.descend(W, b, config, recipe, seed=0, n_snapshots=2)
        seconds = time.perf_counter() - began
        tally[n, where] = Counter(geometry.name_polytope(W) for W in ends[-1])
        print(f"{n} in {n - 1}, 64 {where} ({seconds:.1f} s)")
        for name, count in tally[n, where].most_common():
            print(f"   {count:3} × {name}")

# %%
paired = tally[3, "random starts"]["digon and a dimension of its own"]
reveal(
    "3.e",
    "A digon, and a dimension of its own for the third",
    f"{paired} of 64 random starts. Triangles: {tally[3, 'random starts']['triangle']}.",
)
assert paired >= 54
assert tally[3, "random starts"]["triangle"] == 0
assert tally[4, "random starts"]["digon and 2 dimensions of their own"] >= 54
assert tally[4, "random starts"]["tetrahedron"] == 0

# %% [markdown]
# No random start ends in a triangle or a tetrahedron. At this learning rate even those that start there leave. Is
# that the shape, or the size of the steps? The sum above says: tilt one pair of a triangle a little, and the loss first
# *rises*. So try small steps. And the sum was made for small p. So try dense features, too.


# %%
def losses_of(weights: torch.Tensor, biases: torch.Tensor, p: float = 0.05) -> torch.Tensor:
    """The loss of each run at each moment. weights: (moments, runs, 2, n), biases to match."""
    x, weight = inputs(weights.shape[-1], p)
    return torch.stack(
        [
            (toy_models.reconstruct(x, W, b) - x).square().sum(-1) @ weight
            for W, b in zip(weights, biases)
        ]
    )


def best_of(ends, biases, p, name):
    """How many of the runs end in a shape, and the lowest loss among them, in units of p²."""
    named = [geometry.name_polytope(W) == name for W in ends[-1]]
    losses = losses_of(ends[-1:], biases[-1:], p)[0][torch.tensor(named)]
    return sum(named), float(losses.min()) / p**2 if any(named) else float("nan")


config = toy_models.ToyConfig(n_features=3, d_hidden=2, feature_probability=0.05)
W, b = toy_models.initial_weights(config, torch.Generator().manual_seed(0), 16)
W = regular_polygon(3) + 0.05 * torch.randn(W.shape, generator=torch.Generator().manual_seed(1))
gentle = toy_models.Recipe(steps=4000, batch_size=512, learning_rate=2e-3)
ends, _ = toy_models.descend(W, b, config, gentle, seed=0, n_snapshots=2)
stayed = sum(geometry.name_polytope(W) == "triangle" for W in ends[-1])
print(f"steps 25 times as small: {stayed} of 16 stay at the triangle\n")

dense = {}
for p in (0.05, 0.3, 0.5, 0.6, 0.7):
    config = toy_models.ToyConfig(n_features=3, d_hidden=2, feature_probability=p)
    W, b = toy_models.initial_weights(config, torch.Generator().manual_seed(0), 64)
    ends, biases = toy_models.descend(W, b, config, recipe, seed=0, n_snapshots=2)
    dense[p] = [
        best_of(ends, biases, p, name) for name in ("triangle", "digon and a dimension of its own")
    ]
    (triangles, low), (digons_found, lower) = dense[p]
    print(
        f"p = {p:4}: {triangles:2} triangles, best loss {low:.3f} p²;   "
        f"{digons_found:2} digons with a single feature, best loss {lower:.3f} p²"
    )
assert stayed >= 4
assert dense[0.05][0][0] == 0 and dense[0.6][0][0] > 0

# %% [markdown]
# So two corrections to "the triangle loses". With small steps many triangles stay: it is a shallow minimum, easily left, and it
# loses the *comparison*. And all this is for sparse features. With dense ones the triangle comes back, and around p = 0.6
# it is the best of these two.
#
# (The paper says that for three equally important and equally sparse features a triangle is best. Your sum and
# your runs disagree while features are rare.)
#
# When must a shape use an acute angle? Here is a classical fact: **in d dimensions at most 2d arrows can
# have no acute angle between any two.** Two opposite arrows on each axis. So up to n = 2d features, digons
# and single features avoid all errors of order p. From n = 2d + 1 on, whoever keeps all features has an
# acute angle. In the plane that is n = 5.

# %%
predict(
    "3.j",
    "Five features in a plane, most inputs with one feature only. What costs least?",
    ["Two digons, the fifth dropped", "A pentagon"],
)

# %%
neighbour = math.cos(2 * math.pi / 5)  # the only acute angle in a pentagon
dropped = 1 / 3
rare = 1e-3  # any small probability
plain = 10 * float(interference_alone(neighbour, rare)) / (rare * (1 - rare))
value = torch.linspace(0, 1, 401)  # of the feature that is present
grid = torch.cartesian_prod(torch.linspace(1, 2, 101), torch.linspace(-0.6, 0, 61))
size, bias = grid[:, :1], grid[:, 1:]  # squared length of the arrows, bias
own = ((size * value + bias).relu() - value).square().mean(1)
leak = (neighbour * size * value + bias).relu().square().mean(1)
cost = 5 * (own + 2 * leak)
least = int(cost.argmin())
print("cost of the inputs with one feature, per p")
print(f"  two digons, the fifth dropped       {dropped:.3f}")
print(f"  pentagon, arrows of length 1, b = 0 {plain:.3f}")
print(f"  pentagon, the best of both          {cost[least]:.3f}   ", end="")
print(f"at ‖W_i‖² = {size[least, 0]:.2f}, b = {bias[least, 0]:.2f}")
reveal("3.j", "A pentagon", "Clearly, as soon as the bias helps.")
assert cost[least] < 0.3 * plain < plain < dropped

# %% [markdown]
# Dropping a feature costs all of it, every time it comes. In a pentagon each feature leaks into two neighbours a
# little. And a negative bias cuts small readings off, while longer arrows make up for what it takes from the large ones.
# That is why five in a plane make a pentagon. Now by training:

# %%
for n in (3, 4, 5, 6):
    config = toy_models.ToyConfig(n_features=n, d_hidden=2, feature_probability=0.05)
    best = toy_models.train(config, recipe, seed=0, n_restarts=16)
    C = geometry.cosines(best.W)[torch.triu_indices(n, n, 1).unbind()]
    print(
        f"n = {n}: {geometry.name_polytope(best.W):40} largest cosine {C.max():5.2f}   "
        f"biases {best.b.min():5.2f} to {best.b.max():.2f}"
    )
    assert (C.max() < 0.05) == (n <= 4)

# %% [markdown]
# And the pentagon itself: how often does a single start find it?

# %%
config = toy_models.ToyConfig(n_features=5, d_hidden=2, feature_probability=0.05)
W, b = toy_models.initial_weights(config, torch.Generator().manual_seed(0), 32)
ends, _ = toy_models.descend(W, b, config, recipe, seed=0, n_snapshots=2)
D = torch.stack([feature_dimensionality(W) for W in ends[-1]])
found = int(((D - 0.4).abs() < 0.02).all(1).sum())
print(f"{found} of 32 single starts are pentagons: every D_i within .02 of 2/5")
assert found >= 24

# %% [markdown]
# Most, not all. **Optimisation is luck**, so whenever we want the best shape we take the best of several
# starts.

# %% [markdown]
# ## 7. From dense to sparse
#
# For a larger model you cannot draw arrows. The paper looks at one number, the hidden dimensions for each
# feature that is represented:
#
# $$D^* = \frac{d}{\lVert W\rVert_F^2}$$
#
# $\lVert W\rVert_F^2$ is the sum of all squared lengths. If an arrow is about 1 long or about 0, this counts the
# represented features.

# %% [markdown] exercise="3.9" title="Dimensions per feature" minutes=3 difficulty=1 misconceptions=[]
# Write D*.
#
# HINT: The numerator is the number of rows of W.
#
# HINT: The denominator is `(W**2).sum()`.


# %%
def dimensions_per_feature(W: torch.Tensor) -> float:
    """D* = d_hidden / ‖W‖_F². W: (d_hidden, n_features)."""
    ### BEGIN SOLUTION
    return float(W.shape[0] / (W**2).sum())
    ### END SOLUTION


dimensions_per_feature = check("3.9", dimensions_per_feature)

# %%
predict(
    "3.f",
    "80 equal features, 12 dimensions, from dense to sparse. How does D* fall?",
    ["Evenly all the way", "In steps all the way", "A fall, one long step, then evenly"],
)

# %%
sweep_p = tuple((50 ** -torch.linspace(0, 1, 22)).tolist())
sweep = toy_models.train(
    toy_models.ToyConfig(n_features=80, d_hidden=12, feature_probability=sweep_p),
    toy_models.Recipe(steps=1000, learning_rate=2e-2),
    seed=0,
)
sparser = 1 / torch.tensor(sweep_p)
D_star = torch.tensor([dimensions_per_feature(W) for W in sweep.W])
n_kept = geometry.represented(sweep.W).sum(1)
show(
    plots.line_chart(
        sparser,
        {"D* = d / ‖W‖²": D_star, "d / features longer than ½": 12 / n_kept},
        x_title="1/p = 1/(1 − S), sparser to the right",
        y_title="dimensions per feature",
        log_x=True,
    )
)

# %%
D_sweep = torch.stack([feature_dimensionality(W) for W in sweep.W])
show(
    plots.dimensionality_levels(
        sparser,
        D_sweep,
        levels={"1": 1.0, "3/4": 3 / 4, "2/3": 2 / 3, "1/2": 1 / 2, "2/5": 2 / 5},
        x_title="1/p = 1/(1 − S), sparser to the right",
        log_x=True,
    )
)
plateau = D_star[[0.28 <= p <= 0.45 for p in sweep_p]]
digons = [int(((D - 0.5).abs() < 0.02).sum()) for D in D_sweep]
print("   p     D*    represented   within .02 of ½")
for p, d_star, n, k in zip(sweep_p, D_star, n_kept, digons):
    print(f"{p:6.3f}  {d_star:.3f}  {int(n):8}  {k:14}")
reveal(
    "3.f",
    "A fall, one long step, then evenly",
    "A plateau of digons at ½; later no step is to be seen.",
)
assert (plateau - 0.5).abs().max() < 0.03
assert max(digons) == 24

# %% [markdown]
# One step is unmistakable: for p from about 0.3 to 0.47 all 24 represented features are in twelve
# digons. (Section 5, trained longer, had its first pentagons at p = 0.29.) Shapes with a name appear on both sides of ½ only in a short stretch, and in sparser models
# D_i spreads over a band.
#
# - Triangles and tetrahedra, the fractions ⅔ and ¾, would belong left of the plateau, where features are dense. In this sweep
#   there are none with a name.
# - Left of the plateau, with dense features, a model keeps mixtures. Equal, always-present features have no
#   preferred directions.
# - D* and the count drift apart when features get sparse. Arrows grow longer than 1 there, which makes up
#   for a negative bias. So D* is not exactly "dimensions per feature".

# %% [markdown]
# ## A solid to turn
#
# Three dimensions are small enough to look at. Choose n and the sparsity; each change trains anew, the
# best of four starts. Turn the solid with the pointer, or with the arrow keys once it has the focus.
#
# 1. n = 4, 5, 6 at p = 0.05: only digons and single features. Which solid has six corners?
# 2. n = 7 at p = 0.2, and at p = 0.02.
# 3. n = 8: the antiprism. Look at it from above.
# 4. n = 9 and 10: no name. Is there still some order?


# %%
def train_3d(n, p, seed):
    """The best of four trainings of n features in three dimensions."""
    config = toy_models.ToyConfig(n_features=n, d_hidden=3, feature_probability=p)
    return toy_models.train(config, seed=seed, n_restarts=4).W.numpy()


polytope_panel(train_3d, look)

# %% [markdown]
# What you may have seen, measured with more starts:

# %%
three_d = {}
for n, p in (
    (4, 0.05),
    (5, 0.05),
    (6, 0.05),
    (7, 0.2),
    (7, 0.05),
    (8, 0.05),
    (9, 0.05),
    (10, 0.05),
):
    config = toy_models.ToyConfig(n_features=n, d_hidden=3, feature_probability=p)
    best = toy_models.train(config, recipe, seed=0, n_restarts=16)
    D = feature_dimensionality(best.W)
    three_d[n, p] = geometry.name_polytope(best.W)
    print(f"n = {n:2}, p = {p:4}: {three_d[n, p]:45} D from {D.min():.3f} to {D.max():.3f}")
assert three_d[6, 0.05] == "3 digons (octahedron)"
assert three_d[7, 0.2] == "pentagon and digon (pentagonal bipyramid)"
assert three_d[8, 0.05] == "square antiprism"

# %% [markdown]
# ## 8. How far apart can they be?
#
# Leave networks aside for a moment. Place n arrows in d dimensions so that the largest |cosine| is as small
# as possible. How small can it be? For n > d there is a floor for *any* packing, the **Welch bound**:
#
# $$\max_{i \ne j} |\cos_{ij}| \;\ge\; \sqrt{\frac{n - d}{d\,(n - 1)}}$$

# %% [markdown] exercise="3.10" title="The Welch bound" minutes=4 difficulty=1 misconceptions=[]
# Write it. With n ≤ d all arrows can be at right angles, so return 0 there.
#
# HINT: For n ≤ d the formula would take the root of a negative number, or divide by zero.
#
# HINT: `((n - d) / (d * (n - 1))) ** 0.5` if n > d, otherwise 0.0.


# %%
def welch_bound(n: int, d: int) -> float:
    """A floor under the largest |cosine| of n directions in d dimensions; often out of reach."""
    ### BEGIN SOLUTION
    return ((n - d) / (d * (n - 1))) ** 0.5 if n > d else 0.0
    ### END SOLUTION


welch_bound = check("3.10", welch_bound)

# %%
print(f"3 directions in 2 dimensions:          {welch_bound(3, 2):.4f}")
print(f"4,096 directions in 512 dimensions:    {welch_bound(4096, 512):.4f}")
predict(
    "3.g",
    "A trained model wants little interference. How near does its largest |cosine| come to it?",
    ["It reaches it", "It is clearly above it"],
)

# %%
rows = []
for n, d in ((5, 2), (8, 3), (20, 5), (40, 10), (80, 12)):
    config = toy_models.ToyConfig(n_features=n, d_hidden=d, feature_probability=0.02)
    W = toy_models.train(config, recipe, seed=0, n_restarts=4).W
    W = W[:, geometry.represented(W)]
    k = W.shape[1]
    pairs = torch.triu_indices(k, k, 1).unbind()
    generator = torch.Generator().manual_seed(0)
    C, C_random = (
        geometry.cosines(W)[pairs],
        geometry.cosines(torch.randn(100, d, k, generator=generator)),
    )
    C_random = C_random[:, pairs[0], pairs[1]]
    rows.append(
        (
            welch_bound(k, d), C.square().mean().sqrt(), C.abs().max(), C.max(),
            C_random.square().mean(1).sqrt().median(), C_random.abs().amax(1).median(),
        )
    )  # fmt: skip
    print(
        f"{k:3} in {d:2}:  bound {rows[-1][0]:.3f}   trained: root mean square {rows[-1][1]:.3f}, "
        f"largest |cos| {rows[-1][2]:.3f}, largest cos {rows[-1][3]:.3f}   "
        f"random: root mean square {rows[-1][4]:.3f}, largest |cos| {rows[-1][5]:.3f}"
    )
bound, rms, largest, _, rms_random, _ = torch.tensor(rows).T
reveal(
    "3.g", "It is clearly above it", "It meets the bound in another sense: look at the mean square."
)
assert (rms / bound - 1).max() < 0.02
assert (largest / bound).min() > 1.2
assert (rms_random / bound).min() > 1.05

# %% [markdown]
# Two answers in one table. The *largest* |cosine| is above the bound. That alone does not show that the model neglects it:
# for n > d(d + 1)/2 **no** packing reaches the bound. Five lines in a plane cannot do better than cos 36° = 0.809, and the
# pentagon has that. Random directions are far worse.
#
# The *root mean square* of all cosines sits on the bound, within two percent. Random directions are only a little further
# above it, so this is a small difference, and a blunt measure: in section 9 you will see a shape that uses one direction
# clearly less than the others and still comes near.
#
# The Welch bound is really a bound on the mean square, and it is reached exactly by the tight frames of
# section 4, with all arrows made equally long. So the trained arrows use all lines about equally. How they
# share the interference out among pairs is another matter: on obtuse angles, where the ReLU forgives it.

# %% [markdown]
# ## 9. Electrons on a sphere
#
# The paper compares these shapes with **Thomson's problem**: place n electrons on a sphere so that they
# repel each other least. Do they make the same solids?

# %%
for n in range(4, 9):
    config = toy_models.ToyConfig(n_features=n, d_hidden=3, feature_probability=0.05)
    best = toy_models.train(config, recipe, seed=0, n_restarts=8).W
    electrons = geometry.name_polytope(geometry.thomson_points(n, seed=0).float())
    print(f"n = {n}   electrons: {electrons:42} trained: {geometry.name_polytope(best)}")

# %% [markdown]
# With six and with eight, yes. With fewer, electrons keep away from each other in all directions, while the model makes
# digons. And for eight: is it the same antiprism?

# %%
thomson = geometry.thomson_points(8, seed=0).float()
trained = [
    toy_models.train(
        toy_models.ToyConfig(n_features=8, d_hidden=3, feature_probability=0.05), recipe,
        seed=seed, n_restarts=8,
    ).W
    for seed in range(6)
]  # fmt: skip
antiprisms = [W for W in trained if geometry.name_polytope(W) == "square antiprism"]
D_trained = torch.stack([feature_dimensionality(W) for W in antiprisms])
print(f"built at 1/√3:  D = {feature_dimensionality(square_antiprism(3**-0.5))[0]:.4f}")
print(f"Thomson:        D = {feature_dimensionality(thomson).mean():.4f}")
print(
    f"trained:        D = {D_trained.mean():.4f} on average, single features from "
    f"{D_trained.min():.3f} to {D_trained.max():.3f}, in {len(antiprisms)} of {len(trained)} runs"
)
spread = torch.stack([torch.linalg.svdvals(W / W.norm(dim=0)) for W in [thomson, *antiprisms]])
print(f"\nuse of the three main directions, Thomson: {listed(spread[0] ** 2)}")
print(f"                                  trained: {listed(spread[1] ** 2)}")
assert len(antiprisms) >= 5
assert abs(feature_dimensionality(thomson).mean() - 0.3744) < 2e-4
assert (D_trained.mean(1) - 3 / 8).abs().max() < 0.01
assert D_trained.mean() < feature_dimensionality(thomson).mean()

# %% [markdown]
# Eight arrows of length 1 share 8, so even use would be 2.667 on each of three lines at right angles. The axis gets
# 8 · height², which is why 1/√3 is even; less on the axis means flatter.
#
# Three antiprisms, three heights. Electrons stand almost at 1/√3. The trained one is flatter, so its
# features have about 0.37, not 0.375. It does not want even lines; it wants a small loss, and the two
# wishes differ a little. So when you look for ⅜ in a network, **allow a tolerance of 0.01**. And the
# analogy with electrons is a good picture, not a law.

# %% [markdown]
# ## 10. How it is learned
#
# So far you saw where training ends. How does it get there? Start with five very short arrows, use a small
# learning rate, and look at W at 61 moments. Eight starts; the figure shows three whose levels are easy to see.


# %%
config = toy_models.ToyConfig(n_features=5, d_hidden=2, feature_probability=0.05)
slow = toy_models.Recipe(steps=6000, batch_size=512, learning_rate=1e-3, schedule="constant")
W_start, b_start = toy_models.initial_weights(config, torch.Generator().manual_seed(0), 8)
weights, biases = toy_models.descend(0.1 * W_start, b_start, config, slow, seed=0, n_snapshots=61)
losses = losses_of(weights, biases)
losses = losses / losses[-1]
when = torch.arange(61) * 100
show(
    plots.line_chart(
        when,
        {f"start {k}": losses[:, k] for k in (2, 3, 5)},
        x_title="training step",
        y_title="loss, as a multiple of the last one",
    )
)

# %%
predict(
    "3.h",
    "Flat, fall, flat, fall. What happens in a fall?",
    [
        "All arrows grow a little longer",
        "Features that had one arrow in common get arrows of their own",
        "A feature is dropped",
    ],
)

# %% [markdown]
# Look at start 3, at a moment on each level and in between.


# %%
def count_directions(W: torch.Tensor) -> int:
    """How many different directions the columns of W have, within about 18 degrees."""
    return len(torch.unique(geometry.cosines(W) > 0.95, dim=0))


track = weights[:, 3]
show(plots.shapes_in_plane({f"step {when[k]}": track[k] for k in (24, 31, 38, 45, 55)}))
show(
    plots.dimensionality_levels(
        when,
        torch.stack([feature_dimensionality(W) for W in track]),
        levels={"2/5": 2 / 5, "1/2": 1 / 2, "1/4": 1 / 4, "1/6": 1 / 6},
        x_title="training step",
        names=[f"x{i}" for i in range(5)],
    )
)
for k in (24, 38, 55):
    print(
        f"step {when[k]:5}: loss × {losses[k, 3]:.2f}   {count_directions(track[k])} directions   "
        f"lengths {listed(geometry.feature_norms(track[k]), 2)}"
    )
reveal(
    "3.h",
    "Features that had one arrow in common get arrows of their own",
    "Three directions, then four, then five.",
)
assert [count_directions(track[k]) for k in (24, 38, 55)] == [3, 4, 5]
assert losses[24, 3] > 3 and 1.7 < losses[38, 3] < 2.4 and losses[55, 3] < 1.05

# %% [markdown]
# On the first level there are five features and only three directions: three features share one arrow, and
# cannot be told from each other. Then two of them leave, still together, and the loss falls to the next
# level. At last these two part, all five make room, and there is the pentagon.
#
# The paper calls such falls **energy-level jumps**: a few features change their D, and the loss drops.
#
# Is it the geometry, or the way we trained? Here is the control. The same eight starts, with arrows of the
# usual length, and with plain gradient descent in place of Adam. We call it a level when the loss
# changes by less than 1% between two moments, four times or more, while it is 1.2 times its last value or higher.


# %%
def gradient_descent(W, b, steps=1200, rate=0.3):
    """Plain gradient descent, with W and b at 61 moments."""
    generator = torch.Generator().manual_seed(0)
    track = [(W, b)]
    for step in range(1, steps + 1):
        x = features.sample_features(512, 5, 0.05, generator=generator)
        dW, db = toy_models.gradients(x, W, b, torch.ones(5))
        W, b = W - rate * dW, b - rate * db
        if step % (steps // 60) == 0:
            track.append((W, b))
    return torch.stack([W for W, _ in track]), torch.stack([b for _, b in track])


ways = {
    "Adam, short arrows": (weights, biases),
    "Adam, usual arrows": toy_models.descend(
        W_start, b_start, config, slow, seed=0, n_snapshots=61
    ),
    "plain, short arrows": gradient_descent(0.1 * W_start, b_start),
    "plain, usual arrows": gradient_descent(W_start, b_start),
}
with_levels = {}
for name, way in ways.items():
    each = losses_of(*way)
    each = each / each[-1]
    flat = ((each[1:] / each[:-1] - 1).abs() < 0.01) & (each[1:] > 1.2)
    with_levels[name] = int((flat.sum(0) >= 4).sum())
    print(f"{name}: {with_levels[name]} of 8 starts rest on a level")
assert with_levels["Adam, short arrows"] >= with_levels["Adam, usual arrows"] + 2

# %% [markdown]
# So levels are there with both ways of descending, and in these eight starts more often when the arrows start short. Eight
# starts are few, and some runs of plain descent never leave a level and count as having none. The shapes belong to the
# problem. Whether you see jumps on the way to them depends on the recipe too, and on luck.

# %% [markdown]
# ## 11. Bending the shape
#
# All features were equal and independent so far. Now bend the pentagon in two ways. First, make one
# feature less important, bit by bit.

# %%
predict(
    "3.i",
    "Feature x0 gets less important than the other four. What happens to the pentagon?",
    [
        "It shrinks on one side, smoothly, until x0 is gone",
        "It bends a little, then snaps into another shape",
    ],
)

# %%
importances = torch.linspace(1.0, 0.2, 17)
bent = torch.stack(
    [
        toy_models.train(
            toy_models.ToyConfig(5, 2, 0.05, (r, 1.0, 1.0, 1.0, 1.0)),
            toy_models.Recipe(steps=800, batch_size=1024),
            seed=0,
            n_restarts=16,
        ).W
        for r in importances.tolist()
    ]
)
D_bent = torch.stack([feature_dimensionality(W) for W in bent])
show(
    plots.dimensionality_levels(
        importances,
        D_bent,
        levels={"2/5": 2 / 5, "1/2": 1 / 2},
        x_title="importance of x0 (the others have 1)",
        names=[f"x{i}" for i in range(5)],
    )
)
snap = int((D_bent[:, 0] < 0.1).float().argmax())
print(
    f"last with x0 represented: importance {importances[snap - 1]:.2f}, "
    f"D of x0 {D_bent[snap - 1, 0]:.3f}"
)
print(
    f"first without:            importance {importances[snap]:.2f}, "
    f"{geometry.name_polytope(bent[snap])}"
)
reveal("3.i", "It bends a little, then snaps into another shape", "Pentagon, then two digons.")
assert 0.3 < D_bent[snap - 1, 0] < 0.39
assert geometry.name_polytope(bent[snap]) == "2 digons (square)"
assert (D_bent[snap:, 0] < 0.05).all() and (D_bent[:snap, 0] > 0.3).all()

# %%
show(
    plots.shapes_in_plane(
        {f"I₀ = {importances[k]:.2f}": bent[k] for k in (0, snap // 2, snap - 1, snap)}
    )
)

# %% [markdown]
# The neighbours lean over and x0 gets shorter. Then, between two settings, it is gone, and the others stand
# in two digons. That looks like a **phase change**, as in notebook 02. To be sure you would compare the losses of both shapes
# on each side.
#
# Second, correlation. Let x1 copy the presence of x0 in a share c of the inputs: companions.


# %%
def companions(batch_size, generator, c):
    """Five sparse features; with probability c, x1 is present exactly when x0 is."""
    present = torch.rand(batch_size, 5, generator=generator) < 0.05
    copies = torch.rand(batch_size, generator=generator) < c
    present[:, 1] = torch.where(copies, present[:, 0], present[:, 1])
    return present * torch.rand(batch_size, 5, generator=generator)


shares = (0.0, 0.3, 0.5, 0.7, 0.9, 1.0)
angles = []
for c in shares:
    runs = [
        toy_models.train(
            toy_models.ToyConfig(5, 2, 0.05), recipe, seed=seed, n_restarts=8,
            sampler=functools.partial(companions, c=c),
        ).W
        for seed in range(4)
    ]  # fmt: skip
    angle = torch.stack([geometry.cosines(W)[0, 1] for W in runs]).clamp(-1, 1).arccos().rad2deg()
    angles.append(angle)
    print(
        f"c = {c}: angles between x0 and x1 {listed(angle, 0)}   "
        f"D in the last run {listed(feature_dimensionality(runs[-1]), 2)}"
    )
assert (angles[-1] < 65).all()
assert (angles[2] < 90).all()

# %% [markdown]
# With c = 0, x0 and x1 are neighbours (72 degrees) or not (144), by luck. As soon as they keep company they
# are always neighbours, and the more they do, the closer they stand. Notebook 02 found companions at right
# angles, in a square. Here no right angle is on offer: four others want room. The paper says both: right angles first, and
# side by side where there is no room.

# %% [markdown]
# ## What the paper says, and what you measured
#
# The shapes were first described in Elhage and others, *Toy Models of Superposition* (2022). The column on
# the right is computed from your run.

# %%
table = [
    (
        "D is ½ for a digon, ⅔ triangle, ¾ tetrahedron, ⅖ pentagon, ⅜ antiprism",
        f"the same for built shapes; the trained antiprism has {D_trained.mean():.3f}",
        "training minimises the loss, and its antiprism is a little flatter",
    ),
    (
        "for three equally important, equally sparse features a triangle is best",
        f"{tally[3, 'random starts']['triangle']} of 64 triangles, "
        f"{tally[4, 'random starts']['tetrahedron']} of 64 tetrahedra",
        "p = .05: a digon costs ⅓p², a triangle ⅜p²; with dense features triangles come back",
    ),
    (
        "D* is sticky at 1 and ½",
        f"one plateau, at {plateau.mean():.2f}, of {max(digons)} features in digons; then a band",
        "about as in the paper, with 80 features in 12 dimensions in place of 400 in 30",
    ),
    (
        "the D_i are sticky at a few fractions",
        f"{on_level:.0%} near ½, ⅖ or ⅜ for p from .23 to .32 "
        f"(random directions {control_on_level:.0%}); in sparser models a band without levels",
        "large groups have many shapes",
    ),
    (
        "shapes resemble solutions of Thomson's problem",
        f"for n = 8 the same kind of solid, D {feature_dimensionality(thomson).mean():.4f} against "
        f"{D_trained.mean():.4f}",
        "electrons repel in all directions; a ReLU forgives obtuse angles",
    ),
    (
        "the loss falls in jumps while features find their places",
        f"levels in {with_levels['Adam, short arrows']} of 8 starts with short arrows, "
        f"in {with_levels['Adam, usual arrows']} of 8 with usual ones",
        "here a jump is one arrow that splits; it takes a small start",
    ),
    (
        "one feature's importance bends the pentagon until it snaps",
        f"bends until importance {importances[snap - 1]:.2f}, snaps by {importances[snap]:.2f}",
        "the grid is .05 wide; the paper changes how often the feature is present",
    ),
    (
        "correlated features prefer right angles, and side by side where there is no room",
        f"in a crowded plane they stand at {angles[-1].mean():.0f}°, closer than neighbours do",
        "agrees with the second half",
    ),
]
heading = ("the paper says", "measured here", "why it differs, or how far it goes")
rows = [heading, ("---",) * 3, *table]
display(Markdown("\n".join(f"| {' | '.join(row)} |" for row in rows)))

# %% [markdown]
# ## In your own words

# %% [markdown] exercise="3.11" kind="free" title="Two fifths" minutes=8 difficulty=2 misconceptions=["features-are-a-basis"]
# You stand at a whiteboard. Explain to a colleague why each feature of a pentagon has dimensionality ⅖,
# and why three features in a plane do not make a triangle.
#
# Write five to ten sentences; say what you would draw.
#
# HINT: What is added up along the line of one arrow? What do the five squares add up to, and why?
#
# HINT: For the triangle: how many pairs interfere, how badly, and what limits the error of an opposite
# pair?
#
# RUBRIC:
# - It says that D compares a feature's own squared length with the use of its line by all features.
# - It includes the feature itself in that sum.
# - It gets 5/2 for the pentagon's sum, by adding cosines squared or because every line gets half of 5.
# - It says that the D_i add up to the number of filled dimensions, here 2.
# - It says that obtuse angles cost nothing while features come alone, because of the ReLU.
# - It compares three medium pairs with one bad pair: ⅜p² against ⅓p².
# - It says that this is for sparse, equal, independent features, or that training is luck.
#
# MODEL ANSWER:
# I draw five arrows at 72 degrees and pick one. Its line is used by everyone who has a component along it.
# I project all five arrows onto the line and square: 1, and twice cos² 72°, and twice cos² 144°. That adds up
# to 5/2. I need no calculator for it: two lines at right angles share the five squared lengths, and the arrows are
# spread evenly, so each line gets 5/2. The feature's own part is 1, so it has 1 / (5/2) = ⅖ of a
# dimension, and five times ⅖ is 2, the whole plane.
#
# For sparse, equal, independent features, obtuse angles cost nothing while one comes alone: the ReLU cuts the negative
# reading. So only pairs count. With three arrows a triangle would also fill the plane, ⅔ each. But each of its three pairs interferes when
# both features are present, which costs ⅛ p² a pair. An opposite pair costs ⅓ p², because the ReLU stops the
# error at the size of the feature, and the third arrow stands at right angles and costs nothing. ⅓ is less than
# ⅜. With five features there must be an acute angle, and training usually finds the pentagon.
#
# MISCONCEPTIONS:
# - features-are-a-basis: Five arrows in a plane are no basis, and their D_i still add up to 2. You compared the sum with the rank for hundreds of W.

# %%
ask("3.11")

# %% [markdown]
# ## What you can say now
#
# - Interference at an obtuse angle is forgiven by the ReLU while features come alone.
# - D_i is a feature's own share of its line. Σ D_i ≤ rank W, with equality when every arrow is an
#   eigenvector of WWᵀ.
# - Shapes in orthogonal subspaces keep their fractions; that makes the fractions sticky.
# - In d dimensions up to 2d features need no acute angle, so digons come first. With sparse features triangles and tetrahedra
#   lose to them; with dense ones triangles come back.
# - Trained arrows use all lines about equally, and come close to the Welch bound in the mean square.
#
# All this was one kind of toy: planted features, tied weights, one ReLU. Whether real networks arrange
# their features so is an open question. You will look at real ones from notebook 04 on.
