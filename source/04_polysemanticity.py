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

# %% [markdown] minutes=90
# # 4. Polysemanticity
#
# Some neurons stand for one thing, and some for several that have nothing to do with each other. Here
# you find out when that happens, why it is not the same as superposition, and how a layer can compute with it.

# %% [markdown]
# You need notebook 02, or these three sentences from it. A toy model writes n features into d hidden
# numbers, x̂ = ReLU(WᵀWx + b), and column i of W is the direction of feature i. Feature probability p
# says how often a feature is present; small p is called sparse, and S = 1 − p is the sparsity. With sparse
# features the model keeps more features than it has dimensions, along directions that are not at right
# angles: that is superposition.
#
# This notebook is about the *rows* of W. At the end you can say what a polysemantic neuron is without saying
# "superposition", show one without the other in both directions, and ask a real language model about both.
#
# The exercises take about 75 minutes, and reading and trying as long again: plan two sittings. **Only 90 minutes?** Do 4.1 to
# 4.4, the first panel, 4.6, 4.7, 4.8 and 4.11, and leave out what is marked *if you have time*. Run the other cells and read
# what they print; no exercise has to be solved to go on.

# %%
import math
import textwrap
from collections import Counter
from itertools import combinations

import torch
from IPython.display import display

from course_utils import (
    assets,
    contexts,
    features,
    geometry,
    language,
    neurons,
    plots,
    polysemanticity,
    snippets,
    toy_models,
)
from course_utils.checks import ask, check, predict, reveal, start
from course_utils.language.averages import (
    before_the_sign,
    massive,
    text_means,
    up_to_first,
)
from course_utils.language.probing import says_yes, sparse_probe
from course_utils.plots.semicolons import Bar, LayerNeurons, SignFigures
from course_utils.widgets import (
    neuron_panel,
    pair_lab,
    privileged_panel,
    semicolon_panel,
    show,
)

torch.set_num_threads(1)  # models this small would spend their time on sharing out the work
start("04_polysemanticity")

# %% [markdown]
# ## 1. Two words for two things
#
# Here is a layer with three neurons and three features. Each bar is a neuron. Its parts are the sizes of
# its weights, one part for each feature. The number above says how many features the neuron answers to.

# %%
one_each = torch.eye(3)
show(plots.neuron_bars({"W = identity": one_each}))

# %% [markdown]
# One feature each. Such neurons are called **monosemantic**: one meaning. A neuron that answers to two
# or more features is **polysemantic**: several meanings.
#
# Now turn this layer in space, as one turns a globe. All angles and all lengths stay the same.

# %%
predict(
    "4.a",
    "Three features, three neurons, W = a rotation. Is anything superposed now: more features than "
    "dimensions, or two features that are not at right angles?",
    ["No", "Yes"],
)

# %% [markdown] exercise="4.1" title="Features per neuron" minutes=5 difficulty=1 misconceptions=["superposition-is-a-neuron"]
# Count, for each neuron, the features that it answers to. Neuron j is **row** j of W. It answers to
# feature i when its weight is large, whatever its sign: $|W_{ji}| > \text{threshold}$.
#
# Return a tensor with one count for each neuron. (Notebook 02 called a feature represented when its *column* is longer than
# ½. Here the single weights count.)
#
# HINT: Compare the sizes of all weights with the threshold. That gives True or False for each weight.
#
# HINT: `W.abs() > threshold` has the shape of W. A sum over `dim=1` counts the Trues in each row.


# %%
def features_per_neuron(W: torch.Tensor, threshold: float = 0.5) -> torch.Tensor:
    """Features that each neuron answers to. W: (n_neurons, n_features); returns (n_neurons,)."""
    ### BEGIN SOLUTION
    return (W.abs() > threshold).sum(dim=1)
    ### END SOLUTION


features_per_neuron = check("4.1", features_per_neuron)

# %% [markdown]
# Use it at once. Below, the layer before and after a turn by 60 degrees about the diagonal of the cube. And as a
# control, a layer in which something *is* superposed: five features in two dimensions, the pentagon of notebook 02.

# %%
turn = torch.tensor([[2.0, -1.0, 2.0], [2.0, 2.0, -1.0], [-1.0, 2.0, 2.0]]) / 3
fifths = 2 * torch.pi * torch.arange(5) / 5
layers = {
    "one feature each": one_each,
    "the same, turned": turn @ one_each,
    "pentagon": torch.stack([fifths.cos(), fifths.sin()]),
}
show(plots.neuron_bars(layers))

# %% [markdown]
# Now two questions about each layer, with a number for each. *Neurons:* how many features does each one answer to?
# *Space:* how many features are represented, in how many dimensions, and at which angles?

# %% tags=["refutes:superposition-is-a-neuron"]
print("                    features     represented              largest cosine")
print("                    per neuron   features     dimensions  between two features")
facts = {}
for name, W in layers.items():
    counts = features_per_neuron(W)
    n_represented = int(geometry.represented(W).sum())
    rank = int(torch.linalg.matrix_rank(W, atol=1e-5))
    arrows = torch.nn.functional.normalize(W, dim=0)
    cosine = (arrows.T @ arrows - torch.eye(W.shape[1])).abs().max()
    facts[name] = (counts.tolist(), n_represented, rank, float(cosine))
    print(f"{name:18}  {counts.tolist()!s:11} {n_represented:7} {rank:14} {cosine:15.2f}")
reveal(
    "4.a",
    "No",
    "Three features, three dimensions, right angles. And yet every neuron answers to two of them.",
)
counts, n_represented, rank, cosine = facts["the same, turned"]
assert min(counts) == 2
assert n_represented == rank == 3 and cosine < 1e-6
assert facts["pentagon"][1] == 5 > facts["pentagon"][2] == 2

# %% [markdown]
# The turned layer has three polysemantic neurons, and nothing is superposed. So "superposition is when a neuron represents
# several features" mixes up two things:
#
# | word | about | you see it in |
# |---|---|---|
# | **polysemanticity** | a neuron: one *axis* of the space | a row of W with several large weights |
# | **superposition** | the space: more features than dimensions | columns of W that are not at right angles |
#
# Was that turn a special one? Take a thousand random ones. How large a weight must be to count is a choice, so take two.

# %%
generator = torch.Generator().manual_seed(0)
random_turns = torch.linalg.qr(torch.randn(1_000, 3, 3, generator=generator)).Q
for threshold in (0.3, 0.5):
    n = torch.stack([torch.as_tensor(features_per_neuron(Q, threshold)) for Q in random_turns])
    mixed, n_clean = (n > 1).float().mean(), int((n == 1).all(dim=1).sum())
    print(
        f"threshold {threshold}: {mixed:.0%} of the neurons are polysemantic, "
        f"in {n_clean} of 1,000 layers none"
    )
    assert mixed > 0.35 and n_clean < 450

# %% [markdown]
# How many neurons are mixed depends on the threshold. That most layers have some does not. If the network has no reason to
# prefer the axes, do not expect the features there.
#
# ### A space without neurons
#
# Does the network have a reason? In the model of notebook 02 it has none. Its hidden layer is linear, and the output
# depends on WᵀW only. So take the trained pentagon, turn it by ten angles, and look at both: what the neurons answer
# to, and the loss.

# %%
config = toy_models.ToyConfig(n_features=5, d_hidden=2, feature_probability=0.05)
trained = toy_models.train(config, seed=0, n_restarts=8)
losses, answers = [], []
print("turned by   neuron 0 answers to   neuron 1 answers to     loss")
for degrees in range(0, 180, 18):
    angle = torch.tensor(float(degrees)).deg2rad()
    Q = torch.stack(
        [torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])]
    )
    model = toy_models.ToyModel(Q @ trained.W, trained.b, config)
    losses.append(float(toy_models.expected_loss(model, n_samples=20_000, seed=1)))
    names = [
        " ".join(f"x{i}" for i in torch.nonzero(weights.abs() > 0.5).flatten().tolist())
        for weights in model.W
    ]
    answers.append(tuple(names))
    print(f"{degrees:6}°     {names[0]:21} {names[1]:21} {losses[-1]:.6f}")
assert max(losses) - min(losses) < 1e-5 * max(losses) + 1e-7
assert len(set(answers)) >= 5

# %% [markdown]
# The neurons change with every turn. The loss does not. Five features are superposed in two dimensions whichever way
# you look. But "what does neuron 0 stand for?" has no answer, because training ended at one of these turns by chance.
#
# A space like this has no **privileged basis**. Strictly speaking it has no neurons to be polysemantic. To ask about
# neurons, we need a layer where the axes matter. A ReLU on h does that, and part 2 trains one.

# %% [markdown]
# ### Polysemantic without superposition
#
# So superposition does not need neurons. Now the other way round. You may read that polysemantic neurons "allow for"
# superposition, as if that were all they are about. But a neuron may also mix features for quite another reason.
#
# Take one neuron and four equally likely classes: cat, dog, car, bus. The neuron says **on** or **off**, and a readout
# must guess the class from that. Which should it be?
#
# - *Monosemantic:* on for the cat, off for the three others.
# - *Polysemantic:* on for the cat and the bus, off for the two others.
#
# A **readout** sees only the neuron, and says how likely each class is. If it gives the true class the probability q, it pays
# −ln q: nothing for q = 1, much for a small q. The mean of what it pays is the **cross-entropy**. (Its unit is the *nat*, because of
# ln.) The example is from [2].

