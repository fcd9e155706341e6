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

# %% [markdown] minutes=100
# # 5. Dictionary learning
#
# A layer mixes more features than it has neurons. Here you take such mixtures apart: first where you know the truth, then in a
# model of our own, and at last in a published one, where you change one part and see what the model says next.

# %% [markdown]
# You need notebook 02, or this from it: a layer can hold more features than it has dimensions, along directions that are not at
# right angles, as long as few features are present at a time. And one thing from notebook 04: most neurons of a real layer answer to
# several kinds of text, and random directions look just like them.
#
# So where are the features? At the end you can say what dictionary learning is, why it makes a layer *larger* and not
# smaller, what its figures prove and what they do not, and how to act on what it finds.
#
# The exercises take about 85 minutes, and reading and trying as long again: plan two sittings, with a break before part 4.
# **Only 90 minutes?** Do 5.1, 5.2, 5.6, the expansion panel, 5.7, 5.9, 5.11 and 5.12. Run the other cells and read what they print; no
# exercise has to be solved to go on.

# %%
import time

import torch
from sklearn.decomposition import PCA, FastICA, MiniBatchDictionaryLearning

from course_utils import assets, contexts, language, neurons, plots, sae, similarity, snippets
from course_utils.checks import ask, check, predict, reveal, start
from course_utils.widgets import neuron_panel, show, steering_panel, sweep_panel

torch.set_num_threads(1)  # matrices this small would spend their time on sharing out the work
start("05_dictionary_learning")

# %% [markdown]
# ## 1. An activation is a sum
#
# Begin with a layer that you know all about. It has 32 dimensions and holds 128 features. Each feature has a **direction**, 32 numbers of
# length 1, drawn at random. Each feature is present with the feature probability p = 0.02, and then has a strength from 0 to 1. The activation is the
# sum of what is present:
#
# $$x = \sum_i a_i\, d_i$$
#
# Here is one. Above, what you could measure in a network: x, with its 32 numbers. Below, what nobody tells you: the 128
# strengths a.

# %%
truth = sae.planted(n_features=128, d_in=32, seed=0)
generator = torch.Generator().manual_seed(1)
x, a = truth.sample(20_000, 0.02, generator=generator)
example = int(((a > 0.3).sum(1) == 3).nonzero()[0])
show(plots.code_bars({"activation x": x[example], "strengths a": a[example]}))
print(f"present at a time: {(a > 0).float().sum(1).mean():.1f} of {a.shape[1]} features")
print(f"numbers of x that are not 0: {(x[example] != 0).sum()} of {x.shape[1]}")

# %% [markdown]
# All 32 numbers are in use, and none of them *is* a feature. The three features stand side by side in the picture below, where hardly anything
# is in use. That list of directions is called a **dictionary**, and the strengths are a **sparse code**: sparse, as most of them are 0.

# %%
predict(
    "5.a",
    "You get the 32 numbers, and the dictionary. 128 unknown strengths, 32 equations. Can you "
    "still find the strengths?",
    ["No, there are too many unknowns", "Mostly, as few are not 0", "Yes, always"],
)

# %% [markdown] exercise="5.1" title="Matching pursuit" minutes=9 difficulty=2 misconceptions=["features-are-a-basis"]
# Find the code when the dictionary is known. Take the direction that fits best, take it out of x, and go on with what is left.
#
# Begin with the **residual** r = x and a code of zeros. In each of `n_steps` steps:
#
# - Of all rows of D, choose the one with the largest dot product with r. (Strengths are never negative, so the largest, not the
#   largest in size.) If that product is not above 0, stop.
# - Add the product to the code, at the place of that row. A row may be chosen again.
# - Subtract product times row from r.
#
# Return the code.
#
# HINT: `scores = D @ r` has the dot products with all rows. `int(scores.argmax())` is the place of the largest.
#
# HINT: With `i` that place: `code[i] += scores[i]`, then `r = r - scores[i] * D[i]`. Compute the scores anew in each step.


