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

# %% [markdown] minutes=75
# # 2. Superposition
#
# A network can keep track of more things than it has dimensions. Here you build the smallest
# model that does it, find out when it pays, and learn to read the pictures.

# %% [markdown]
# You need Python, and an idea of what a neural network and its training are. Plan about 75
# minutes. At the end you can tell sparsity from feature probability, say when superposition pays and
# show it, and read a picture of WᵀW.
#
# Run the cells in order with **Shift + Enter**. Each exercise is a function with one line that
# checks it. An unsolved exercise never blocks you: the notebook goes on with the library's version.
# Hints open on click. So does a solution, below every check.

# %%
import torch

from course_utils import features, geometry, plots, toy_models
from course_utils.checks import ask, check, notebook_02_superposition, predict, reveal, start
from course_utils.widgets import show, superposition_panel

torch.set_num_threads(1)  # models this small would spend their time on sharing out the work
start("02_superposition")

# %% [markdown]
# ## Five things, two numbers
#
# Picture a hidden layer with two numbers. Its job is to remember which of five things are in the
# input: a cat, a comma, the word "however", a wheel, something written in French. Each thing is a
# **feature**. The layer gets a number for each: 0 when the feature is absent, up to 1 when it is
# strongly present.
#
# Linear algebra has a clear opinion. In two dimensions, at most two directions are independent.
# So, how many of the five can the layer keep?

# %%
predict(
    "2.a",
    "Each of the five features is present in one input out of twenty. "
    "A trained layer of two numbers finds room for how many of them?",
    (0, 5),
)

# %%
predict("2.b", "And when all five are present in every input: how many then?", (0, 5))

# %% [markdown]
# You will train that layer in a moment, and your guesses will come back. First the inputs.

# %% [markdown]
# ## Features that are mostly absent
#
# Most things are absent from most inputs. That has a name, and there are two ways to count it:
#
# - the **feature probability** p: how often a feature is present;
# - the **sparsity** S = 1 − p: how often it is absent.
#
# Very sparse means S near 1 and p near 0. Papers plot either one, so keep them apart.
#
# Below are three batches. One row is one input, one column is one feature.

# %%
show(
    plots.activity_grids(
        {
            f"p = {p:g}, S = {1 - p:.2f}": features.sample_features(
                24, 5, p, generator=torch.Generator().manual_seed(1)
            )
            for p in (1.0, 0.3, 0.05)
        }
    )
)

# %% [markdown] exercise="2.1" title="Sample sparse features" minutes=6 difficulty=1 misconceptions=[]
# Write the function that draws such a batch. Every feature is present with probability
# `feature_probability`, independently of all others. A feature that is present has a value drawn
# evenly between 0 and 1; one that is absent is 0.
#
# Return a tensor of shape `(batch_size, n_features)`. Pass `generator` on to every draw, so that
# the same generator state gives the same batch.
#
# HINT: You need two draws of the full shape: one decides *whether* a feature is present, the
# other *how strongly*.
#
# HINT: `torch.rand(shape, generator=generator) < p` is true with probability p. Multiply that
# mask by a second `torch.rand`.


# %%
def sample_features(
    batch_size: int, n_features: int, feature_probability: float, *, generator: torch.Generator
) -> torch.Tensor:
    """A batch of sparse features, shape (batch_size, n_features), values in [0, 1)."""
    ### BEGIN SOLUTION
    shape = (batch_size, n_features)
    present = torch.rand(shape, generator=generator) < feature_probability
    return present * torch.rand(shape, generator=generator)
    ### END SOLUTION


sample_features = check("2.1", sample_features)

# %% [markdown]
# A quick look at what sparsity does. At S = 0.95 most inputs hold no feature at all, and two at
# once are rare. Remember the last column; it decides almost everything that follows.

# %%
generator = torch.Generator().manual_seed(0)
print("    p      S   present per input   inputs with none   with two or more")
for p in (1.0, 0.5, 0.2, 0.05):
    x = sample_features(50_000, 5, p, generator=generator)
    present = (x != 0).sum(1).float()
    none, several = (present == 0).float().mean(), (present > 1).float().mean()
    print(f"{p:5.2f}  {1 - p:5.2f}   {present.mean():12.2f}   {none:18.1%}   {several:15.1%}")

# %% [markdown]
# ## Squeeze and rebuild
#
# Now the model. It squeezes n features into a hidden vector **h** that is too short, then tries to
# get all of them back:
#
# ```text
#   x  (n numbers)   --- W --->   h  (d numbers)   --- Wᵀ, + b, ReLU --->   x̂  (n numbers)
# ```
#
# The same matrix W is used twice. Its shape is `(d_hidden, n_features)`: **column i is the
# direction in which feature i is written into h**, and the same direction is used to read it.
#
# $$\hat{x} = \mathrm{ReLU}(W^\top W x + b)$$
#
# The ReLU looks like a detail. It is not: without it, most of what follows disappears. You will see.