# %%
predict(
    "4.b",
    "Which neuron lets the best readout pay less?",
    ["On for one class", "On for two classes", "Both the same"],
)

# %% [markdown]
# All classes with the same level of the neuron form a **group**: the readout cannot tell them apart. The best it can
# say in a group of k is 1/k for each. That costs −ln(1/k) = ln k, for each class in the group.

# %% [markdown] exercise="4.2" title="What is left to guess" minutes=6 difficulty=1 misconceptions=["polysemanticity-allows-superposition"]
# Write the cross-entropy of the best readout: the mean of ln k over all **classes**, where k is the size of the group
# that the class is in. `groups` is a list of group sizes. For the cat against the rest it is `[1, 3]`.
#
# HINT: A group of three has three classes, and each of them pays ln 3.
#
# HINT: Add up `k * math.log(k)` over the groups, and divide by the number of classes, `sum(groups)`.


# %%
def best_guess_loss(groups: list[int]) -> float:
    """Mean over classes of ln(size of its group), in nats. groups: how many classes in each."""
    ### BEGIN SOLUTION
    return sum(k * math.log(k) for k in groups) / sum(groups)
    ### END SOLUTION


best_guess_loss = check("4.2", best_guess_loss)

# %%
for groups, name in (
    ([4], "always off"),
    ([1, 3], "on for one class"),
    ([2, 2], "on for two classes"),
    ([1, 1, 2], "three levels"),
    ([1, 1, 1, 1], "four levels"),
):
    print(f"{name:20} groups {groups!s:13} {best_guess_loss(groups):.3f}")
reveal("4.b", "On for two classes", "ln 2 = 0.693 is less than ¾ ln 3 = 0.824.")

# %% [markdown]
# Two and two beats one and three. That was a formula. Does training find it? Below is an on/off neuron. For each class
# it learns how likely it is to be on, and the readout learns what to guess for on and for off. The loss is the exact mean
# over both. (So it has a gradient, although on and off are a jump.) We train 64 neurons from different random starts.