# %%
def matching_pursuit(x: torch.Tensor, D: torch.Tensor, n_steps: int) -> torch.Tensor:
    """Code of x. x: (d_in,), D: (n, d_in) with rows of length 1; returns (n,)."""
    ### BEGIN SOLUTION
    r, code = x.clone(), x.new_zeros(len(D))
    for _ in range(n_steps):
        scores = D @ r
        i = int(scores.argmax())
        if scores[i] <= 0:
            break
        code[i] += scores[i]
        r = r - scores[i] * D[i]
    return code
    ### END SOLUTION


matching_pursuit = check("5.1", matching_pursuit)

# %%
code = torch.as_tensor(matching_pursuit(x[example], truth.directions, 10))
show(plots.code_bars({"strengths a": a[example], "your code, 10 steps": code}))

# %% [markdown]
# Three bars, about as high as they should be, and some small ones that are interference. Is that so for other activations, and when more is present
# at a time? Below, the error of the code, $\sum |f - a|^2 / \sum |a|^2$: 0 is perfect, 1 is as bad as saying nothing. Beside it
# two codes that do not use sparsity, and a control:
#
# - **one look**: all dot products at once, $D x$ where it is above 0;
# - **smallest**: of all codes with $f D = x$, the one with the smallest length (the pseudo-inverse);
# - **another dictionary**: pursuit, with directions that have nothing to do with this layer.

# %%
other = sae.planted(n_features=128, d_in=32, seed=99)
D = truth.directions
print("   p   present   pursuit   one look   smallest   another dictionary")
errors = {}
for p in (0.01, 0.02, 0.05, 0.1, 0.3):
    some, strengths = truth.sample(1_000, p, generator=generator)
    codes = {
        "pursuit": sae.pursue(some, D, 20),
        "one look": (some @ D.T).relu(),
        "smallest": some @ torch.linalg.pinv(D),
        "another": sae.pursue(some, other.directions, 20),
    }
    errors[p] = {
        name: float((f - strengths).square().sum() / strengths.square().sum())
        for name, f in codes.items()
    }
    print(f"{p:5} {(strengths > 0).sum(1).float().mean():8.1f} ", end="")
    print("".join(f"{e:10.2f}" for e in errors[p].values()))
reveal("5.a", "Mostly, as few are not 0", "With one or two at a time nearly all; with many, no.")
assert errors[0.01]["pursuit"] < 0.1 and errors[0.02]["pursuit"] < 0.25
assert errors[0.3]["pursuit"] > 0.5
assert min(errors[0.02][name] for name in ("one look", "smallest", "another")) > 0.7

# %% [markdown]
# Sparsity makes the impossible possible. 32 numbers determine 128 strengths *because* nearly all of them are 0: there are few
# sparse codes that fit, and usually one. When a third of the features is present, that is over.
#
# But you were given the dictionary. A network does not hand one out. You have activations, many of them, and must find the directions
# *and* the codes. That is **dictionary learning**:
#
# > Find directions such that every activation is a sum of a few of them.

# %% [markdown]
# ## 2. A sparse autoencoder
#
# Pursuit is slow, and it cannot learn. A **sparse autoencoder** (SAE) learns both at once. It guesses the code with one layer, and writes the activation back with another:
#
# ```text
#   x (d_in) -- minus b_dec, W_enc, + b_enc, ReLU -->  f (d_sae, most of it 0)  -- W_dec, + b_dec -->  x̂ (d_in)
# ```
#
# Each of its d_sae units is called a **latent**. Row i of W_dec is the direction that latent i stands for: the dictionary. Column i of W_enc is what it looks for. b_dec is
# where the activations lie on average. d_sae is *larger* than d_in, four or ten or a hundred times: the **expansion**.

# %% [markdown] exercise="5.2" title="The encoder" minutes=5 difficulty=1 misconceptions=[]
# Write the encoder for a batch of activations, the rows of x:
#
# $$f = \mathrm{ReLU}\big((x - b_\text{dec})\, W_\text{enc} + b_\text{enc}\big)$$
#
# HINT: First take `b_dec` off, then multiply, then add `b_enc`. The ReLU comes last.
#
# HINT: `W_enc` has the shape (d_in, d_sae), so `(x - b_dec) @ W_enc` is (batch, d_sae).