# %% [markdown] exercise="2.2" title="The forward pass" minutes=6 difficulty=1 misconceptions=[]
# Write $\mathrm{ReLU}(W^\top W x + b)$ for a whole batch. Samples are the *rows* of `x`, so turn
# the products round: a row meets $W^\top$ first, then $W$.
#
# HINT: Write down the shapes. `x` is (batch, n), `W` is (d, n). Which product gives (batch, d)?
#
# HINT: `x @ W.T` is the hidden vector, of shape (batch, d). From there `@ W` leads back to
# (batch, n).


# %%
def reconstruct(x: torch.Tensor, W: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """ReLU(WᵀW x + b). x: (batch, n_features), W: (d_hidden, n_features), b: (n_features,)."""
    ### BEGIN SOLUTION
    h = x @ W.T
    return torch.relu(h @ W + b)
    ### END SOLUTION


reconstruct = check("2.2", reconstruct)

# %% [markdown]
# Some features matter more than others: losing "there is a car ahead" costs more than losing
# "the sky is a little greyer". Each feature gets an **importance** I_i, and the loss weighs its
# squared error with it:
#
# $$L = \text{mean over the batch of } \sum_i I_i\,(x_i - \hat{x}_i)^2$$

# %% [markdown] exercise="2.3" title="The importance-weighted loss" minutes=4 difficulty=1 misconceptions=[]
# Write this loss. Sum over features, then take the mean over the batch.
#
# HINT: The error has the shape (batch, n_features), and `importance` has the shape (n_features,).
# They broadcast.
#
# HINT: Square, multiply by `importance`, `.sum(1)`, `.mean()`: in that order.


# %%
def importance_weighted_loss(
    x: torch.Tensor, x_hat: torch.Tensor, importance: torch.Tensor
) -> torch.Tensor:
    """mean over the batch of Σ_i I_i (x_i − x̂_i)², a tensor with one number."""
    ### BEGIN SOLUTION
    return (importance * (x - x_hat) ** 2).sum(1).mean()
    ### END SOLUTION


importance_weighted_loss = check("2.3", importance_weighted_loss)

# %% [markdown] exercise="2.4" title="One step of training" minutes=7 difficulty=2 misconceptions=[]
# Write one step of gradient descent on a batch `x`, with your two functions. `optimizer` already
# knows `W` and `b`. Return the loss of this batch, before the step, as a plain number.
#
# HINT: Four things happen: forget the old gradients, compute the loss, differentiate it, move.
#
# HINT: They are `optimizer.zero_grad()`, your two functions, `loss.backward()` and
# `optimizer.step()`. A plain number is `loss.item()`.


# %%
def training_step(
    W: torch.Tensor,
    b: torch.Tensor,
    x: torch.Tensor,
    importance: torch.Tensor,
    optimizer: torch.optim.Optimizer,
) -> float:
    """Move W and b one step against the gradient; return the loss before the step."""
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    loss = importance_weighted_loss(x, reconstruct(x, W, b), importance)
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


training_step = check("2.4", training_step)

# %% [markdown]
# ## Train it
#
# Here is the whole training loop. Nothing is hidden: it draws a batch with your function and takes
# your step, 1,500 times. We run it twice, with dense and with sparse features. Feature i has
# importance 0.9^i, so each matters a little less than the one before.


# %%
importance = toy_models.importance_decay(5, 0.9)  # 1, 0.9, 0.81, ...


def train_by_hand(feature_probability: float, steps: int = 1_500, seed: int = 0):
    """Train n = 5 features in d = 2 dimensions; return W, b and the losses."""
    generator = torch.Generator().manual_seed(seed)
    W = (0.3 * torch.randn(2, 5, generator=generator)).requires_grad_()
    b = torch.zeros(5, requires_grad=True)
    optimizer = torch.optim.Adam([W, b], lr=2e-2)
    losses = []
    for _ in range(steps):
        x = sample_features(256, 5, feature_probability, generator=generator)
        losses.append(training_step(W, b, x, torch.tensor(importance), optimizer))
    return W.detach(), b.detach(), losses


W_dense, b_dense, losses_dense = train_by_hand(feature_probability=1.0)
W_sparse, b_sparse, losses_sparse = train_by_hand(feature_probability=0.05)

steps = torch.arange(0, 1_500, 25)
show(
    plots.line_chart(
        steps,
        {
            "dense, p = 1": torch.tensor(losses_dense)[steps] / losses_dense[0],
            "sparse, p = 0.05": torch.tensor(losses_sparse)[steps] / losses_sparse[0],
        },
        x_title="training step",
        y_title="loss, as a share of the first loss",
    )
)

# %% [markdown]
# Both learn something. What? Look at the columns of W: five arrows in the plane of h. First the
# model that saw dense features.

# %%
show(plots.superposition_figure(W_dense, b_dense))

# %% [markdown]
# On the left, the arrows: how a feature is written into h. In the middle, WᵀW: what comes out for
# feature i (row) when feature j (column) goes in, and the bias b beside it. On the right, the
# length of each arrow.
#
# Now the model that saw sparse features.

# %%
show(plots.superposition_figure(W_sparse, b_sparse))

# %% [markdown]
# That is **superposition**: more features than dimensions. Each has a direction of its own, and these
# directions are not at right angles. Say that a feature is *represented* when its arrow is longer than ½.
# Count them, and compare with your guesses.
#
# Training starts from random numbers and sometimes gets stuck. So from here on we train several times
# and keep the model with the lowest loss.


# %%
def best_of_eight(feature_probability: float, **changes) -> toy_models.ToyModel:
    config = toy_models.ToyConfig(
        feature_probability=feature_probability, importance=importance, **changes
    )
    return toy_models.train(config, seed=0, n_restarts=8)


dense, sparse = best_of_eight(1.0), best_of_eight(0.05)
n_dense = int(geometry.represented(dense.W).sum())
n_sparse = int(geometry.represented(sparse.W).sum())

reveal("2.a", n_sparse, f"Rare features: {n_sparse} directions share two dimensions.")
reveal("2.b", n_dense, f"Always present: {n_dense} directions, as linear algebra says.")
assert n_sparse == 5
assert n_dense == 2

# %% [markdown]
# Why does rarity help? Say feature 0 is present alone. It is written along its arrow, and read
# along all five. The arrows at an obtuse angle read a negative number, and **the ReLU makes that 0**.
# The arrows at an acute angle read a small positive number, and **a negative bias pushes it down**,
# below 0 unless the feature is strong. So a feature that comes alone comes back nearly clean. Only
# two at once really get in each other's way, and with sparse features that is rare.


# %%
def row(values: torch.Tensor) -> str:
    return "  ".join(f"{v:5.2f}" for v in values)


for strength in (0.5, 1.0):
    x = torch.tensor([strength, 0, 0, 0, 0])
    before = x @ sparse.W.T @ sparse.W
    print(f"feature 0 goes in alone, with strength {strength}. Out of the sparse model comes")
    print(f"  WᵀW x            {row(before)}")
    print(f"  ReLU(WᵀW x + b)  {row(torch.relu(before + sparse.b))}\n")

# %% [markdown]
# ## Is it really the ReLU?
#
# A claim needs a control. Take the ReLU away and train the same model, x̂ = WᵀW x + b.

# %%
predict(
    "2.c",
    "Without the ReLU, five features, two dimensions, p = 0.05: how many features find room?",
    (0, 5),
)

# %%
linear = best_of_eight(0.05, nonlinearity="linear")
n_linear = int(geometry.represented(linear.W).sum())
show(plots.superposition_figure(linear.W, linear.b))
reveal("2.c", n_linear, "Sparsity alone is not enough. A linear model gains nothing from it.")
assert n_linear == 2

# %% [markdown]
# The linear model makes a choice: it keeps the two most important features, cleanly, and drops the
# rest. Statisticians know this as **principal component analysis**, with each feature weighted by its
# importance.
#
# That makes its loss something you can work out. A kept feature costs nothing. A dropped feature
# comes back as a constant, through the bias. The best constant is its mean, and what remains is
# its variance.

# %% [markdown] exercise="2.5" title="What a linear model must lose" minutes=7 difficulty=2 misconceptions=["features-are-a-basis"]
# Write the smallest loss that a linear model with `d_hidden` dimensions can reach.
#
# You need the variance of one sparse feature x. It is present with probability p and then
# uniform on [0, 1], where the mean is ½ and the mean square ⅓. So E[x] = p/2 and E[x²] = p/3.
#
# HINT: The variance is E[x²] − E[x]². Which features pay it, and with which weight?
#
# HINT: Sort the importances with the largest first. Sum all but the first `d_hidden`, and multiply
# by p/3 − p²/4.


# %%
def linear_floor(importance: torch.Tensor, feature_probability: float, d_hidden: int) -> float:
    """The lowest importance-weighted loss of x̂ = WᵀW x + b."""
    ### BEGIN SOLUTION
    p = feature_probability
    dropped = importance.sort(descending=True).values[d_hidden:]
    return float(dropped.sum() * (p / 3 - p**2 / 4))
    ### END SOLUTION


linear_floor = check("2.5", linear_floor)

# %% [markdown]
# Now the comparison over ten sparsities, from dense to p = 0.05. Three lines: your formula, linear
# models trained by gradient descent, and ReLU models. Each trained point is the best of four
# starts, measured on 100,000 fresh samples.

# %%
probabilities = tuple((20 ** -torch.linspace(0, 1, 10)).tolist())


def sweep(nonlinearity: str) -> toy_models.ToyModel:
    config = toy_models.ToyConfig(
        feature_probability=probabilities, importance=importance, nonlinearity=nonlinearity
    )
    return toy_models.train(config, seed=0, n_restarts=4)


linear_models, relu_models = sweep("linear"), sweep("relu")
loss_linear = toy_models.expected_loss(linear_models, seed=1)
loss_relu = toy_models.expected_loss(relu_models, seed=1)
floor = torch.tensor([linear_floor(torch.tensor(importance), p, 2) for p in probabilities])
show(
    plots.line_chart(
        1 / torch.tensor(probabilities),
        {
            "linear, your formula": floor / floor,
            "linear, trained": loss_linear / floor,
            "ReLU, trained": loss_relu / floor,
        },
        x_title="1/p = 1/(1 − S), sparser to the right",
        y_title="loss, as a share of the linear floor",
        log_x=True,
    )
)

# %% [markdown]
# The claim, in numbers. The linear models sit on the floor at every sparsity, and keep exactly the
# top two features. The ReLU models break through it, and further the sparser the features are.

# %%
gap = (loss_linear / floor - 1).abs().max()
kept = geometry.represented(linear_models.W)
print(f"linear models: at most {gap:.1%} away from the formula")
print(f"ReLU model at p = 0.05: {loss_relu[-1] / floor[-1]:.0%} of the linear floor")
assert gap < 0.03
assert (kept == torch.tensor([True, True, False, False, False])).all()
assert (loss_relu < 1.03 * floor).all()
assert loss_relu[-1] < 0.6 * floor[-1]

# %% [markdown]
# ## Count what is represented
#
# We count a feature as **represented** when its arrow is longer than ½. In this sweep the lengths are
# either well below that or well above, so the exact threshold hardly matters.

# %% [markdown] exercise="2.6" title="Count the represented features" minutes=5 difficulty=1 misconceptions=["features-are-a-basis"]
# Count the columns of `W` whose length is more than `threshold`. Return an integer.
#
# HINT: Column i is the direction of feature i. Which dimension of `W` do you take the norm over?
#
# HINT: `W.norm(dim=0)` has one entry for each feature. Compare it with `threshold` and sum.


# %%
def count_represented(W: torch.Tensor, threshold: float = 0.5) -> int:
    """How many columns of W, shape (d_hidden, n_features), are longer than the threshold."""
    ### BEGIN SOLUTION
    return int((W.norm(dim=0) > threshold).sum())
    ### END SOLUTION


count_represented = check("2.6", count_represented)

# %% [markdown]
# "Features are independent directions, like a basis." It is often written so. Put it to the test. The
# rank of a matrix is the number of independent directions among its columns; in a basis it is their
# number. Compare both counts over the sweep.

# %% tags=["refutes:features-are-a-basis"]
print("    p    ReLU: represented   rank of W      linear: represented   rank of W")
for i, p in enumerate(probabilities):
    W_relu, W_linear = relu_models.W[i], linear_models.W[i]
    ranks = [int(torch.linalg.matrix_rank(W, atol=0.05)) for W in (W_relu, W_linear)]
    counts = [count_represented(W_relu), count_represented(W_linear)]
    print(f"{p:6.3f} {counts[0]:14} {ranks[0]:14} {counts[1]:20} {ranks[1]:14}")
assert count_represented(relu_models.W[-1]) == 5
assert count_represented(linear_models.W[-1]) == 2
assert ranks == [2, 2]

# %% [markdown]
# The rank never passes 2: there is no room for more. The linear models obey the sentence above. The
# ReLU models obey it only while features are dense. With sparse features they use five directions in two dimensions. Five
# vectors in a plane cannot be independent, and cannot all be at right angles. They are an
# **overcomplete** set.
#
# Here is how the lengths grow, feature by feature, as features get rarer.

# %%
show(plots.norms_vs_sparsity(torch.tensor(probabilities), geometry.feature_norms(relu_models.W)))

# %% [markdown]
# One more control. Would *any* five arrows do? Keep the trained lengths and biases, and turn each
# arrow in a random direction. Two hundred times. (The biases were fitted to the trained angles, which
# is a little unfair to the others.)

# %%
generator = torch.Generator().manual_seed(0)
angle = 2 * torch.pi * torch.rand(200, 5, generator=generator)
random_W = geometry.feature_norms(sparse.W) * torch.stack([angle.cos(), angle.sin()], dim=1)
random_loss = torch.stack(
    [
        toy_models.expected_loss(
            toy_models.ToyModel(W, sparse.b, sparse.config), n_samples=20_000, seed=1
        )
        for W in random_W
    ]
)
trained_loss = toy_models.expected_loss(sparse, seed=1)
print(f"trained directions: loss {trained_loss:.4f}")
print(
    f"random directions:  median {random_loss.median():.4f}, "
    f"best of {len(random_W)} {random_loss.min():.4f}"
)
assert trained_loss < random_loss.min()

# %% [markdown]
# No. Even the best of the two hundred loses more, and the typical one several times as much.

# %% [markdown]
# ## Not a property of neurons
#
# Another common sentence: "superposition is when one neuron represents several
# features". That is a **polysemantic neuron**, a different thing. Here is an experiment that keeps
# them apart.
#
# Turn the hidden space. Replace W by QW, with Q a rotation. Every hidden number (every "neuron")
# now holds a different mixture.

# %% tags=["refutes:superposition-is-a-neuron"]
turn = torch.tensor(0.6)
Q = torch.stack([torch.stack([turn.cos(), -turn.sin()]), torch.stack([turn.sin(), turn.cos()])])
orthogonal = torch.eye(2)  # two features in two dimensions: nothing is superposed


for name, W in (
    ("five features, sparse model", sparse.W),
    ("two features, W = identity", orthogonal),
):
    print(name)
    for k in (0, 1):
        print(f"  neuron {k} before: {row(W[k])}    after turning: {row((Q @ W)[k])}")
    change = ((Q @ W).T @ (Q @ W) - W.T @ W).abs().max()
    print(f"  largest change in WᵀW: {change:.1e}\n")
    assert change < 1e-5
assert (Q @ orthogonal).abs().min() > 0.5

# %% [markdown]
# Every neuron changed. WᵀW did not, so neither did a single output.
#
# Look at the two features: before the turn each neuron stands for one of them. After it, both
# neurons mix both. They have become polysemantic, and still nothing is superposed: two features,
# two dimensions, right angles. And the five features are superposed whichever way you turn them.
#
# **Superposition is about directions: more features than dimensions.** Which neurons light up is
# another question.
#
# The turn changed no output because h has no activation function of its own. A layer with a ReLU on h
# would compute something else after it. Its neurons are a *privileged basis*, and there superposition
# does force neurons to mix features.

# %% [markdown]
# ## Move it yourself
#
# Every time you let go of a slider, the model below is trained again, from scratch, on this
# computer: four random starts, of which the best is shown. Some things to try:
#
# 1. Go from dense to sparse. How many long arrows are there at each stop? Does their number go up one
#    at a time?
# 2. Stay sparse and move the importance decay to 0.60, so that each feature counts 0.6 times as much as
#    the one before. Which feature goes?
# 3. At S = 0.95, press *New random start* a few times. Is it always the same picture?
# 4. Decay 1.00 and S = 0: why are so many arrows neither long nor short? (All features matter
#    equally and are always present, so every plane of the feature space is as good as any other.)
#
# The arrow keys work too, once a slider has the focus.


# %%
def retrain(p: float, decay: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Train one model with the current settings of the panel."""
    config = toy_models.ToyConfig(
        feature_probability=p, importance=toy_models.importance_decay(5, decay)
    )
    model = toy_models.train(config, seed=seed, n_restarts=4)
    return model.W, model.b


superposition_panel(retrain)

# %% [markdown]
# What you may have seen under 3, measured over twenty random starts: the picture turns, and features
# change places. Does the shape stay?

# %%
gaps = []
for seed in range(20):
    W, _ = retrain(p=0.05, decay=0.9, seed=seed)
    angles = torch.atan2(W[1], W[0]).rad2deg().sort().values
    gaps.append(torch.cat([angles.diff(), angles[:1] + 360 - angles[-1:]]))
gaps = torch.stack(gaps)
print(f"angles between neighbouring arrows: from {gaps.min():.1f}° to {gaps.max():.1f}°")
print(f"five equal parts of a circle: {360 / 5:.1f}° each")
assert (gaps - 72).abs().max() < 8

# %% [markdown]
# It stays: five equal angles, every time. (Each of these is the best of four starts. A single start now
# and then ends in something worse.)

# %% [markdown]
# ## Read the picture
#
# Beyond three dimensions you cannot draw the arrows. WᵀW still holds all their lengths and angles, so
# learn to read it. Each cell is a dot product of two arrows:
#
# - on the diagonal: the squared length of a feature's arrow;
# - off the diagonal: **interference**. 0 means right angles. Where a cell is negative, the ReLU can
#   remove the interference. Where it is positive, it leaks into the output, unless the bias holds it
#   back.

# %%
W_picture, b_picture = notebook_02_superposition.picture()
show(plots.gram_heatmap(W_picture, b_picture))

# %% [markdown] exercise="2.7" title="Read a picture of WᵀW" minutes=5 difficulty=2 misconceptions=["features-are-a-basis"]
# Features are numbered from 0. Return a dictionary:
#
# - `not_represented`: a list of the features without an arrow;
# - `opposite_pairs`: a list of pairs such as `(0, 1)` whose arrows point in opposite directions;
# - `alone`: a list of the represented features that have their line to themselves;
# - `dimensions`: how many dimensions (lines at right angles) the arrows fill.
#
# HINT: Go row by row. A row with only its diagonal cell stands alone. A row with nothing at all has
# no arrow.
#
# HINT: Two opposite arrows lie on one line, and a line takes one dimension. Count lines.


# %%
def read_the_picture() -> dict:
    """What the picture above shows."""
    ### BEGIN SOLUTION
    return {
        "not_represented": [4],
        "opposite_pairs": [(0, 3), (1, 5)],
        "alone": [2],
        "dimensions": 3,
    }
    ### END SOLUTION


read_the_picture = check("2.7", read_the_picture)

# %% [markdown]
# Two opposite arrows on one line are called an **antipodal pair**. It is the smallest case of
# superposition, and small enough to work out by hand.

# %% [markdown]
# ## Two features, one number
#
# Take n = 2 features and d = 1 hidden number. The first feature has importance 1, the second has
# importance r. What can the model do?
#
# - **Ignore the second**: W = (1, 0), and the bias says the second one's mean.
# - **Ignore the first**: the same the other way round. It pays when r is more than 1.
# - **Share the line**: W = (1, −1). One feature is written as a positive number, the other as a
#   negative one.

# %%
predict(
    "2.d",
    "Both equally important (r = 1). Below which feature probability p does sharing become "
    "cheaper than ignoring one?",
    (0.0, 1.0),
)

# %% [markdown] exercise="2.8" title="What ignoring costs, and what sharing costs" minutes=9 difficulty=3 misconceptions=["correlation-makes-superposition"]
# Work out both losses, as functions of p and r.
#
# *Ignoring the second.* You did this in exercise 2.5: the dropped feature costs its importance times
# its variance.
#
# *Sharing*, with W = (1, −1) and b = 0. The outputs are ReLU(x₁ − x₂) and ReLU(x₂ − x₁). Go through
# the cases. None present: what is the error? Exactly one? Both? You may use this: for two independent
# uniform numbers, the mean of min(u, v)² is 1/6.
#
# HINT: When only one feature is present, both outputs are exactly right. So what is the
# probability that anything goes wrong?
#
# HINT: With both present, say x₁ > x₂. The first output is x₁ − x₂, so it is wrong by x₂. The second
# output is 0, so it is wrong by x₂ too. The smaller value is the error, twice: once with weight 1,
# once with weight r.


# %%
def phase_losses(p: float, r: float) -> tuple[float, float]:
    """(loss of ignoring the second feature, loss of the antipodal pair)."""
    ### BEGIN SOLUTION
    ignoring = r * (p / 3 - p**2 / 4)
    sharing = (1 + r) * p**2 / 6
    return ignoring, sharing
    ### END SOLUTION


phase_losses = check("2.8", phase_losses)

# %% [markdown]
# When p is small, one loss falls like p, the other like p². Setting them equal gives the border, for r
# up to 1. (For r above 1 the features change places: put 1/r for r.)
#
# $$p^* = \frac{4r}{2 + 5r}$$

# %%
reveal(
    "2.d",
    round(float(geometry.crossover_probability(1.0)), 3),
    "At r = 1 the formula gives 4/7. Interference costs about p², leaving one out costs about p.",
)
ignoring, sharing = phase_losses(4 / 7, 1.0)
assert abs(ignoring - sharing) < 1e-9

# %% [markdown]
# That was theory for two candidates. Training is free to find something else. So train a grid of
# models, from 15 feature probabilities and 13 importances, the best of eight starts each, and
# colour each by what it does. (This takes some seconds.)

# %%
grid_p = torch.linspace(0.05, 1.0, 15)
grid_r = 10 ** torch.linspace(-1, 1, 13)
recipe = toy_models.Recipe(batch_size=1024)  # at p = 0.05, small batches hold too few pairs
zero = torch.zeros(15)
candidates = {  # W and, for each p, b
    "ignores the second": ([[1.0, 0.0]], torch.stack([zero, grid_p / 2], 1)),
    "antipodal pair": ([[1.0, -1.0]], torch.stack([zero, zero], 1)),
    "ignores the first": ([[0.0, 1.0]], torch.stack([grid_p / 2, zero], 1)),
}
trained, by_hand, W_grid = [], [], []
for r in grid_r.tolist():
    config = toy_models.ToyConfig(
        n_features=2, d_hidden=1, feature_probability=tuple(grid_p.tolist()), importance=(1.0, r)
    )
    models = toy_models.train(config, recipe, seed=0, n_restarts=8)
    W_grid.append(models.W[:, 0])
    # The same fresh samples for all, so that their luck cancels in the comparison.
    trained.append(toy_models.expected_loss(models, seed=1))
    by_hand.append(
        torch.stack(
            [
                toy_models.expected_loss(
                    toy_models.ToyModel(torch.tensor(W).expand(15, 1, 2), b, config), seed=1
                )
                for W, b in candidates.values()
            ]
        )
    )
trained, by_hand, W_grid = torch.stack(trained), torch.stack(by_hand), torch.stack(W_grid)

first, second = W_grid[..., 0], W_grid[..., 1]  # one row for each r, one column for each p
ratio = torch.minimum(first.abs(), second.abs()) / torch.maximum(first.abs(), second.abs())
shares = (ratio > 0.5) & (first * second < 0)
outcome = torch.where(shares, 1, torch.where(first.abs() > second.abs(), 0, 2))
show(
    plots.phase_diagram(
        grid_p,
        grid_r,
        outcome,
        names=list(candidates),
        boundaries={
            "p* = 4r/(2 + 5r)": (geometry.crossover_probability(grid_r[:7]), grid_r[:7]),
            "the same, features swapped": (
                geometry.crossover_probability(1 / grid_r[6:]),
                grid_r[6:],
            ),
        },
    )
)

# %% [markdown]
# First check the formulas: measure the two candidates on samples, and compare. Then compare training
# with the best candidate.

# %%
p, r = grid_p[None, :], grid_r[:, None]
formula = torch.stack(
    [
        geometry.loss_ignoring_second(p, r),
        geometry.loss_antipodal(p, r),
        geometry.loss_ignoring_second(p, torch.ones_like(r)).expand(13, 15),
    ],
    dim=1,
)
off = (by_hand / formula - 1).abs()[..., grid_p > 0.2].max()
best = by_hand.min(1)
ordered = by_hand.sort(1).values
clear = ordered[:, 1] > 1.25 * ordered[:, 0]  # cells where the best candidate wins clearly
agree = (outcome == best.indices)[clear].float().mean()
change = trained / best.values - 1
print(f"formulas against measured candidates (p > 0.2): at most {off:.1%} off")
print(
    f"{int(clear.sum())} of {clear.numel()} cells are clear cases; training agrees in {agree:.0%}"
)
print(f"trained against the best candidate: {change.min():+.1%} to {change.max():+.1%}")
print(f"  in the clear cases: at most {change[clear].max():+.1%}")
assert off < 0.06
assert agree > 0.95
assert change.max() < 0.1
assert change[clear].max() < 0.005
assert change.min() < -0.05

# %% [markdown]
# In the clear cases training ends where the best candidate is, up to a fraction of a percent. Close to the border it sometimes
# takes the slightly worse one, and more often does *better* than both: it finds a mixture, with arrows of unequal length and a small positive bias. So the formulas are upper
# bounds for the loss, and the border they give is a good map, not the last word.
#
# And how does it go over the border? Take one row, and compare the lengths of the two arrows.

# %%
k = 5
print(f"r = {grid_r[k]:.2f}; the shorter arrow, as a share of the longer one")
for p, share in zip(grid_p[:11].tolist(), ratio[k].tolist()):
    print(f"  p = {p:.2f}   {share:5.2f}   {'#' * round(40 * share)}")
drops = ratio[k][:-1] - ratio[k][1:]
assert drops.max() > 0.5

# %% [markdown]
# The second arrow shrinks a little as features get more frequent. Then, between two neighbouring
# settings, it falls from most of the first one's length to almost nothing. A jump like this is called a **phase
# change**. (A finer grid would show a short tail behind the jump.)
# (At r = 1 exactly it is less clear: once sharing no longer pays, both features are worth the same,
# and some models keep a bit of each.)

# %% [markdown]
# ## Rivals and companions
#
# So far features were independent. Real ones often are not. A sentence is rarely English and French at
# once: rivals. "Wheel" and "car" come together: companions. Who shares space?

# %%
predict(
    "2.e",
    "Four features, two dimensions. Which pairs end up in opposite directions on one line?",
    ["Features that are present together", "Features that are never present together"],
)

# %% [markdown] exercise="2.9" title="Features that exclude each other" minutes=7 difficulty=2 misconceptions=["correlation-makes-superposition"]
# Write a sampler for **anticorrelated pairs**. Features 0 and 1 are a pair, 2 and 3 are a pair, and so
# on. In each input at most one feature of a pair is present. Each feature is present with probability
# p, so p is at most ½. Pairs are independent of each other. Values are uniform as before.
#
# HINT: One uniform number for each pair can decide three things: the first is present, the second
# is, or none.
#
# HINT: With u uniform, `u < p` has probability p, and so does `(p <= u) & (u < 2 * p)`. They never
# happen together. Put the two masks into the columns `0::2` and `1::2`.


# %%
def sample_anticorrelated_pairs(
    batch_size: int, n_pairs: int, feature_probability: float, *, generator: torch.Generator
) -> torch.Tensor:
    """Shape (batch_size, 2 * n_pairs); of features 2k and 2k + 1 at most one is present."""
    ### BEGIN SOLUTION
    p = feature_probability
    u = torch.rand(batch_size, n_pairs, generator=generator)
    present = torch.stack([u < p, (p <= u) & (u < 2 * p)], dim=2)
    values = torch.rand(batch_size, 2 * n_pairs, generator=generator)
    return present.flatten(1) * values
    ### END SOLUTION


sample_anticorrelated_pairs = check("2.9", sample_anticorrelated_pairs)

# %% [markdown]
# Now train with three kinds of data: pairs that are present together, pairs that exclude each other,
# and, as a control, independent features. Sixteen runs each. We ask which angle the two features of a
# pair make.

# %%
PAIR_P = 0.2
samplers = {
    "companions": lambda n, generator: features.sample_correlated_pairs(
        n, 2, PAIR_P, generator=generator
    ),
    "rivals": lambda n, generator: sample_anticorrelated_pairs(n, 2, PAIR_P, generator=generator),
    "independent": lambda n, generator: sample_features(n, 4, PAIR_P, generator=generator),
}
pair_config = toy_models.ToyConfig(n_features=4, d_hidden=2, feature_probability=PAIR_P)
cosines = {}
for name, sampler in samplers.items():
    runs = [
        toy_models.train(pair_config, seed=seed, n_restarts=8, sampler=sampler)
        for seed in range(16)
    ]
    directions = [torch.nn.functional.normalize(run.W, dim=0) for run in runs]
    cosines[name] = torch.stack([(W.T @ W)[[0, 2], [1, 3]] for W in directions]).flatten()
    opposite = (cosines[name] < -0.8).float().mean()
    right_angle = (cosines[name].abs() < 0.3).float().mean()
    print(f"{name:12}  opposite: {opposite:4.0%}   right angles: {right_angle:4.0%}")

# %% [markdown]
# Each dot is one pair of one run.

# %% tags=["refutes:correlation-makes-superposition"]
show(plots.cosine_strip(cosines))
reveal(
    "2.e",
    "Features that are never present together",
    "They cannot interfere, because they never meet. Companions meet every time, so they keep to "
    "right angles. Independent features can do either.",
)
assert (cosines["rivals"] < -0.8).float().mean() > 0.9
assert (cosines["companions"].abs() < 0.3).float().mean() > 0.9

# %% [markdown]
# Right angles are not the whole story of companions. Make them more frequent, and look at the angle
# and the length of their arrows.

# %%
for p in (0.1, 0.2, 0.3, 0.4):
    model = toy_models.train(
        toy_models.ToyConfig(n_features=4, d_hidden=2, feature_probability=p),
        seed=0,
        n_restarts=8,
        sampler=lambda n, generator, p=p: features.sample_correlated_pairs(
            n, 2, p, generator=generator
        ),
    )
    arrows = torch.nn.functional.normalize(model.W, dim=0)
    cosine = (arrows[:, 0] @ arrows[:, 1]).item()
    assert cosine > 0.95 if p >= 0.3 else abs(cosine) < 0.3
    print(f"p = {p}: cosine {cosine:5.2f}, lengths {row(geometry.feature_norms(model.W))}")

# %% [markdown]
# At p = 0.3 and more, companions merge: both get *the same* arrow, and a shorter one. The model gives
# up telling them apart and keeps their average. That is not superposition. It is compression of what
# the two have in common, as in principal component analysis.
#
# "Sparse correlation makes features share neurons" has it the wrong way round. What makes sharing
# cheap is that features are rarely present *together*. Sparsity does that for all pairs, and
# anticorrelation does it for one pair. Positive correlation undoes it.

# %% [markdown]
# ## In your own words

# %% [markdown] exercise="2.10" kind="free" title="What is superposition?" minutes=7 difficulty=2 misconceptions=["superposition-is-a-neuron", "features-are-a-basis", "correlation-makes-superposition"]
# What is superposition? And which two features of a language model would you expect to share space
# (lie on one line, or close to it), and why those two?
#
# Write four to eight sentences. Your text is saved as you type. Then compare it with the rubric.
#
# HINT: Say what there is more of than what, and what "sharing" means for directions.
#
# HINT: For the pair: how often is each present, and how often are both present in the same place?
#
# RUBRIC:
# - It says that there are more features than dimensions.
# - It speaks of directions in activation space, not of single neurons.
# - It says that these directions are not all at right angles, so that features interfere.
# - It gives sparsity as the reason why that is affordable: two at once are rare.
# - It names the part of the nonlinearity: it removes small or negative interference.
# - The two features are each rare, and hardly ever present at the same token.
# - It gives a reason for the pair in terms of how often both are present together.
#
# MODEL ANSWER:
# Superposition is when a network represents more features than it has dimensions, by giving
# them directions that are not all at right angles. Reading one feature then picks up a little of the
# others, which is interference. That is affordable when features are sparse: two are rarely
# present at once, and a nonlinearity can remove the small or negative interference of one.
#
# I would expect "this token is inside a line of Python code" and "this sentence is in Finnish" to
# share space. Both are rare in general text, and they are almost never true of the same token, so their
# interference hardly ever costs anything. I would not expect it of "inside Python code" and "after a
# colon", which often hold together. This is an expectation; it could be tested by measuring the angle
# between the two directions, with pairs of random features as a control.
#
# MISCONCEPTIONS:
# - superposition-is-a-neuron: One neuron that answers to several features is a *polysemantic neuron*. You turned a hidden space and made neurons polysemantic while nothing was superposed.
# - features-are-a-basis: A basis has as many vectors as dimensions, and they are independent. Five arrows in a plane are neither; you compared their number with the rank.
# - correlation-makes-superposition: Features that are present together prefer right angles. Those that exclude each other share a line. You measured both, against independent ones.

# %%
ask("2.10")

# %% [markdown]
# ## What you can say now
#
# - This model writes each feature along a direction; we built it so. That real networks do is a
#   hypothesis. Superposition is more such directions than dimensions.
# - A linear model cannot use it. With a ReLU it pays as soon as features are rare enough: leaving a
#   feature out costs about p, interference costs about p².
# - Rank counts dimensions; represented features are another count.
# - Rivals share a line. Companions keep to right angles as long as they are rare.
#
# The setting and the kinds of pictures follow Elhage and others, *Toy Models of Superposition* (2022).
# The numbers are not copied: you derived them, or your computer measured them just now. Two things to
# keep in mind.
# These models are tiny and their features are planted, so they show what *can* happen. And one question
# is left: the five arrows stood at equal angles, in a regular shape. Why?