# %%
def train_on_off(n_runs: int, seed: int, steps: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    """Train n_runs on/off neurons; return the losses and, for each class, P(on)."""
    generator = torch.Generator().manual_seed(seed)
    drive = torch.randn(n_runs, 4, generator=generator).requires_grad_()
    readout = torch.zeros(n_runs, 2, 4, requires_grad=True)
    optimizer = torch.optim.Adam([drive, readout], lr=0.1)
    for _ in range(steps):
        on = drive.sigmoid()
        guess = readout.log_softmax(dim=2)  # [:, 1] when the neuron is on, [:, 0] when it is off
        loss = -(on * guess[:, 1] + (1 - on) * guess[:, 0]).mean(1)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return loss.detach(), drive.detach().sigmoid()


loss, on = train_on_off(n_runs=64, seed=0)
n_on = (on > 0.5).sum(1)
groups_of = {1: [1, 3], 2: [2, 2], 3: [1, 3]}
for k in sorted(set(n_on.tolist())):
    found = loss[n_on == k]
    print(
        f"on for {k}: {len(found):2} of 64 neurons, loss {found.min():.3f} to {found.max():.3f}, "
        f"your formula {best_guess_loss(groups_of[k]):.3f}"
    )

# %% tags=["refutes:polysemanticity-allows-superposition"]
by_formula = torch.tensor([best_guess_loss(groups_of[k]) for k in n_on.tolist()])
one_against_three = loss[n_on != 2].min()
print(f"largest distance from the formula: {(loss - by_formula).abs().max():.4f}")
print(f"best neuron: {loss.min():.3f}, best one against three: {one_against_three:.3f}")
assert (loss - by_formula).abs().max() < 0.01
assert loss.min() < math.log(2) + 0.01
assert one_against_three > loss.min() + 0.1
assert n_on[loss.argmin()] == 2

# %% [markdown]
# The best neuron is on for two classes that have nothing to do with each other. It is polysemantic, and it is polysemantic because half
# and half tells more about four classes than one against three. Nothing is superposed: the readout cannot get the cat back, not even
# when the cat comes alone.
#
# (Some neurons stay at one against three. From there, no small step is downhill. Training is luck.)
#
# But think of the line "four levels" above: loss 0. A neuron that can be *half* on keeps all four classes apart, in one dimension.
# Is that superposition after all? It is one variable with four values: a thing is a cat or a bus, never both. There is no
# interference, because nothing comes together. Superposition is about features that *can* be present together. With those, a shared
# dimension has a price.
#
# **Remember from part 1.** A turned layer: polysemantic neurons, no superposition. A linear hidden space: superposition, and no
# neurons that could be polysemantic. One neuron with four classes: polysemantic for another reason. These are two questions
# with two answers.

# %% [markdown]
# ## 2. When the axes matter
#
# Put a ReLU on the hidden layer:
#
# ```text
#   x  (n numbers)   --- W, ReLU --->   h  (m neurons)   --- Wᵀ, + b, ReLU --->   x̂  (n numbers)
# ```
#
# $$h = \mathrm{ReLU}(W x), \qquad \hat{x} = \mathrm{ReLU}(W^\top h + b)$$
#
# The ReLU is taken neuron by neuron. It cuts along the axes and nowhere else. So the axes are special now: the basis is
# **privileged**, and single neurons are something you may ask about.

# %% [markdown] exercise="4.3" title="A hidden layer of neurons" minutes=5 difficulty=1 misconceptions=[]
# Write the forward pass for a batch. Samples are the rows of `x`, as in notebook 02.
#
# HINT: Start from notebook 02's model, `torch.relu(x @ W.T @ W + b)`. Where does the second ReLU go?
#
# HINT: `h = torch.relu(x @ W.T)` has the shape (batch, m). From there `@ W` leads back to (batch, n).


# %%
def reconstruct_with_neurons(x: torch.Tensor, W: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """ReLU(Wᵀ ReLU(Wx) + b). x: (batch, n_features), W: (n_neurons, n_features)."""
    ### BEGIN SOLUTION
    h = torch.relu(x @ W.T)
    return torch.relu(h @ W + b)
    ### END SOLUTION


reconstruct_with_neurons = check("4.3", reconstruct_with_neurons)

# %% [markdown]
# Ten features, five neurons. Feature i has importance 0.75^i, so x0 matters most. Train it at several sparsities, each from
# sixteen random starts, and keep the best. (Training is the same loop as in notebook 02, with the gradient
# written by hand. It takes some seconds.)

# %%
importance = toy_models.importance_decay(10, 0.75)
probabilities = (1.0, 0.5, 0.3, 0.2, 0.14, 0.1, 0.05, 0.02)
runs = {}
for p in probabilities:
    config = toy_models.ToyConfig(10, 5, p, importance)
    runs[p] = toy_models.train_neurons(config, toy_models.CAREFUL_RECIPE, seed=0, n_restarts=16)
best = {p: run.W[run.best] for p, run in runs.items()}

# %%
predict(
    "4.c",
    "With p = 0.5, half of the ten features are present at a time. "
    "How many of the five neurons are polysemantic in the best model?",
    (0, 5),
)

# %%
predict("4.d", "And with p = 0.05?", (0, 5))

# %%
show(plots.neuron_bars({f"p = {p:g}": best[p] for p in (0.5, 0.2, 0.05)}))
reveal("4.c", int((features_per_neuron(best[0.5]) > 1).sum()), "Dense: one feature a neuron.")
reveal("4.d", int((features_per_neuron(best[0.05]) > 1).sum()), "Sparse: they mix.")

# %% [markdown]
# Dense features: five neurons, five features, and the other five features are dropped. In between: some neurons are clean,
# for the most important features, and others share. Sparse features: no clean one is left. A minus sign means that
# the feature switches the neuron *off*.
#
# First the control. Is the basis really privileged? Turn the hidden layer by random rotations, as in part 1, and measure
# the loss again.

# %%
generator = torch.Generator().manual_seed(0)
print("   p    loss     turned: lowest of 50   median of 50")
for p in (0.5, 0.2, 0.05):
    W, b = best[p], runs[p].b[runs[p].best]
    x = features.sample_features(2_000, 10, p, generator=generator)
    rotations = torch.linalg.qr(torch.randn(50, 5, 5, generator=generator)).Q
    losses = [
        toy_models.importance_weighted_loss(
            x, reconstruct_with_neurons(x, M, b), torch.tensor(importance)
        )
        for M in (W, *(rotations @ W))
    ]
    as_trained, turned = losses[0], torch.stack(losses[1:])
    print(f"{p:5} {as_trained:8.4f} {turned.min():15.4f} {turned.median():18.4f}")
    assert turned.min() > 1.15 * as_trained

# %% [markdown]
# All fifty turns cost. In part 1 none did. (A turn that only exchanges axes would be free: it gives the neurons other numbers.) So
# here "what does this neuron stand for?" is a question about the network, and not about where training happened to end.

# %% [markdown] exercise="4.4" title="The share of polysemantic neurons" minutes=6 difficulty=2 misconceptions=[]
# Boil a layer down to one number. Of the neurons that answer to at least one feature, which share answers to two or more?
# A neuron that answers to none is *silent* and does not count. Where all are silent, return 0.
#
# HINT: Start with `features_per_neuron(W, threshold)`. Which counts make a neuron polysemantic, and which make it not
# silent?
#
# HINT: Divide `(counts > 1).sum()` by `(counts > 0).sum()`, and see to it that you never divide by 0: `max(1, ...)`.


# %%
def polysemantic_share(W: torch.Tensor, threshold: float = 0.5) -> float:
    """Polysemantic neurons as a share of those that are not silent. W: (n_neurons, n_features)."""
    ### BEGIN SOLUTION
    counts = (W.abs() > threshold).sum(dim=1)
    return int((counts > 1).sum()) / max(1, int((counts > 0).sum()))
    ### END SOLUTION


polysemantic_share = check("4.4", polysemantic_share)

# %% [markdown]
# Now over all sparsities. The control: the *same* weights, dealt out to random places of W. It says how many
# polysemantic neurons there would be if the network did not care where its large weights are.

# %%
generator = torch.Generator().manual_seed(0)
share, everyone, shuffled, kept = [], [], [], []
for p in probabilities:
    W = best[p]
    share.append(float(polysemantic_share(W)))
    everyone.append(sum(float(polysemantic_share(M)) for M in runs[p].W) / 16)
    places = torch.rand(200, 50, generator=generator).argsort(1)
    dealt = W.flatten()[places].view(200, 5, 10)
    shuffled.append(sum(float(polysemantic_share(M)) for M in dealt) / 200)
    kept.append(int((W.abs().max(dim=0).values > 0.5).sum()))
show(
    plots.line_chart(
        1 / torch.tensor(probabilities),
        {
            "best of 16 starts": torch.tensor(share),
            "all 16 starts": torch.tensor(everyone),
            "best, weights dealt out at random": torch.tensor(shuffled),
        },
        x_title="1/p = 1/(1 − S), sparser to the right",
        y_title="share of polysemantic neurons",
        log_x=True,
    )
)

# %%
print("    p    features kept   polysemantic neurons   dealt out at random")
for k, p in enumerate(probabilities):
    print(f"{p:6.2f} {kept[k]:10} {share[k]:19.0%} {shuffled[k]:22.0%}")
assert share[1] == 0 and shuffled[1] > 0.15
assert 0.2 <= share[3] <= 0.8
assert min(share[6:]) >= 0.8
assert kept[1] == 5 < kept[-1]

# %% [markdown]
# Read the table from the top.
#
# - *Dense:* five features in five neurons, one each. Random places would have mixed some, so this is a choice: the axes
#   are where interference is least.
# - *Sparse:* more features than neurons. Each feature needs a large weight somewhere, so some neuron has to take two. **Here
#   superposition forces polysemantic neurons**, because the basis is privileged. The control is just as mixed: it is the number of
#   large weights that does it, not their places.
# - *In between*, it does not spread evenly. The most important features keep a neuron each, and the others share the rest.
#
# How do the ones that share do it? Take the p = 0.2 model, and put its features in alone, one after the other. Three features, two
# neurons that share: guess which of the two fire for which feature.

# %%
W = best[0.2]
sharing = torch.as_tensor(features_per_neuron(W)) > 1
print(f"{int(sharing.sum())} sharing neurons, at x_i = 1 alone")
codes = {}
for i in torch.nonzero((W[sharing].abs() > 0.5).any(dim=0)).flatten().tolist():
    fires = W[sharing][:, i].relu()
    codes[i] = "".join("on  " if h > 0.5 else "off " for h in fires)
    print(f"  x{i}: {codes[i]}  ({', '.join(f'{h:.2f}' for h in fires)})")
assert len(set(codes.values())) == len(codes) > int(sharing.sum())

# %% [markdown]
# Three features, two neurons, and three different patterns: a code. Neither neuron alone says which feature is there. Both
# together do.
#
# ### Move it yourself
#
# At every move of the slider, eight models are trained from scratch, and the best is drawn. The dots on the right are the
# shares of all eight. The training is short, 240 steps. With dense features (p near 1) that is too short to sort the neurons, so
# begin at p = 0.5 and go right.
#
# 1. Where does the first polysemantic neuron appear? Which features does it take?
# 2. Which feature keeps its neuron longest?
# 3. Stay at one sparsity and press *New random starts*. What changes, and what does not?


# %%
def retrain(p: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Train eight models with the current settings of the panel; return weights and losses."""
    config = toy_models.ToyConfig(10, 5, p, importance)
    models = toy_models.train_neurons(config, seed=seed, n_restarts=8)
    return models.W, models.losses


privileged_panel(retrain, p=0.5)

# %% [markdown]
# How far does the short training get? (*If you have time.*) Beside it, the long one from above. *Loss* is that of the short training's best start over that of the long training's, on the same samples.

# %%
print("                     polysemantic neurons")
print("   p   loss          short: best   all starts   long: best   all starts")
for p in (1.0, 0.5, 0.2, 0.05, 0.02):
    config = toy_models.ToyConfig(10, 5, p, importance)
    both = (toy_models.train_neurons(config, seed=0, n_restarts=8), runs[p])
    x = features.sample_features(2_000, 10, p, generator=torch.Generator().manual_seed(1))
    losses, shares = [], []
    for run in both:
        y = reconstruct_with_neurons(x, run.W[run.best], run.b[run.best])
        losses.append(toy_models.importance_weighted_loss(x, y, torch.tensor(importance)))
        of_each = [float(polysemantic_share(W)) for W in run.W]
        shares += [of_each[run.best], sum(of_each) / len(of_each)]
    print(
        f"{p:5}   × {losses[0] / losses[1]:.2f} {shares[0]:15.0%} {shares[1]:12.0%} "
        f"{shares[2]:12.0%} {shares[3]:12.0%}"
    )

# %% [markdown]
# With dense features the short training has almost the loss of the long one, and its neurons are still mixed: sorting them
# takes long and gains little. So at the left end of the slider, believe the long training. At the sparse end its loss is higher,
# but the neurons are mixed in both.

# %% [markdown]
# ## 3. Computing with shared neurons
#
# So far the network only remembered. Now it has to *do* something: the absolute value of each feature. Features go from −1 to 1
# here, and the two weight matrices are no longer tied:
#
# $$h = \mathrm{ReLU}(W_\text{in}\, x), \qquad y = \mathrm{ReLU}(W_\text{out}\, h + b), \qquad y_i \text{ should be } |x_i|$$
#
# Look at one feature. Which neurons would you build?

# %%
x = torch.linspace(-1, 1, 21)
show(
    plots.line_chart(
        x,
        {"|x|": x.abs(), "ReLU(x)": x.relu(), "ReLU(−x)": (-x).relu()},
        x_title="x",
        y_title="value",
    )
)

# %% [markdown] exercise="4.5" title="Absolute values by hand" minutes=8 difficulty=2 misconceptions=[]
# Write weights of a network that computes |x| exactly, for n features, with 2n neurons and b = 0. Return the pair
# `(W_in, W_out)`. A neuron is a row of W_in, shape (2n, n). An output is a row of W_out, shape (n, 2n).
#
# HINT: The picture says it: |x| = ReLU(x) + ReLU(−x). One neuron for each half.
#
# HINT: With E the identity, `torch.eye(n)`, put E above −E for W_in (`torch.cat`), and E beside E for W_out
# (`torch.cat` with `dim=1`).


# %%
def absolute_value_network(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(W_in, W_out) of shapes (2n, n) and (n, 2n), so that ReLU(W_out ReLU(W_in x)) = |x|."""
    ### BEGIN SOLUTION
    E = torch.eye(n)
    return torch.cat([E, -E]), torch.cat([E, E], dim=1)
    ### END SOLUTION


absolute_value_network = check("4.5", absolute_value_network)

# %% [markdown]
# Does training find the same? Three features, six neurons, dense inputs, from eight seeds. There is exactly enough room. A start can
# still get stuck with both neurons of a feature on the same side, so we look at the best.

# %%
config = toy_models.ToyConfig(3, 6, 1.0, toy_models.importance_decay(3, 0.8))
small = [
    toy_models.train_absolute(config, toy_models.Recipe(800, 2e-2, 256), seed=seed)
    for seed in range(8)
]
errors = torch.stack([toy_models.absolute_errors(network, seed=100).sum() for network in small])
W_in, W_out = absolute_value_network(3)
found = small[int(errors.argmin())]
show(plots.neuron_bars({"by hand": W_in, "trained, best of 8": found.W_in}))
print(f"errors of the eight: {' '.join(f'{e:.5f}' for e in errors.sort().values)}")
print("weight in times weight out, for each trained neuron: ", end="")
print(" ".join(f"{(a.abs() * o).max():.2f}" for a, o in zip(found.W_in, found.W_out.T)))
assert errors.min() < 1e-4
assert polysemantic_share(found.W_in) == 0

# %% [markdown]
# The trained network is yours, up to scale: a neuron with weight 1.3 in has 1/1.3 out. Every neuron is monosemantic, one for each sign of
# each feature.
#
# ### Forty neurons for a hundred features
#
# Now there is *not* enough room. By your recipe, 40 neurons compute 20 features. The rest get their mean from the bias. That is the best
# that a network can do in which every neuron works for one feature only, and its loss is a formula: the variance of what is left out.
# Importance is 0.8^i, so the first features count most.

# %%
predict(
    "4.e",
    "100 features, 40 neurons, p = 0.01. Does a trained network lose more or less than "
    "the network that computes exactly 20 features?",
    ["Less", "About the same", "More"],
)

# %% [markdown]
# Train at four sparsities, and divide each loss by that of the exact-20 network. (A few seconds each.)

# %%
importance_100 = toy_models.importance_decay(100, 0.8)
networks, ratio, answered = {}, {}, {}
for p in (1.0, 0.1, 0.03, 0.01):
    config = toy_models.ToyConfig(100, 40, p, importance_100)
    networks[p] = toy_models.train_absolute(config, seed=0)
    error = toy_models.absolute_errors(networks[p], seed=100)
    exact = toy_models.exact_floor(torch.tensor(importance_100), p, 40)
    ratio[p] = float(error @ torch.tensor(importance_100)) / exact
    answered[p] = int((error < 0.5 * (p / 3 - p**2 / 4)).sum())
print("    p    loss / exact 20   features at less than half their variance   polysemantic")
for p, network in networks.items():
    mixed = float(polysemantic_share(network.W_in))
    print(f"{p:6.2f} {ratio[p]:12.2f} {answered[p]:30} {mixed:26.0%}")

# %%
show(
    plots.line_chart(
        1 / torch.tensor(list(networks)),
        {
            "trained network": torch.tensor(list(ratio.values())),
            "exactly 20 features": torch.ones(4),
        },
        x_title="1/p = 1/(1 − S), sparser to the right",
        y_title="loss / loss of the exact 20",
        log_x=True,
    )
)
reveal("4.e", "Less", "Some neurons compute for several features, and more than 20 are served.")
assert ratio[0.01] < 0.9 and ratio[0.03] < 0.97
assert ratio[1.0] > 1
assert answered[0.01] > 20 >= answered[1.0]

# %% [markdown]
# With dense features the trained network does *worse* than the exact one: there is nothing to gain, and this training does not find
# the best. With sparse features it does clearly better. It computes more absolute values than its neurons have room for, with
# interference that is rarely met. It computes **in superposition**.
#
# ### The asymmetric motif (*if you have time*)
#
# How can one neuron compute for two features at once? A neuron serves feature i if weight in times weight out,
# $|W^\text{in}_{ji}| \cdot W^\text{out}_{ij}$, is a visible part of 1. The simplest way to serve two would be half and half. Look for
# something else: a neuron with
#
# - a large weight **in** from feature *big*, at least twice that from feature *small*,
# - and a large weight **out** to *small*, at least twice that to *big*.

# %%
sparse = networks[0.01]
opposite, _ = toy_models.lopsided_pairs(sparse)  # (neuron, big, small)
size = sparse.W_in.abs()
neuron, big, small_one = max(
    opposite.nonzero().tolist(), key=lambda t: size[t[0], t[1]] * sparse.W_out[t[2], t[0]]
)
print(f"neuron {neuron}          weight in   weight out   in x out")
for name, i in (("big", big), ("small", small_one)):
    w_in, w_out = float(sparse.W_in[neuron, i]), float(sparse.W_out[i, neuron])
    print(f"  {name:5} x{i:<3} {w_in:14.2f} {w_out:12.2f} {abs(w_in) * w_out:10.2f}")

# %% [markdown]
# What does this arrangement do to the interference? Put in *small* alone: output *big* gets a small weight times a small weight. Hardly
# anything. Now put in *big* alone: output *small* gets a large weight times a large weight. How can that be any good?
#
# Let the features go in alone, one after the other, each with the sign that this neuron answers to. Ask every neuron what it adds to the
# other's output.

# %%
parts = {}
for into, output in ((small_one, big), (big, small_one)):
    sign = float(sparse.W_in[neuron, into].sign())
    added, bias = toy_models.additions(sparse, into, output, sign)
    others = [j for j in added.abs().argsort(descending=True).tolist() if j != neuron][:2]
    shown = {str(j): float(added[j]) for j in (neuron, *others)}
    shown["rest"] = float(added.sum()) + bias - sum(shown.values())
    parts[f"x{into} = {sign:.0f} alone, output {output}"] = shown
show(plots.contribution_bars(parts, x_title="neuron", y_title="added to the wrong output"))

# %% [markdown]
# On the right you see the trick. The interference is large, and **positive**, and *other neurons take it away again*. They fire for
# *big* too and have negative weights out. What is left is below zero, and the ReLU makes it 0. So interference runs in one direction only,
# and there it is cancelled. Half and half would disturb both outputs.
#
# *Toy Models of Superposition* calls this asymmetric superposition, with inhibition. One neuron is an anecdote. Count, in three networks
# from three seeds. The control: a neuron could be lopsided *the same way*, with the larger weight in and out for the same feature.

# %%
print("seed   opposite ways   (on neurons)   the same way   interference left: most of all")
for seed in range(3):
    config = toy_models.ToyConfig(100, 40, 0.01, importance_100)
    network = sparse if seed == 0 else toy_models.train_absolute(config, seed=seed)
    opposite, same_way = toy_models.lopsided_pairs(network)
    triples = opposite.nonzero().tolist()
    left = [toy_models.interference_left(network, *triple) for triple in triples]
    n_on = len({j for j, _, _ in triples})
    print(f"{seed:4} {len(triples):10} {n_on:13} {int(same_way.sum()):14} {max(0.0, *left):17.0%}")
    assert len(triples) >= 6 and int(same_way.sum()) <= len(triples) / 4
    assert max(left) < 0.2

# %% [markdown]
# Where a neuron serves two features unevenly, it is nearly always the opposite way. (The same way has less room: its two products
# differ fourfold.) And nothing is left of the interference. Any network that does its task must see to that, so it is not the motif;
# the motif is *where* the weights lie. A few neurons carry all of these pairs. So this is a piece of a **circuit**: read a polysemantic
# neuron together with those that cancel.
#
# What differs from the paper, as far as we measured: our output ReLU leaks in the first half of training (else rare outputs die and
# never come back), and with dense features our network stays behind the exact one. Numbers in this notebook are ours, from your
# computer. The idea of both experiments, and of the motif, is from Elhage and others, *Toy Models of Superposition* (2022).

# %% [markdown]
# ## 4. Real neurons
#
# So far you knew the features, because we planted them. Now a model in which nobody knows them: our own transformer, with
# one layer and 512 ReLU neurons, trained on code, documentation, interfaces in many languages, base64, hexadecimal
# numbers and DNA. There are two of them, A and B, trained alike from other random weights.
#
# To ask what a neuron is about we need texts about which something is known. Here are 16 **classes**, known by
# construction: Arabic text was made of Arabic names, DNA was drawn from four letters.

# %%
texts_of = contexts.contexts()
texts = [text for some in texts_of.values() for text in some]
classes = torch.arange(len(texts_of)).repeat_interleave(len(texts) // len(texts_of))
for name, some in texts_of.items():
    print(f"{name:14} {some[0][:60]!r}")

# %% [markdown]
# The model reads 32 texts of each class, 63 tokens each. For every text we keep each neuron's mean activation.


# %%
def read(name: str, trained: bool = True):
    """A model, the tokens of our texts, and what goes into and comes out of its 512 neurons."""
    model = language.load_one_layer(name, trained=trained)
    tokens = language.tokenize(model, texts, max_tokens=64)
    points = [language.hook_point(model, 0, site) for site in ("mlp_pre", "mlp_post")]
    found = language.activations(model, tokens, points)
    before, after = (found.values.pop(point) for point in points)
    return model, tokens, found, before, after


model_a, tokens, found, before, after_a = read("A")
del before
by_text = neurons.text_means(after_a, found.text)
print(f"{len(found):,} tokens, {by_text.shape[0]} texts, {by_text.shape[1]} neurons")

# %% [markdown]
# How many classes is a neuron active in? Not "in how many is it ever active": nearly every neuron is, a little, in nearly
# every class. We want a count that weighs a class by how much of the neuron's activation is there. With shares ½ and ½ in two classes
# it should say 2. With .97, .01, .01 and .01 it should say little more than 1.
#
# Take the mean activation $m_c$ in each class, and from it the class's **share** $q_c = m_c / \sum_c m_c$. The entropy
# $H = -\sum_c q_c \log q_c$ is 0 if one class has all, and $\log k$ if $k$ classes have equal shares. So $e^H$ counts
# them: the **effective number of classes**. Means, not sums, so that a class with more texts does not weigh more.

# %%
predict(
    "4.f",
    "16 classes. A typical neuron of the trained model is active in effectively how many of them?",
    (1.0, 16.0),
)
predict(
    "4.g",
    "Take random directions in the layer instead of its neurons, active at as few tokens. They are "
    "active in",
    ["far more classes", "about as many classes", "far fewer classes"],
)

# %% [markdown] exercise="4.6" title="The effective number of classes" minutes=8 difficulty=2 misconceptions=[]
# Write $e^H$ for every neuron at once, for any number of classes. A class in which a neuron is never active has the share 0, and
# $0 \log 0$ counts as 0. A neuron that is never active at all gets the number 0.
#
# HINT: First the means, one row for each class: `activations[classes == c].mean(0)` for every c, stacked. Then divide by
# their sum over the classes, `dim=0`.
#
# HINT: `torch.special.entr(q)` is −q log q, and 0 for q = 0. Sum it over the classes, and take `.exp()`. To keep 0 out of
# the division, use `.clamp_min(1e-12)`, and multiply the result by `total > 0`.


# %%
def effective_classes(activations: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """exp(H) of each neuron's shares. activations: (n_texts, n_neurons), 0 or more; classes:
    (n_texts,), whole numbers 0 to k - 1; returns (n_neurons,)."""
    ### BEGIN SOLUTION
    means = torch.stack([activations[classes == c].mean(0) for c in range(int(classes.max()) + 1)])
    total = means.sum(0)
    q = means / total.clamp_min(1e-12)
    return torch.special.entr(q).sum(0).exp() * (total > 0)
    ### END SOLUTION


effective_classes = check("4.6", effective_classes)

# %% [markdown]
# A count alone says little. It needs controls, and here are three:
#
# - **shuffled labels**: the same activations, each text with the label of another one. Then a class is just some texts.
# - **untrained**: the same network with the random weights it began with.
# - **random directions**: in place of a neuron's own, a random direction of the same layer, with a threshold that makes it
#   active at exactly as many tokens as the neuron. This asks whether *neurons* are special, or the layer is. And the same
#   in the untrained layer, as rarely active: does being rare do it?

# %%
dice = torch.Generator().manual_seed(0)
counts = {}
for name in "AB":
    for trained in (True, False):
        _, _, rows, before, after = read(name, trained)
        label = name if trained else f"{name}, untrained"
        counts[label] = effective_classes(neurons.text_means(after, rows.text), classes)
        if trained:
            rates = (after > 0).float().mean(0)  # kept for the untrained layer
        turned = neurons.random_directions(before, rates, generator=dice)
        means = neurons.text_means(turned, rows.text)
        counts[f"{label}, random directions"] = effective_classes(means, classes)
        del before, after, turned
null = neurons.shuffled(  # the library's version, in case that yours is slow
    neurons.effective_classes, by_text, classes, n_permutations=20, generator=dice
)
counts["A, shuffled"] = null.median(0).values
middle = {label: float(e.median()) for label, e in counts.items()}
for label, e in counts.items():
    low, high = e.double().quantile(torch.tensor([0.05, 0.95]).double())
    print(f"{label:30} median {middle[label]:5.2f}   from {low:5.2f} (5 %) to {high:5.2f} (95 %)")

# %%
share = torch.linspace(0, 100, 101)
shown = ("A", "A, random directions", "A, shuffled", "A, untrained", "B")
show(
    plots.line_chart(
        share,
        {label: counts[label].double().quantile(share.double() / 100) for label in shown},
        x_title="% of neurons with at most as many",
        y_title="effective number of classes",
    )
)
reveal("4.f", round(middle["A"], 1), "Hardly a neuron has a class of its own.")
reveal(
    "4.g",
    "about as many classes",
    f"Their median is {middle['A, random directions']:.1f}, that of the neurons {middle['A']:.1f}. "
    f"In the untrained layer they have {middle['A, untrained, random directions']:.1f}.",
)
for name in "AB":
    assert 3 < middle[name] < 11 and middle[f"{name}, untrained"] > 13
    assert 0.75 < middle[f"{name}, random directions"] / middle[name] < 4 / 3
    assert middle[f"{name}, untrained, random directions"] > 12
assert middle["A, shuffled"] > 13
assert (counts["A"] < null.amin(0)).float().mean() > 0.9

# %% [markdown]
# Training did a lot: an untrained neuron is active in all classes alike, and with shuffled labels every neuron would seem
# to be. But a trained neuron is still far from one class. And then the uncomfortable control. A random direction of this layer
# does about as well as a neuron, if it is active as rarely. (In B the neurons are a little narrower.) Being rare is not what does it: rare directions of the untrained layer
# are active in nearly all classes. So the *layer* has learned to tell the classes apart. That single
# *neurons* have, this count does not show: it cannot tell them from directions that nobody trained.
#
# Keep this for notebook 05, where you look for better directions than the neurons.
#
# ## A dashboard
#
# Numbers do not say *what* a neuron is about. Texts do, if they are chosen with care. Each neuron below is shown with:
#
# - its mean activation by class, and in grey what shuffled labels give;
# - the texts in which it is **most** active, and, because these flatter every neuron, **random** tokens from the upper half
#   of its activity;
# - random tokens of all, which show how often it is silent;
# - the tokens that it makes likelier and less likely, when it is active.
#
# The underlined token is the one that was chosen; the deeper the blue, the more active the neuron is. Look at some
# neurons in every order. Find one that you would call monosemantic, and one whose strongest texts suggest one meaning
# while the random ones do not.

# %%
survey = neurons.Survey(
    after_a, found.text, tokens.offsets[found.text, found.position], texts, classes, list(texts_of)
)


def effect(neuron: int):
    """What this neuron pushes up and down, when it is active."""
    scores = language.logit_effect(model_a, 0, neuron)
    return [language.top_tokens(model_a, scores, 8, largest=up) for up in (True, False)]


neuron_panel(survey, effect, order="fewest")

# %% [markdown] exercise="4.7" title="Name three neurons" minutes=10 difficulty=2 misconceptions=[]
# Choose three neurons of model A from the dashboard, at least one of each kind, and say of each whether it is
# `"monosemantic"` or `"polysemantic"`. Return a dict from their numbers to these words. Write in a comment what each is about.
#
# The check decides by the interval of the effective number of classes, "other texts, 95 %": with other texts of these classes, 95 of
# 100 numbers would lie in it. **Monosemantic** if all of it is below 2; few neurons are. **Polysemantic** if all of it is between 3 and
# 12. Above 12 a neuron is *dense*: active nearly everywhere, and the classes cannot say what it is about. What lies between 2 and 3 is
# unclear. You are given the lower and the upper ends of all 512 intervals; you need not use them.
#
# HINT: In the order "fewest classes first", the first neurons are the candidates for monosemantic. The line "other texts,
# 95 %" is the interval.
#
# HINT: Write the numbers you found: `return {17: "monosemantic", 3: "polysemantic", 5: "polysemantic"}`, with yours.


# %%
def three_neurons(low: torch.Tensor, high: torch.Tensor) -> dict[int, str]:
    """Three neurons of model A, each with "monosemantic" or "polysemantic". low, high: (512,)."""
    ### BEGIN SOLUTION
    narrow = int(high.argmin())
    one, two = ((low + high) / 2 - 6).abs().argsort()[:2].tolist()  # around 6 classes
    return {narrow: "monosemantic", one: "polysemantic", two: "polysemantic"}
    ### END SOLUTION


three_neurons = check("4.7", three_neurons)

# %%
print("neuron   classes   interval        shuffled        most in")
for neuron, word in three_neurons(survey.low, survey.high).items():
    look = survey.look(int(neuron))
    most = ", ".join(look.names[c] for c in look.means.argsort(descending=True)[:3])
    print(
        f"{look.neuron:4}     {look.effective:5.1f}     {look.low:4.1f} to {look.high:4.1f}    "
        f"{look.null[0]:4.1f} to {look.null[1]:4.1f}    {most}: {word}"
    )
narrow, wide = survey.high < 2, (survey.low > 3) & (survey.high < survey.null[0])
print(
    f"\nOf {len(survey)} neurons, {int(narrow.sum())} have an interval all below 2, and "
    f"{int(wide.sum())} one all above 3 and below what shuffled labels give."
)
assert wide.float().mean() > 0.6
assert narrow.float().mean() < 0.25

# %% [markdown]
# Before you take the number for more than it is, four things that it cannot say:
#
# - **A neuron for "any language but English" would count as polysemantic**, though that is one meaning over eight classes. Are
#   the classes of your neuron related?
# - **A neuron with two meanings within code would count as monosemantic.** The index sees our 16 classes, and nothing else.
# - **Dense is not polysemantic.** A neuron that is active everywhere alike does not tell classes apart. It may be about one
#   thing that every text has, such as the beginning of a word.
# - **Polysemantic is not superposition.** That many neurons take part in several things fits a layer that holds more features
#   than neurons. But you have seen other causes above, and this count cannot tell them apart. Notebook 05 looks for the
#   features themselves.

# %% [markdown]
# ## 5. One sign, two meanings
#
# In JavaScript a semicolon ends a statement. In an English sentence it joins two clauses. To the eye it is one
# sign. Is it one direction in a language model, or several?
#
# You ask a published one: SmolLM2-135M, 30 layers with 1,536 neurons each. It reads snippets written for this
# course, about thirty of each kind. If its weights are not on this machine, the next cell says what to do, and the
# cells about it are left out.

# %%
try:
    smollm2 = language.load_smollm2()
except assets.Missing as missing:
    smollm2 = None
    print(missing)
written = snippets.semicolons()
for name, texts in written.items():
    print(f"{name:>10}: {len(texts)} snippets, such as {texts[0].splitlines()[0][:60]!r}")
assert sum(map(len, written.values())) >= 200

# %% [markdown]
# Before anything is averaged: what does the model get to see? It reads **tokens**, and a semicolon is not always the
# same one.

# %%
if smollm2:
    for name, texts in written.items():
        tokens, is_sign = up_to_first(language.tokenize(smollm2, texts), snippets.SIGNS)
        seen = Counter(language.spell(smollm2, int(i)) for i in tokens.ids[is_sign])
        print(f"{name:>10}: " + ", ".join(f"{sign!r} {n} times" for sign, n in seen.most_common()))

# %% [markdown]
# In code it often comes as one token with a bracket, in French with a space before it. And there is a trap: half of
# the Greek question marks only *look* like a semicolon. They are another character, and the model sees two other tokens, of
# which you see the second half here. So two rows that look alike need not have anything in common; and some of any difference
# between two rows may be the token and not its meaning. Keep that in mind.

# %%
predict(
    "4.h",
    "Take the difference that a semicolon makes in the neurons' activations, as a direction, in "
    "JavaScript and in English. What is the cosine of the two in layer 15, the middle?",
    (-1.0, 1.0),
)

# %%
predict(
    "4.i",
    "And for English and French?",
    ["lower than for JavaScript and English", "about the same", "higher"],
)

# %% [markdown] exercise="4.8" title="A direction" minutes=4 difficulty=1 misconceptions=[]
# A direction for a feature, the simplest that works: the **difference of two means**, made 1 long. You get the
# activations at the signs, one row each, and those of other tokens, one row each.
#
# HINT: `.mean(0)` is the mean row.
#
# HINT: Subtract the mean of `elsewhere` from the mean of `at_sign`, then divide by the `.norm()` of what you have.


# %%
def direction(at_sign: torch.Tensor, elsewhere: torch.Tensor) -> torch.Tensor:
    """mean(at_sign) − mean(elsewhere), with the length 1. Rows are tokens, columns units."""
    ### BEGIN SOLUTION
    difference = at_sign.mean(0) - elsewhere.mean(0)
    return difference / difference.norm()
    ### END SOLUTION


direction = check("4.8", direction)

# %% [markdown]
# Now the real thing. The model reads each snippet up to its **first** semicolon, and "elsewhere" are the tokens before
# it. So each snippet counts once, and what its language adds to all of its tokens alike is taken out.
#
# A few tokens are left out: those on which the model dumps what it has no use for. Their activations are many times as large
# as all others. At the end of this part you see what they would have done. (If the semicolon itself is such a token, its snippet does
# not count, so some kinds have fewer snippets than were written.)

# %%
CLASSES = {
    "JavaScript": "javascript", "C": "c", "Python": "python",
    "English": "english", "French": "french", "German": "german",
}  # fmt: skip


def read_up_to(signs, texts, *, n_layers=30, leave_out_massive=True, step_back=False):
    """What a sign adds to the neurons of each layer, one row a text, and random directions."""
    tokens, is_sign = up_to_first(language.tokenize(smollm2, texts), signs)
    if step_back:  # the token before it, as if the text ended there
        tokens, is_sign = before_the_sign(tokens, is_sign)
    points = [language.hook_point(smollm2, layer, "mlp_post") for layer in range(n_layers)]
    look = language.hook_point(smollm2, 3, "resid_post")  # where massive tokens show
    found = language.activations(smollm2, tokens, [*points, look], batch_size=4)
    keep = ~massive(found.values[look]) | (not leave_out_massive)
    return polysemanticity.sign_of(
        (found.values.pop(point)[keep] for point in points), found.text[keep],
        is_sign[found.text, found.position][keep],
        n_random=60, generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


if smollm2:
    signs = {name: read_up_to(snippets.SIGNS, written[key]) for name, key in CLASSES.items()}
    for name, sign in signs.items():
        print(f"{name:>10}: {sign.rows.shape[1]} snippets")

# %% [markdown]
# With your `direction`, for the neurons of a few layers. Each row is a snippet's difference already, so "elsewhere" is 0.

# %%
if smollm2:
    print("layer   JavaScript and English   English and French")
    cosines = {}
    for layer in (0, 1, 5, 10, 15, 20, 25, 29):
        d = {}
        for name in ("JavaScript", "English", "French"):
            rows = signs[name].rows[layer]
            d[name] = direction(rows, torch.zeros(1, rows.shape[1]))
        cosines[layer] = float(d["JavaScript"] @ d["English"])
        print(f"{layer:5} {cosines[layer]:17.2f} {float(d['English'] @ d['French']):20.2f}")
    reveal("4.h", round(cosines[15], 2), "Far from 1. Is it far from 0?")
    reveal("4.i", "higher", "In nearly all layers. One sign, and mostly one meaning.")

# %% [markdown]
# How sure can you be? There are about thirty snippets of each kind. With thirty others, the figures would be
# others. You cannot write a thousand sets of snippets; but you can draw **again from those you have**, with
# replacement, and see how far the result moves. That is the **bootstrap**.

# %% [markdown] exercise="4.9" title="With other snippets" minutes=8 difficulty=2 misconceptions=[]
# Write the bootstrap for any number that two sets of rows give. Draw rows of `first` with replacement, as many as it has;
# independently, rows of `second`; and keep what `statistic(drawn_first, drawn_second)` gives. Do it n times and return
# the n values as a tensor. Pass `generator` on to every draw.
#
# Draw *rows*: each is a snippet. Tokens of one snippet are alike, and drawing tokens would make you too sure.
#
# HINT: `torch.randint(len(first), (len(first),), generator=generator)` are places with replacement.
#
# HINT: `statistic(first[places], second[other_places])` in a loop, then `torch.tensor(values)`.


# %%
def bootstrap(statistic, first, second, n, generator) -> torch.Tensor:
    """n values of statistic(first, second), each for rows drawn again with replacement."""
    ### BEGIN SOLUTION
    values = []
    for _ in range(n):
        places = torch.randint(len(first), (len(first),), generator=generator)
        other_places = torch.randint(len(second), (len(second),), generator=generator)
        values.append(float(statistic(first[places], second[other_places])))
    return torch.tensor(values)
    ### END SOLUTION


bootstrap = check("4.9", bootstrap)

# %% [markdown]
# An interval: the middle 95 % of these values. Beside it the same from the library, which does two things more.
#
# Noise in a mean makes every cosine too small, and drawing again adds noise once more; the library takes that
# out. And it gives two **nulls**. *Noise*: random tokens of the same snippets take the place of the semicolon, and what is left is
# chance. *One sign*: the snippets of both kinds are put in one heap and dealt out anew, so that they have the same meaning. What
# lies between the two has something in common, and is not the same.

# %%
if smollm2:
    generator = torch.Generator().manual_seed(0)
    js, en = signs["JavaScript"], signs["English"]
    compared = polysemanticity.compare_signs(js, en, generator=generator)
    print("layer   yours             library           noise             one sign")
    for layer in (0, 1, 5, 10, 15, 20, 25, 29):
        values = bootstrap(polysemanticity.cosine, js.rows[layer], en.rows[layer], 300, generator)
        low, high = values.quantile(torch.tensor([0.025, 0.975]))
        print(
            f"{layer:5}   {low:5.2f} to {high:5.2f}    "
            f"{compared.low[layer]:5.2f} to {compared.high[layer]:5.2f}    "
            f"{compared.null_low[layer]:5.2f} to {compared.null_high[layer]:5.2f}    "
            f"{compared.one_low[layer]:5.2f} or more"
        )

# %% [markdown]
# Now: which neurons do it? Some fire for both kinds of semicolon, others for one kind only. A mean of n numbers wobbles by about
# std / √n, so take a neuron's **strength** as t = mean / (std / √n): by how many wobbles its mean is away from 0.

# %% [markdown] exercise="4.10" title="Neurons for both" minutes=7 difficulty=2 misconceptions=["superposition-is-a-neuron"]
# Find the k neurons that fire most clearly for both. Compute the strength t of every neuron in `first` and in `second`, each
# with the number of its own rows as n. A neuron's score is the **smaller** of its two strengths. Return the places of the k largest scores, the
# largest first.
#
# HINT: `rows.mean(0) / rows.std(0) * len(rows) ** 0.5` is t for all neurons at once.
#
# HINT: `torch.minimum(a, b)` compares two tensors place by place, and `.topk(k).indices` has the places.


# %%
def neurons_for_both(first: torch.Tensor, second: torch.Tensor, k: int) -> torch.Tensor:
    """The k neurons with the largest min(t_first, t_second). Rows are texts, columns neurons."""
    ### BEGIN SOLUTION
    strengths = [rows.mean(0) / rows.std(0) * len(rows) ** 0.5 for rows in (first, second)]
    return torch.minimum(*strengths).topk(k).indices
    ### END SOLUTION


neurons_for_both = check("4.10", neurons_for_both)

# %% [markdown]
# How many there are needs a null, as the best of 1,536 neurons is strong by chance. So the bar is what the *best* neuron reaches
# when "at the sign" and "elsewhere" are swapped at random, and for telling apart, when snippets are dealt out to the
# two kinds at random. The next cell does that for 15 pairs of kinds in 30 layers.


# %%
def bars(places, first, second):
    return [Bar(int(j), float(first[:, j].mean()), float(second[:, j].mean())) for j in places]


def layer_neurons(first, second, generator):
    """The clearest neurons for the panel, and how many there are."""
    found = polysemanticity.shared_neurons(first, second, n=50, generator=generator)
    return LayerNeurons(
        bars(neurons_for_both(first, second, 4), first, second),
        bars(found.apart[:4], first, second),
        found.n_both, found.expected, found.most_by_chance, found.n_apart,
    )  # fmt: skip


if smollm2:
    generator = torch.Generator().manual_seed(0)
    first_pair = ("JavaScript", "English")
    pairs = sorted(combinations(CLASSES, 2), key=lambda pair: pair != first_pair)
    table = {
        (a, b): polysemanticity.compare_signs(
            signs[a], signs[b], n_bootstrap=400, n_shuffles=100, generator=generator,
        )
        for a, b in pairs
    }  # fmt: skip
    parts = ("value", "low", "high", "null_low", "null_high", "one_low")
    figures = SignFigures(
        pairs, range(30),
        **{part: torch.stack([getattr(table[pair], part) for pair in pairs]) for part in parts},
        neurons={
            (k, layer): layer_neurons(
                signs[a].rows[layer], signs[b].rows[layer], generator
            )
            for k, (a, b) in enumerate(pairs)
            for layer in range(30)
        },
    )  # fmt: skip

# %%
if smollm2:
    display(semicolon_panel(figures))

# %% [markdown]
# Move the layer from 0 on, and try several pairs. Things to look for:
#
# - JavaScript and English start alike, and part in layer 1. From there on the cosine is low: above the noise in most layers, and
#   everywhere far below one sign.
# - JavaScript and C stay together. So do, less closely, English and French.
# - Some neurons fire for both, in most layers more than by chance. Such a neuron may be about the *sign*, one meaning that is wider than
#   either of ours, or about two things. That it fires for both does not say which.

# %%
if smollm2:
    medians = {pair: float(table[pair].value[3:].median()) for pair in pairs}
    for (a, b), median in sorted(medians.items(), key=lambda item: -item[1]):
        print(f"{a:>10} and {b:8} median of layers 3 to 29: {median:5.2f}")
    js_en, en_fr = table["JavaScript", "English"], table["English", "French"]
    above = int((js_en.low[3:] > js_en.null_high[3:]).sum())
    print(f"\nJavaScript and English: above the noise in {above} of these 27 layers")
    assert js_en.value[0] > 0.5 and js_en.value[1] < 0.4
    assert medians["JavaScript", "English"] < 0.4 < 0.45 < medians["English", "French"]
    assert medians["JavaScript", "C"] > 0.8 and medians["JavaScript", "Python"] > 0.7
    assert (en_fr.low[3:] > js_en.high[3:]).sum() >= 20
    assert above >= 15
    assert (js_en.high[3:] < js_en.one_low[3:]).all()

# %% [markdown]
# ### Is it about the semicolon?
#
# "Above the noise" is little. Any two tokens may have something in common: both are signs, both end something. So compare with other
# pairs of tokens: the **comma**, and simply **the token before** the semicolon. And is it the token itself? In code most semicolons
# come with a bracket, as you saw. So take those texts of C and Python in which it stands alone.


# %%
def alone(name):
    """The texts in which the first semicolon is a token of its own."""
    texts = written[CLASSES[name]]
    tokens, is_sign = up_to_first(language.tokenize(smollm2, texts), snippets.SIGNS)
    ids = (tokens.ids * is_sign).sum(1).tolist()
    return [text for text, i in zip(texts, ids) if language.spell(smollm2, i) == ";"]


if smollm2:
    both = ("JavaScript", "English")
    comma = {
        name: read_up_to([","], [t for t in written[CLASSES[name]] if "," in t]) for name in both
    }
    before = {
        name: read_up_to(snippets.SIGNS, written[CLASSES[name]], step_back=True) for name in both
    }
    plain = {name: read_up_to(snippets.SIGNS, alone(name)) for name in ("C", "Python")}
    javascript, english = (signs[name] for name in both)
    rows = {
        "; and ;": (javascript, english),
        "; and ,": (javascript, comma["English"]),
        ", and ;": (comma["JavaScript"], english),
        ", and ,": (comma["JavaScript"], comma["English"]),
        "token before, both": (before["JavaScript"], before["English"]),
        "; and token before": (javascript, before["English"]),
        "token before and ;": (before["JavaScript"], english),
        "C and English": (signs["C"], english),
        "  ; alone": (plain["C"], english),
        "Python and English": (signs["Python"], english),
        "  ; alone ": (plain["Python"], english),
    }
    print("JavaScript and English   texts       layer 0   median of layers 3 to 29")
    middle_of = {}
    for name, (a, b) in rows.items():
        if name == "C and English":
            print("the token itself")
        a, b = a.rows, b.rows
        cosine = polysemanticity.unbiased_cosine(a, b)
        middle_of[name] = float(cosine[3:].median())
        print(
            f"  {name:22} {a.shape[1]:2}, {b.shape[1]:2} {float(cosine[0]):11.2f} "
            f"{middle_of[name]:12.2f}"
        )
    assert middle_of["; and ;"] > middle_of["; and ,"] + 0.05
    assert middle_of["; and ;"] > max(middle_of["; and token before"], 0) + 0.1
    assert middle_of["token before, both"] > 0.15

# %% [markdown]
# Read it slowly. In the later layers the two semicolons have a little in common. The two tokens just before them have no less, and they are
# no semicolons. So the number alone says nothing about semicolons. What does is the comparison across: the semicolon of one kind is
# more like the semicolon of the other than like its comma, and than like the token before. That is the part that is about the sign.
#
# And layer 0? There it is the *token*. Where the semicolon stands alone in code, the cosine is higher. In the later layers that makes
# no great difference.
#
# ### A probe (*if you have time*)
#
# Can the kind be read from a few neurons? A **k-sparse probe** may look at k of them. It chooses and learns on some of the snippets, and is
# tried on the others. Two controls: shuffled labels, and the same probe on *the token before*.

# %%
if smollm2:
    print("JavaScript or English     at the semicolon                 at the token before")
    print(
        "layer   k                 right     best of the shuffles   right    best of the shuffles"
    )
    for layer in (0, 2, 10, 20):
        for k in (1, 4):
            line = f"{layer:5}  {k:2}"
            for where in (signs, before):
                rows = [where[name].rows[layer] for name in both]
                is_first = torch.arange(sum(map(len, rows))) < len(rows[0])
                probe = sparse_probe(torch.cat(rows), is_first, k=k)
                line += f"   {probe.accuracy:16.0%}   {max(probe.null):13.0%}"
                if layer == 10 and k == 4 and where is signs:
                    assert probe.accuracy > 0.8
            print(line)

# %% [markdown]
# One neuron is often hardly better than the best shuffle; four are. But look at the second control. The token before is no semicolon, and it
# tells the kind too, the better the later the layer. So a part of what the probe reads at the semicolon is not about semicolons: tokens of
# code show that they are code. A probe says what *can* be read, not what it is about, nor that the model uses it.
#
# ### Layer 2 (*if you have time*)
#
# In layer 2 the interval of JavaScript and English is so wide that it says nothing. Leave the few massive tokens in, and see why.

# %%
if smollm2:
    loud = [
        read_up_to(snippets.SIGNS, written[CLASSES[name]], n_layers=4, leave_out_massive=False)
        for name in ("JavaScript", "English")
    ]
    kept = [signs[name] for name in ("JavaScript", "English")]
    for name, two in (("left in", loud), ("left out", kept)):
        found = polysemanticity.compare_signs(*two, generator=torch.Generator().manual_seed(0))
        print(
            f"massive tokens {name:>8}: cosine {found.plain[2]:5.2f} "
            f"({found.low[2]:5.2f} to {found.high[2]:4.2f}), random tokens "
            f"{found.null_low[2]:5.2f} to {found.null_high[2]:4.2f}"
        )
        if two is loud:
            assert found.null_high[2] - found.null_low[2] > 1
    print("\nlargest parts of JavaScript's direction in layer 2, with them in:")
    size = loud[0].rows[2].mean(0)
    for j in size.abs().argsort(descending=True)[:4].tolist():
        print(f"  neuron {j:4} {float(size[j]):8.1f}")

# %% [markdown]
# With them in, the cosine is near −1. That looks like a discovery: "opposite directions!" But random tokens come as low, and as high. Two
# neurons fire far more strongly than all others at some tokens that the model uses as a dump [4], and whether one
# of those stands at a semicolon or before it decides everything. No null, no discovery.

# %% [markdown]
# ## 6. The pair lab
#
# Superposition has a price: interference, whenever two features that share space come together. So you would expect a model to let features
# share that are **rare** and **seldom come together**. Here you can try your own. Give two features, each as a list of at least ten
# snippets. The report has
#
# - a **probe** that tells the two apart, beside shuffled labels: can they be read at all?
# - the **cosine** of the two directions in several layers. A direction is always seen *from* something, so there are two views: from
#   ordinary sentences, and from texts of the sixteen kinds of part 4. Beside each view, what random lists have;
# - how many of their **strongest neurons** are the same, beside random lists;
# - **overlap**: does a probe that has learned one of the two from ordinary sentences say yes to the other? How often two things come
#   together in the texts that the model was trained on, nobody measured here. That is yours to judge.
#
# From these it makes a verdict by simple rules (`polysemanticity.verdict`). *In superposition together*: both can be read, a probe for one
# says no to the other, and yet their directions are alike, or opposite, in both views. *Orthogonal*: no more alike than random lists. *It
# depends*: alike in one view only. That is a rule of thumb. It proves nothing: for that you would need all features, and see that they
# are more than the dimensions.
#
# Eleven pairs are there already. Say what you expect before you press the button; then write your own.

# %%
LAYERS = (0, 4, 8, 13, 18, 23)
if smollm2:
    worked = snippets.pairs()
    plain = ("questions_statements", "past_future", "even_odd", "bank_river_money", "cooking_law",
             "food_numbers")  # fmt: skip
    ordinary = [
        text for slug in plain for side in (worked[slug].first, worked[slug].second)
        for text in side[:8]
    ]  # fmt: skip
    many = [text[:40] for some in texts_of.values() for text in some[:6]]  # short, to be quick
    pools = {
        "ordinary": text_means(smollm2, ordinary, LAYERS),
        "kinds": text_means(smollm2, many, LAYERS),
    }


def measure(first, second):
    """The report on two lists of snippets."""
    found = text_means(smollm2, first + second, LAYERS, progress=False)
    others = [i for i, text in enumerate(ordinary) if text not in {*first, *second}]
    lists = {
        site: polysemanticity.Lists(
            means[:, : len(first)], means[:, len(first) :], pools["ordinary"][site][:, others],
            pools["kinds"][site].unflatten(1, (len(texts_of), -1)),
        )
        for site, means in found.items()
    }  # fmt: skip
    return polysemanticity.pair_report(
        lists["resid_post"], lists["mlp_post"], LAYERS, probe=sparse_probe, says_yes=says_yes,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


if smollm2:
    display(pair_lab(measure, worked))

# %%
if smollm2:
    reports = {
        slug: measure(worked[slug].first, worked[slug].second)
        for slug in ("cooking_law", "dna_hex", "hebrew_base64", "even_odd", "praise_sarcasm")
    }
    for slug, report in reports.items():
        print(textwrap.fill(f"{worked[slug].title}: {report.verdict}. {report.reason}"), "\n")
    assert reports["cooking_law"].verdict == "likely orthogonal"
    assert reports["dna_hex"].verdict == "likely in superposition together"
    assert reports["hebrew_base64"].verdict == "depends on what they are compared with"
    assert reports["even_odd"].verdict == "not linearly represented here"
    assert reports["praise_sarcasm"].verdict == "too few examples to say"

# %% [markdown]
# Hebrew and base64 look like the textbook case: both are rare, they hardly ever meet, and from ordinary sentences their directions are
# far more alike than random lists. Is that special? Ask the same of *any* two of the sixteen kinds.

# %%
if smollm2:
    kinds = pools["kinds"]["resid_post"].unflatten(1, (len(texts_of), -1))[2:]  # from layer 8 on
    everyday = pools["ordinary"]["resid_post"][2:]

    def mean_cosine(a, b, pool):
        """As in the report: every other text of the pool serves the first, the rest the second."""
        a, b = (x - pool[:, k::2].mean(1, keepdim=True) for k, x in enumerate((a, b)))
        return float(polysemanticity.unbiased_cosine(a, b).mean())

    print("cosine of any two of the sixteen kinds   lowest   median   highest")
    for name, pool in (
        ("ordinary sentences", everyday),
        ("all kinds", kinds.transpose(1, 2).flatten(1, 2)),
    ):
        cosines = torch.tensor(
            [mean_cosine(kinds[:, i], kinds[:, j], pool) for i, j in combinations(range(16), 2)]
        )
        print(
            f"  seen from {name:25} {cosines.min():9.2f} {cosines.median():8.2f} "
            f"{cosines.max():8.2f}"
        )
        if pool is everyday:
            assert cosines.median() > 0.3

# %% [markdown]
# From ordinary sentences, any two unusual things are alike: what they have in common is that they are not ordinary English. Hebrew and
# base64 are an average pair. Seen from many kinds, they are not alike at all. So that view is no evidence that the two share space, and
# DNA and hexadecimal numbers, alike in both views, remain a candidate. (A third thing is still possible: both are strings of few letters.)
#
# And the neurons? Of the strongest ones, Hebrew and base64 have no more in common than random lists. *Directions* that are alike and
# *neurons* that are shared are two things, here too.

# %% [markdown] exercise="4.11" kind="free" title="Polysemantic, and superposed" minutes=10 difficulty=2 misconceptions=["superposition-is-a-neuron","polysemanticity-allows-superposition"]
# What is a polysemantic neuron, and how does it relate to superposition? Give an example of two features of a language model that you think
# share space, and say why, and how you would test it.
#
# HINT: One of the two words is about a *neuron*, the other about how *features* lie in a space. Can you have one without the other?
#
# HINT: Which pairs of features can share at little cost? What did the pair lab say of yours, and what can it not say?
#
# RUBRIC:
# - It says that a polysemantic neuron is active for several unrelated features.
# - It says that superposition is more features than dimensions, as directions that are not orthogonal.
# - It says that superposition makes polysemantic neurons, where neurons are a basis that matters.
# - It says that the reverse does not hold: a turn of the layer, or a loss that rewards it (as with the four classes), makes polysemantic neurons with no feature too many.
# - Its example is a pair that is rare and seldom comes together, and it says that interference is then seldom paid.
# - It names a measurement with a null: cosine against random lists, or shared neurons, or a probe.
# - It names what else would give the same figure, and how to rule it out.
#
# MODEL ANSWER:
# A polysemantic neuron is active for several things that have nothing to do with each other, such as DNA strings and a turn of phrase in letters. It is a statement about one neuron.
# Superposition is a statement about a space: a layer represents more features than it has dimensions, so their directions cannot all be
# orthogonal. If there are more features than neurons, some neuron must have a part in several, so superposition leads to polysemantic neurons. The reverse does not hold. Turn a layer of clean neurons, and each
# becomes a mixture, with as many features as before and all of them orthogonal.
#
# I would expect Hebrew text and base64 strings to share space. Both are rare, and they hardly ever stand in one text, so the model would seldom pay for
# the interference. Their directions in the residual stream are far more alike than random lists, and a probe tells them apart nearly always. But so are those of most unusual texts, seen from ordinary sentences, and
# seen from other unusual texts they are not. So I had measured "not ordinary English". DNA and hexadecimal numbers stay alike in both views. To be surer, I would compare each with other strings of few letters.
#
# MISCONCEPTIONS:
# - superposition-is-a-neuron: One neuron for several things is polysemantic. Superposition is about directions, and how many of them there are for the dimensions.
# - polysemanticity-allows-superposition: It is the other way round. Superposition forces polysemantic neurons; and these can come from other causes.

# %%
ask("4.11")

# %% [markdown]
# ## What you can say now
#
# - *Polysemantic* is said of a neuron, *superposed* of features in a space. Each comes without the other.
# - Where a nonlinearity marks neurons out, sparse features end up mixed in them; a layer can even compute that way.
# - In a real model most neurons answer to several classes of text. So do random directions that are active as seldom. The
#   control decides what that means.
# - A semicolon is one sign and, to a language model, not one direction. And a number alone says nothing: what it is compared
#   with decides.
#
# **The papers say, and here:**
#
# | claim | source | here |
# |---|---|---|
# | sparser features, more polysemantic neurons | [1] | yes, in the toy with a ReLU hidden layer |
# | a layer computes more absolute values than it has pairs of neurons | [1] | yes when features are sparse; our dense networks do not even compute those they have room for |
# | most neurons of a one-layer model are polysemantic | [2] | by our index yes; random directions that are as rarely active are as mixed |
# | cross-entropy can prefer a polysemantic neuron with nothing superposed | [2] | yes: on for two of four classes |
# | a few units can tell contexts apart | [3] | yes: four neurons tell code from prose, at a semicolon and at other tokens |
#
# **Sources.** [1] Elhage et al., "Toy Models of Superposition" (2022). [2] Bricken et al., "Towards Monosemanticity"
# (2023). [3] Gurnee et al., "Finding Neurons in a Haystack" (2023). [4] Sun et al., "Massive Activations in Large
# Language Models" (2024).