# %%
def encode(
    x: torch.Tensor, W_enc: torch.Tensor, b_enc: torch.Tensor, b_dec: torch.Tensor
) -> torch.Tensor:
    """Codes, (batch, d_sae), of the activations x, (batch, d_in)."""
    ### BEGIN SOLUTION
    return torch.relu((x - b_dec) @ W_enc + b_enc)
    ### END SOLUTION


encode = check("5.2", encode)

# %% [markdown]
# What makes the code *sparse*? Nothing so far: with more latents than dimensions it would be easy to write x back with all of them
# in use. So every bit of code gets a price. The price of a sample is the sum of its code, times a number `l1` that you choose. It is
# called the **L1 penalty**. (The code is never negative, so its sum is the sum of its sizes.)

# %% [markdown] exercise="5.3" title="The loss" minutes=6 difficulty=1 misconceptions=[]
# Write the loss of a batch: the mean over samples of
#
# $$\sum_j (x_j - \hat x_j)^2 + l_1 \sum_i f_i$$
#
# Sum over dimensions and over latents, mean over samples. One number comes out.
#
# HINT: `(x - x_hat) ** 2` summed over `dim=1` gives one error for each sample.
#
# HINT: Add `l1 * f.sum(dim=1)` to that, and take the `.mean()`.


# %%
def sae_loss(
    x: torch.Tensor, x_hat: torch.Tensor, f: torch.Tensor, l1: float
) -> torch.Tensor | float:
    """Mean over samples of the squared error and the L1 penalty."""
    ### BEGIN SOLUTION
    return (((x - x_hat) ** 2).sum(dim=1) + l1 * f.sum(dim=1)).mean()
    ### END SOLUTION


sae_loss = check("5.3", sae_loss)

# %% [markdown]
# There is a way to cheat. Take any autoencoder, divide its code by ten, and multiply its decoder by ten.

# %%
config = sae.ReluConfig(32, 320, l1_coefficient=0.1)
begun = sae.ReluSAE.begin(config, x, torch.zeros(32), torch.Generator().manual_seed(0))
f = begun.encode(x)
for factor in (1, 10, 100):
    cheaper, longer = f / factor, begun.W_dec * factor
    x_hat = cheaper @ longer + begun.b_dec
    error, whole = (x - x_hat).square().sum(1).mean(), sae_loss(x, x_hat, cheaper, 0.1)
    print(
        f"code / {factor:3}: error {error:.3f}, loss {whole:.3f}, "
        f"{(cheaper > 0).sum(1).float().mean():.0f} latents in use"
    )

# %% [markdown]
# The same error, as many latents in use, and hardly a price left. So the rows of W_dec must not grow: they are kept at **length 1**. After every step of training each row is
# divided by its length. And before the step, the part of the gradient that would only change the length is taken out, so that the optimiser does not count on it.

# %% [markdown] exercise="5.4" title="A constraint, and its gradient" minutes=7 difficulty=2 misconceptions=[]
# Take that part out. `gradient` has the shape of W_dec, (d_sae, d_in), and each row w of W_dec has length 1. From each row g of the gradient,
# subtract what points along w:
#
# $$g - (g \cdot w)\, w$$
#
# HINT: The dot products of matching rows: `(gradient * W_dec).sum(dim=1, keepdim=True)`.
#
# HINT: Subtract these times `W_dec`. What is left is at right angles to its row, so the dot products of the result are 0.


# %%
def keep_norms(gradient: torch.Tensor, W_dec: torch.Tensor) -> torch.Tensor:
    """The gradient without its part along each row of W_dec. Both: (d_sae, d_in)."""
    ### BEGIN SOLUTION
    along = (gradient * W_dec).sum(dim=1, keepdim=True)
    return gradient - along * W_dec
    ### END SOLUTION


keep_norms = check("5.4", keep_norms)

# %% [markdown]
# Another way to a sparse code is to *set* how many latents may be in use: keep the k largest, and forget the rest. No price, no
# cheating, and one thing less to tune. That is **TopK**. (Its price comes later: a latent that is never among the largest learns nothing.)

# %% [markdown] exercise="5.5" title="TopK" minutes=6 difficulty=1 misconceptions=[]
# z is what the encoder has before its ReLU, (batch, d_sae). In each row keep the k largest numbers and put 0 everywhere else. Then take the ReLU, so that nothing is negative.
#
# HINT: `z.topk(k, dim=1)` gives the values and the places of the k largest in each row.
#
# HINT: `torch.zeros_like(z).scatter(1, places, values)` puts them back where they were.


# %%
def top_k(z: torch.Tensor, k: int) -> torch.Tensor:
    """Codes, (batch, d_sae), in which at most k numbers a row are not 0."""
    ### BEGIN SOLUTION
    values, places = z.topk(k, dim=1)
    return torch.zeros_like(z).scatter(1, places, values).relu()
    ### END SOLUTION


top_k = check("5.5", top_k)

# %% [markdown]
# Now train both kinds on our layer. They get activations, and never see a direction or a strength. Each has 320 latents, an expansion of 10.
# The training loop is the library's (`course_utils.sae`): what you have just written, with Adam, and by hand so that it is quick on a laptop.

# %%
predict(
    "5.b",
    "A ReLU autoencoder with 320 latents sees only activations. How many of the 128 directions "
    "are among the rows of its W_dec afterwards?",
    (0, 128),
)

# %%
recipe = sae.Recipe(
    steps=3_000, batch_size=512, learning_rate=3e-3, warmup_steps=100, decay_steps=600,
    dead_after=50_000, centre="zero", scale=False,
)  # fmt: skip


def train_on(planted, config, p: float = 0.02, seed: int = 0) -> sae.Trained:
    """An autoencoder of the planted layer, and how its training went."""
    samples, _ = planted.sample(200_000, p, generator=torch.Generator().manual_seed(seed))
    return sae.train(config, samples, recipe, seed=seed)


trained = {
    "ReLU + L1": train_on(truth, sae.ReluConfig(32, 320, l1_coefficient=0.2)),
    "TopK": train_on(truth, sae.TopKConfig(32, 320, k=3)),
}

# %% [markdown] exercise="5.6" title="What was found?" minutes=8 difficulty=2 misconceptions=["low-error-means-found"]
# Count. A true feature is **recovered** if the best cosine of its direction with a latent's direction is above the threshold. Return the
# recovered features as a share of all *features*, from 0 to 1.
#
# The rows of both matrices may have any length. A row of zeros has no direction: its cosine with everything counts as 0.
#
# HINT: Make all rows 1 long with `torch.nn.functional.normalize(W, dim=1)`, which leaves zeros alone. Then `features @ W_dec.T` has all cosines: a row a feature, a column
# a latent.
#
# HINT: The best for each feature: `.max(dim=1).values`. Then `(best > threshold).float().mean()`.


# %%
def recovered(
    W_dec: torch.Tensor, features: torch.Tensor, threshold: float = 0.9
) -> torch.Tensor | float:
    """Share of the features, (n_features, d_in), that a row of W_dec, (d_sae, d_in), matches."""
    ### BEGIN SOLUTION
    latents = torch.nn.functional.normalize(W_dec, dim=1)
    cosines = torch.nn.functional.normalize(features, dim=1) @ latents.T
    return (cosines.max(dim=1).values > threshold).float().mean()
    ### END SOLUTION


recovered = check("5.6", recovered)

# %% [markdown]
# A share is worth something beside others. So here is what other methods find in the same activations: **PCA** and **ICA**, with as many directions as
# they can give; scikit-learn's own dictionary learning; the autoencoder before training; and random directions, as many. A direction of PCA
# or ICA has no sign, so those two may use either.

# %%
few = x.double().numpy()
ica = FastICA(32, whiten="unit-variance", random_state=0, max_iter=300, tol=1e-3)
other_dictionary = MiniBatchDictionaryLearning(
    128, alpha=0.1, batch_size=512, max_iter=5, random_state=0,
    fit_algorithm="cd", transform_algorithm="lasso_cd", positive_code=True,
)  # fmt: skip
methods = {
    "PCA": PCA(32).fit(few).components_,
    "ICA": ica.fit(few).mixing_.T,
    "scikit-learn's dictionary": other_dictionary.fit(few).components_,
}
directions = {name: torch.as_tensor(D).float() for name, D in methods.items()}
directions["PCA"] = torch.cat([directions["PCA"], -directions["PCA"]])
directions["ICA"] = torch.cat([directions["ICA"], -directions["ICA"]])
directions["ReLU, untrained"] = begun.W_dec
directions["random"] = torch.randn(320, 32, generator=generator)
directions |= {name: run.sae.W_dec for name, run in trained.items()}
print("                            directions   features recovered")
found = {}
for name, W in directions.items():
    n = len(W) // 2 if name in ("PCA", "ICA") else len(W)
    found[name] = float(recovered(W, truth.directions))
    print(f"{name:27} {n:8} {found[name]:18.0%}")
reveal("5.b", round(128 * found["ReLU + L1"]), "It was never told a single one.")

# %% [markdown]
# Only methods that look for a *sparse code in more directions than dimensions* find the features: the two autoencoders, and scikit-learn's, which solves for each code
# as carefully as your pursuit (and is slower for it). PCA finds the 32 axes in which the activations vary most; but
# there are 128 features, and no axis is one of them. ICA looks for independent parts, which is right, and can have no more of them than dimensions, which
# is fatal.
#
# ### Is this dimensionality reduction?
#
# You may read that dictionary learning is "a sort of dimensionality reduction". Both replace an activation by other numbers. Look at what goes in
# and what comes out, in both.

# %% tags=["refutes:dictionary-learning-reduces"]
relu = trained["ReLU + L1"].sae
fresh, strengths = truth.sample(5_000, 0.02, generator=generator)
pca = PCA(16).fit(few)
reduced = torch.as_tensor(pca.transform(fresh.numpy()))
back = torch.as_tensor(pca.inverse_transform(reduced.numpy()))
code = relu.encode(fresh)
variance = (fresh - fresh.mean(0)).square().sum()
table = {}
for name, numbers, x_hat, W in (
    ("PCA, reduced to 16", reduced, back, directions["PCA"][:16]),
    ("sparse autoencoder", code, relu(fresh), relu.W_dec),
):
    table[name] = {
        "numbers": numbers.shape[1],
        "in use": float((numbers.abs() > 1e-6).sum(1).float().mean()),
        "explained": float(1 - (fresh - x_hat).square().sum() / variance),
        "recovered": float(recovered(W, truth.directions)),
    }
    print(f"{name:20}", ", ".join(f"{key} {value:.3g}" for key, value in table[name].items()))
small, large = table.values()
assert small["numbers"] < fresh.shape[1] < large["numbers"]
assert large["in use"] < small["in use"]
assert large["recovered"] > 0.8 > 0.05 > small["recovered"]

# %% [markdown]
# 32 numbers became 320: ten times *more*. What shrank is how many of them are in use at a time. PCA asks "which few axes do all activations share?" Dictionary
# learning asks "which few of many directions does *this* activation need?" It is an expansion, into a larger and sparser basis.

# %% [markdown]
# ## 3. How many latents?
#
# People say that a layer should be expanded 10 to 15 times. Why so many? And why not a thousand times?

# %%
predict(
    "5.c",
    "128 features in 32 dimensions. 128 latents, an expansion of 4, would be enough for one each. "
    "How many features does a ReLU autoencoder of that size recover (L1 = 0.1)?",
    ["nearly all", "some", "nearly none"],
)
predict(
    "5.d",
    "And with a very small penalty, L1 = 0.01, and 512 latents, 16 times as many as dimensions?",
    ["nearly all", "some", "nearly none"],
)

# %% [markdown]
# For this panel, 84 autoencoders were trained on the layer of part 1 (`tools/sweep_expansion.py`; that took some minutes). Move both sliders.
#
# 1. At which expansion are all features found? Is it the same for all four kinds?
# 2. What do the latents do that match no feature?
# 3. Go to the smallest penalty. Compare *variance explained* with *features recovered*.

# %%
swept = sae.load_sweep()
sweep_panel(swept)

# %% [markdown]
# Do you believe a file? One of them again, trained by your computer now.

# %%
# (one live verification)

# %% [markdown] exercise="5.7" title="Variance explained" minutes=5 difficulty=1 misconceptions=["low-error-means-found"]
# Write the figure that papers give most often. It says which share of the variance of x is left in x̂:
#
# $$1 - \frac{\sum |x - \hat x|^2}{\sum |x - \bar x|^2}$$
#
# Both sums go over all samples and dimensions, and $\bar x$ is the mean sample. 1 is perfect. 0 is as good as always giving the mean.
#
# HINT: The mean sample is `x.mean(dim=0)`: one number for each dimension.
#
# HINT: `1 - ((x - x_hat) ** 2).sum() / ((x - x.mean(dim=0)) ** 2).sum()`.


# %%
def variance_explained(x: torch.Tensor, x_hat: torch.Tensor) -> torch.Tensor | float:
    """Share of the variance of x that x_hat has. Both: (n_samples, d_in)."""
    ### BEGIN SOLUTION
    return 1 - ((x - x_hat) ** 2).sum() / ((x - x.mean(dim=0)) ** 2).sum()
    ### END SOLUTION


variance_explained = check("5.7", variance_explained)

# %% [markdown]
# Now use it, on the two autoencoders of part 2 and on some that should make you suspicious: one with hardly a penalty, PCA that keeps all 32 axes,
# and the simplest of all, "x is its own code".

# %% tags=["refutes:low-error-means-found"]
careless = train_on(truth, sae.ReluConfig(32, 320, l1_coefficient=0.005)).sae
whole = PCA(32).fit(few)
candidates = {
    "ReLU, L1 = 0.2": (relu(fresh), relu.W_dec),
    "TopK, k = 3": (trained["TopK"].sae(fresh), trained["TopK"].sae.W_dec),
    "ReLU, L1 = 0.005": (careless(fresh), careless.W_dec),
    "PCA, all 32 axes": (
        torch.as_tensor(whole.inverse_transform(whole.transform(fresh.numpy()))),
        directions["PCA"],
    ),
    "x is its own code": (fresh, torch.eye(32)),
}
print("                     variance explained   features recovered")
both = {}
for name, (x_hat, W) in candidates.items():
    both[name] = float(variance_explained(fresh, x_hat)), float(recovered(W, truth.directions))
    print(f"{name:20} {both[name][0]:14.1%} {both[name][1]:20.0%}")
assert both["ReLU, L1 = 0.005"][0] > both["ReLU, L1 = 0.2"][0]
assert both["ReLU, L1 = 0.005"][0] > 0.95 and both["ReLU, L1 = 0.005"][1] < 0.1
assert both["x is its own code"] == (1.0, 0.0)
assert both["ReLU, L1 = 0.2"][1] > 0.9

# %% [markdown]
# The best reconstruction found nothing. "Low error means that the features were found" is false: copying is easy, and a dense code is a copy. What counts is
# a low error *for the sparsity*. (And in a real network you cannot count recovered features. Nobody knows them. Part 4 needs other evidence.)
#
# ### What the penalty takes away
#
# Look at the table again: with L1 = 0.2 nearly all features are found, and yet the variance explained is clearly below 1. Where is the rest?
#
# Take one latent whose direction is right, and a sample with nothing but this feature, of strength a. Its code f costs
#
# $$(a - f)^2 + l_1 f$$

# %%
predict(
    "5.e",
    "A feature of strength 0.8, a latent with exactly its direction, l1 = 0.2. Which f costs least?",
    (0.0, 1.0),
)

# %% [markdown] exercise="5.8" title="What the penalty takes away" minutes=7 difficulty=2 misconceptions=[]
# Write the f that costs least, for any strengths a at once (a tensor of any shape). f is never negative.
#
# HINT: The derivative by f is $-2(a - f) + l_1$. Where is it 0?
#
# HINT: At $f = a - l_1/2$. If that is below 0, the best f is 0: `.clamp_min(0)`.


# %%
def shrunk(a: torch.Tensor, l1: float) -> torch.Tensor:
    """The code f >= 0 with the smallest (a - f)^2 + l1 f, for each strength in a."""
    ### BEGIN SOLUTION
    return (a - l1 / 2).clamp_min(0)
    ### END SOLUTION


shrunk = check("5.8", shrunk)

# %% [markdown]
# So everything is too small by l1/2, whatever its strength, and weak features are not seen at all. This is called **shrinkage**. Do the trained autoencoders do that? Put in every
# feature alone, at several strengths, and read the latent that matches it best. TopK pays no price, so it has no reason to.

# %%
strength = torch.linspace(0, 1, 11)
reading = {}
for name, run in trained.items():
    cosines = truth.directions @ run.sae.W_dec.T
    best, which = cosines.max(1)
    rows = []
    for s in strength:
        code = run.sae.encode(s * truth.directions)
        rows.append(code[torch.arange(128), which][best > 0.9].median())
    reading[name] = torch.stack(rows)
show(
    plots.line_chart(
        strength,
        {
            **reading,
            "formula, l1 = 0.2": torch.as_tensor(shrunk(strength, 0.2)),
            "strength itself": strength,
        },
        x_title="true strength of the feature",
        y_title="code of its latent (median)",
    )
)
reveal("5.e", 0.7, "0.8 − 0.2/2.")
lost = {name: float((strength - y)[5:].mean()) for name, y in reading.items()}
print(", ".join(f"{name} reads {value:.3f} too little" for name, value in lost.items()))

# %% [markdown]
# The ReLU autoencoder reads too little, and the weakest it does not see. TopK reads true. That is a reason to prefer it, and to correct codes before you compare
# strengths with other autoencoders.
#
# ### Dead latents (*if you have time*)
#
# But with TopK a latent that is never among the k largest gets no gradient. It stays **dead**. So the library gives the dead a task of their own (called AuxK): predict
# the error that the living leave over. Here with 128 latents, just as many as there are features, so that none can be spared.

# %%
print("                           dead of 128   features recovered   variance explained")
task = {}
for name, coefficient in (("with a task for the dead", 1 / 32), ("without", 0.0)):
    run = train_on(truth, sae.TopKConfig(32, 128, k=3, aux_coefficient=coefficient))
    many, _ = truth.sample(50_000, 0.02, generator=generator)
    dead = int(((run.sae.encode(many) > 0).sum(0) == 0).sum())
    task[name] = dead, float(recovered(run.sae.W_dec, truth.directions))
    explained = float(variance_explained(fresh, run.sae(fresh)))
    print(f"{name:26} {dead:9} {task[name][1]:19.0%} {explained:19.1%}")
assert task["without"][0] > task["with a task for the dead"][0]
assert task["without"][1] < task["with a task for the dead"][1]

# %% [markdown]
# A dead latent is a feature not found. (In the large TopK autoencoder of part 2 many latents are dead, too. But there all 128 features are found, and nothing is left to say
# for the others: "dead" is a fault only where something is missing.)
#
# ### Features that split (*if you have time*)
#
# "The features", as if there were one true list. Suppose that there is not: 16 kinds of thing, each in 4 varieties. The directions of the varieties of a kind are
# alike (cosine .82 with their kind). How many features is that: 16, or 64?

# %%
dice = torch.Generator().manual_seed(3)
kinds = torch.nn.functional.normalize(torch.randn(16, 32, generator=dice), dim=1)
aside = torch.nn.functional.normalize(torch.randn(16, 4, 32, generator=dice), dim=2)
varieties = torch.nn.functional.normalize(kinds[:, None] + 0.7 * aside, dim=2).flatten(0, 1)
family = sae.Planted(varieties)
split = {}
for d_sae in (16, 32, 64, 128):
    W = train_on(family, sae.TopKConfig(32, d_sae, k=2), p=0.03).sae.W_dec
    split[d_sae] = float(recovered(W, kinds)), float(recovered(W, varieties))
    print(f"{d_sae:4} latents: {split[d_sae][0]:4.0%} of the kinds, {split[d_sae][1]:4.0%} of the varieties")
assert split[16][0] > 0.7 > 0.3 > split[16][1]
assert split[64][0] < 0.3 < 0.9 < split[64][1]

# %% [markdown]
# A small dictionary has the kinds, a large one the varieties *instead*. Both are right: a larger one looks closer. This is called **feature splitting**, and it is why "how many features
# does this layer have?" has no answer without "at which size of dictionary?"
#
# So, 10 to 15 times? In our layer that was about right: 4 features a dimension, some more latents so that none is missed, and then waste. In a layer with fewer
# features a dimension, less is enough, as you can check: `sae.planted(n_features=64, ...)`. In a real network nobody knows the number, and features split. Take the expansion as a choice of *resolution*, not as a constant of nature.

