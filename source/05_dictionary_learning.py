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
# right angles, as long as few features are present at a time. And for parts 4 and 5 notebook 04, where most neurons of a real layer answered to
# several kinds of text, and random directions of that layer looked just like them.
#
# Why does it matter? To read what a model has found, or to change it, you need parts that mean one thing. Neurons are not such parts.
#
# So where are the features? At the end you can say what dictionary learning is, why it makes a layer *larger* and not
# smaller, what its figures prove and what they do not, and how to act on what it finds.
#
# All of it takes about three hours: plan two sittings, with a break before part 4. **Only 100 minutes or two hours?** Do 5.1, 5.2, 5.6, the expansion panel, 5.7,
# the latents' dashboard, 5.9, 5.11, the steering panel and 5.12, and leave out what is marked *if you have time*. Run the other cells; no exercise has to be solved to go on.
# Long cells only measure and print: read the text above them and the table below.

# %%
import itertools
import time
import warnings
from dataclasses import replace
from functools import partial

import torch
from IPython.display import display
from sklearn.decomposition import PCA, FastICA, MiniBatchDictionaryLearning
from sklearn.exceptions import ConvergenceWarning

from course_utils import assets, contexts, language, neurons, plots, sae, snippets
from course_utils.checks import ask, check, predict, reveal, start
from course_utils.language.averages import massive, up_to_first
from course_utils.plots.steering import SteeringFigures
from course_utils.plots.sweep import SweepFigures
from course_utils.widgets import neuron_panel, show, steering_panel, sweep_panel

torch.set_num_threads(1)  # matrices this small would spend their time on sharing out the work
start("05_dictionary_learning")

# %% [markdown]
# ## 1. An activation is a sum
#
# A layer of 32 numbers holds 128 features. Can you get them back out?
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

# %% [markdown] exercise="5.1" title="Matching pursuit" minutes=9 difficulty=2 misconceptions=[]
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
# Sparsity is what makes it solvable. 32 numbers determine 128 strengths *because* nearly all of them are 0: if two sparse
# codes fitted the same x, their difference would be a few directions that cancel, and few directions in 32 dimensions hardly ever do. With many features at a time that ends: pursuit, which takes the best direction first and never thinks again, goes wrong before a more careful search would.
#
# But you were given the dictionary. A network does not hand one out. You have activations, many of them, and must find the directions
# *and* the codes. That is **dictionary learning**:
#
# > Find directions such that every activation is a sum of a few of them.

# %% [markdown]
# ## 2. A sparse autoencoder
#
# How do you find a dictionary that nobody gives you? Pursuit needs one, and is slow. A **sparse autoencoder** (SAE) learns directions and codes at once. It guesses the code with one layer, and writes the activation back with another:
#
# ```text
#   x (d_in) -- minus b_dec, W_enc, + b_enc, ReLU -->  f (d_sae, most of it 0)  -- W_dec, + b_dec -->  x̂ (d_in)
# ```
#
# Each of its d_sae units is called a **latent**. Row i of W_dec is the direction that latent i stands for: the dictionary. Column i of W_enc is what it looks for. b_dec is
# what x̂ is when no latent is in use; it often starts at the mean of the activations. d_sae is *larger* than d_in, four or ten or a hundred times: the **expansion**.

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
# called the **L1 penalty**. (The code is never negative, so its sum is the sum of its sizes.) How many latents are in use is called **L0**; that is what you want small, but it has no slope to follow, and the sum has one.

# %% [markdown] exercise="5.3" title="The loss" minutes=6 difficulty=1 misconceptions=[]
# (*If you have time.*) Write the loss of a batch: the mean over samples of
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
begun = sae.ReluSAE.begin(config, x, torch.zeros(32), torch.Generator().manual_seed(9))
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
# divided by its length. And before the step, the part of the gradient that would only change the length is taken out: the optimiser must not build up speed in a direction in which it may not go.

# %% [markdown] exercise="5.4" title="A constraint, and its gradient" minutes=7 difficulty=2 misconceptions=[]
# (*If you have time.*) Take that part out. `gradient` has the shape of W_dec, (d_sae, d_in), and each row w of W_dec has length 1. From each row g of the gradient,
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
# Another way to a sparse code is to *set* how many latents may be in use: keep the k largest, and forget the rest. No price on the code, and so no
# cheating. That is **TopK**. You choose k instead of `l1`.

# %% [markdown] exercise="5.5" title="TopK" minutes=6 difficulty=1 misconceptions=[]
# (*If you have time.*) z is what the encoder has before its ReLU, (batch, d_sae). In each row keep the k largest numbers and put 0 everywhere else. Then take the ReLU, so that nothing is negative.
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
# Now train on our layer. An autoencoder gets activations, and never sees a direction or a strength. It has 320 latents, an expansion of 10.
#
# First with what you have written: your encoder, your loss, your constraint. PyTorch finds the gradient, and Adam takes the steps.

# %%
predict(
    "5.b",
    "A ReLU autoencoder with 320 latents sees only activations. How many of the 128 directions "
    "are among the rows of its W_dec afterwards (a cosine above 0.9 counts)?",
    (0, 128),
)


# %%
def train_yours(n_steps: int = 600, l1: float = 0.2, seconds: float = 20) -> torch.Tensor:
    """W_dec of a ReLU autoencoder, trained with your functions."""
    start_at = (begun.W_enc, begun.b_enc, begun.W_dec, begun.b_dec)
    W_enc, b_enc, W_dec, b_dec = (w.clone().requires_grad_() for w in start_at)
    adam = torch.optim.Adam([W_enc, b_enc, W_dec, b_dec], lr=3e-3)
    dice, began = torch.Generator().manual_seed(0), time.perf_counter()
    for step in range(n_steps):
        batch = x[torch.randint(len(x), (512,), generator=dice)]
        f = encode(batch, W_enc, b_enc, b_dec)
        loss = sae_loss(batch, f @ W_dec + b_dec, f, l1)
        adam.zero_grad()
        loss.backward()
        with torch.no_grad():
            W_dec.grad.copy_(keep_norms(W_dec.grad, W_dec))
            adam.step()
            W_dec /= W_dec.norm(dim=1, keepdim=True)
        late = time.perf_counter() - began > seconds
        if step % 150 == 0 or step == n_steps - 1 or late:
            in_use = float((f > 0).sum(1).float().mean())
            print(f"step {step:3}: loss {float(loss.detach()):.3f}, {in_use:4.1f} latents in use")
        if late:
            print("That is all there is time for.")
            break
    return W_dec.detach()


try:
    yours = train_yours()
except Exception as error:  # what passes its check may still have no gradient
    yours = None
    print(f"PyTorch found no gradient through your functions: {error}")
    print("Write them without NumPy and .item(), and it will. The notebook goes on without.")

# %% [markdown]
# The loss falls, and ever fewer latents are in use. The library (`course_utils.sae`) does the same with the gradient worked out by hand, which is quicker, and
# it can do TopK, too. From here on its autoencoders are used. Both settings, `l1` and k, were chosen *knowing the truth*: that about 2.6 features are present at a time. With a real layer you could not.

# %%
recipe = sae.Recipe(
    steps=1_500, batch_size=512, learning_rate=3e-3, warmup_steps=100, decay_steps=300,
    dead_after=50_000, centre="zero", scale=False,
)  # fmt: skip


def train_on(planted, config, p: float = 0.02, n_steps: int = 1_500) -> sae.Trained:
    """An autoencoder of the planted layer, and how its training went."""
    samples, _ = planted.sample(100_000, p, generator=torch.Generator().manual_seed(0))
    return sae.train(config, samples, replace(recipe, steps=n_steps), seed=0, progress=False)


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
# they can give (PCA looks for the axes along which activations vary most, ICA for independent parts); scikit-learn's own dictionary learning; the autoencoder before training; and random directions, as many. A direction of PCA
# or ICA has no sign, so those two may use either.
#
# Finding is one thing, and making up is another. So the last column turns the question round: which share of a method's *directions* is a feature?

# %%
few = x.double().numpy()
ica = FastICA(32, whiten="unit-variance", random_state=0, max_iter=300, tol=1e-3)
other_dictionary = MiniBatchDictionaryLearning(
    128, alpha=0.1, batch_size=512, max_iter=5, random_state=0,
    fit_algorithm="cd", transform_algorithm="lasso_cd", positive_code=True,
)  # fmt: skip
# Its steps stop a little early, and say so thousands of times.
warnings.simplefilter("ignore", ConvergenceWarning)
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
if yours is not None:
    directions["ReLU + L1, trained by you"] = yours
directions |= {name: run.sae.W_dec for name, run in trained.items()}
print(
    "                            directions   features recovered   directions that match a feature"
)
found = {}
for name, W in directions.items():
    n = len(W) // 2 if name in ("PCA", "ICA") else len(W)
    found[name] = float(recovered(W, truth.directions))
    real = float(recovered(truth.directions, W)) * len(W) / n
    print(f"{name:27} {n:8} {found[name]:18.0%} {real:22.0%}")
reveal("5.b", round(128 * found["ReLU + L1"]), "It was never told a single one.")
assert min(found[name] for name in ("ReLU + L1", "TopK")) > 0.95
assert found["scikit-learn's dictionary"] > 0.8
assert max(found[name] for name in ("PCA", "ICA", "ReLU, untrained", "random")) < 0.05

# %% [markdown]
# Only methods that look for a *sparse code in more directions than dimensions* find the features: the two autoencoders, and scikit-learn's, which solves for each code
# as carefully as your pursuit (and is slower for it). PCA finds the 32 axes in which the activations vary most; but
# there are 128 features, and no axis is one of them. ICA looks for independent parts, which is right; but the usual kind can have no more of them than
# dimensions, which is fatal here.
#
# In the last column the autoencoders look worse: many of their latents are no feature at all. With a real layer you cannot tell which.
#
# ### Is this dimensionality reduction?
#
# You may read that dictionary learning is "a sort of dimensionality reduction". And indeed: of the 320 numbers of a code only about ten are in use. (More than the 2.6 features that are present: some features share several latents, and some latents answer to interference.) Is that
# not ten numbers in place of 32?
#
# To compare, you need a figure for how good a copy x̂ is. **Variance explained** is the share of what varies in x that the copy has: 100 % for a perfect copy, 0 % for one that always says the mean.

# %%
predict(
    "5.c",
    "Each activation may keep ten latents of the ReLU autoencoder: the ten that it uses most. That "
    "explains about 80 % of the variance. Now all activations must share ten latents, the ten that "
    "are used most overall. How much is explained?",
    ["about as much", "about half of that", "about a tenth of that"],
)

# %% tags=["refutes:dictionary-learning-reduces"]
relu = trained["ReLU + L1"].sae
fresh, strengths = truth.sample(5_000, 0.02, generator=generator)
pca = PCA(10).fit(few)
reduced = torch.as_tensor(pca.transform(fresh.numpy())).float()
back = torch.as_tensor(pca.inverse_transform(reduced.numpy()))
code = relu.encode(fresh)
values, places = code.topk(10, dim=1)
its_own = torch.zeros_like(code).scatter(1, places, values)
shared = torch.zeros_like(code)
most_used = code.sum(0).topk(10).indices
shared[:, most_used] = code[:, most_used]
variance = (fresh - fresh.mean(0)).square().sum()
ways = {
    "PCA: the same ten axes for all": (reduced, back, directions["PCA"][:10]),
    "autoencoder: the same ten for all": (shared, relu.decode(shared), relu.W_dec[most_used]),
    "autoencoder: ten of its own for each": (its_own, relu.decode(its_own), relu.W_dec),
}
table = {}
print(f"{'':36} numbers of the code   variance explained   features recovered")
for name, (numbers, x_hat, W) in ways.items():
    width = int((numbers.abs() > 1e-6).any(0).sum())
    share = float(1 - (fresh - x_hat).square().sum() / variance)
    table[name] = width, share, float(recovered(W, truth.directions))
    print(f"{name:36} {width:14} {share:20.0%} {table[name][2]:20.0%}")
reveal(
    "5.c",
    "about a tenth of that",
    "Ten latents say much about a few samples, and nothing about the others.",
)
axes, same, own = table.values()
assert axes[0] == same[0] == 10 < fresh.shape[1] < own[0]
assert own[1] > 0.75 and same[1] < own[1] / 5 and own[1] > axes[1] + 0.2
assert own[2] > 0.95 and axes[2] < 0.05
show(plots.code_bars({"PCA, one activation": reduced[0], "its sparse code": its_own[0]}))

# %% [markdown]
# **Few for each, many for all.** PCA asks "which few axes do *all* activations share?", and throws the others away: that is reducing. Dictionary learning asks
# "which few of many directions does *this* activation need?", and the next activation needs others. So 32 numbers became 320. It is an expansion, into a
# larger and sparser basis.

# %% [markdown]
# ## 3. How many latents?
#
# People say that a layer should be expanded 10 to 15 times. Why so many? And why not a thousand times?

# %%
predict(
    "5.d",
    "128 features in 32 dimensions. 128 latents, an expansion of 4, would be enough for one each. "
    "How many of the 128 features does a ReLU autoencoder of that size recover (L1 = 0.1)?",
    (0, 128),
)
predict(
    "5.e",
    "And with a very small penalty, L1 = 0.01, and 512 latents, 16 times as many as dimensions?",
    ["nearly all", "some", "nearly none"],
)

# %% [markdown]
# For this panel, 84 autoencoders were trained on the layer of part 1 (`tools/sweep_expansion.py`; that took some minutes). It opens with the smallest penalty
# and one latent a dimension, that is as many latents as dimensions. Move *Autoencoder* to TopK first.
#
# 1. Move *Expansion* to the right. From where on does it no longer help? At that place, which of the four autoencoders find all features?
# 2. Go on to 16×. The bar at the bottom says what the latents are: features, duplicates, dead, or others. Which grow?
# 3. Back to the smallest penalty. Compare *variance explained* with *features recovered*.
#
# The curves are means of three trainings. The second picture is one training: all 128 features from the best found to the worst, each as high as the best cosine that a latent's direction has with it. Above the line at 0.9 it counts as recovered. The sentence below the pictures has *L0*, how many latents are in use at a time. The truth is 2.6.

# %%
swept = SweepFigures(**sae.load_sweep())
sweep_panel(swept)

# %% [markdown]
# Do you believe a file? Train some of them again, now, with half as many steps. And then ask what the right expansion depends on: the same sizes, for a layer with only
# 64 features.

# %%
half_as_many = sae.planted(n_features=64, d_in=32, seed=0)
print("64 features are present with p = 0.04 each: as many at a time.")
print("                 128 features, in the file     128 features     64 features")
print("            lowest to highest of 3 seeds              now             now")
again = {}
for expansion in (2, 4):
    config = sae.TopKConfig(32, 32 * expansion, k=3)
    now = float(recovered(train_on(truth, config).sae.W_dec, truth.directions))
    less = train_on(half_as_many, config, p=0.04)  # as many are present at a time
    again[expansion] = now, float(recovered(less.sae.W_dec, half_as_many.directions))
    stored = swept.recovered[swept.names.index("TopK, k = 3"), swept.expansions.index(expansion)]
    print(
        f"TopK, {expansion}x: recovered {stored.min():10.0%} to {stored.max():4.0%} "
        f"{now:16.0%} {again[expansion][1]:15.0%}"
    )
    assert abs(now - stored.mean()) < 0.2
assert again[2][1] > 2 * again[2][0]
in_file = {name: swept.recovered[k].mean(-1) for k, name in enumerate(swept.names)}
at_4, at_16 = (swept.expansions.index(e) for e in (4, 16))
reveal(
    "5.d",
    round(128 * in_file["ReLU, L1 = 0.1"][at_4]),
    f"With L1 = 0.2 it would be {128 * in_file['ReLU, L1 = 0.2'][at_4]:.0f}, from as many latents.",
)
reveal("5.e", "nearly none", "It explains all of the variance, and has found nothing.")
assert in_file["ReLU, L1 = 0.2"][at_4] > 0.1 + in_file["ReLU, L1 = 0.1"][at_4]
assert in_file["ReLU, L1 = 0.01"][at_16] < 0.05 and in_file["TopK, k = 3"][at_16] > 0.99

# %% [markdown]
# With 64 features, twice as many latents as dimensions find about as much as four times as many do with 128. So what counts is how many latents there are for each *feature*.
# And the penalty counts as much: 128 latents find nearly all features, or none, by how sparse the code has to be.
#
# **So, why 10 to 15 times?** You need somewhat more latents than there are features. Nobody knows how many features a dimension of a real layer carries, so 10 to 15 times is a guess with
# room to spare. And why not a thousand times? Because the surplus is not free: training takes as many times longer, and the latents that are left over are dead,
# doubled, or near no feature at all. Take the expansion as a choice, and not as a constant of nature.

# %% [markdown] exercise="5.7" title="Variance explained" minutes=5 difficulty=1 misconceptions=["low-error-means-found"]
# Write the figure that papers give most often. It says which share of the variance of x the copy x̂ has kept:
#
# $$1 - \frac{\sum |x - \hat x|^2}{\sum |x - \bar x|^2}$$
#
# Both sums go over all samples and dimensions, and $\bar x$ is the mean sample. 1 is perfect. 0 is as good as always giving the mean.
#
# HINT: The mean sample is `x.mean(dim=0)`: one number for each dimension.
#
# HINT: The lower sum is `((x - x.mean(dim=0)) ** 2).sum()`. The upper one is alike, with `x_hat`.


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
# a low error *for the sparsity*. And even that is not enough: you will see random directions do better than you would think. In a real network you cannot count recovered features, as nobody knows them. Part 4 needs other evidence.
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
    "5.f",
    "A feature of strength 0.8, a latent with exactly its direction, l1 = 0.2. "
    "Which f costs least?",
    (0.0, 1.0),
)

# %% [markdown] exercise="5.8" title="What the penalty takes away" minutes=7 difficulty=2 misconceptions=[]
# (*If you have time.*) Write the f that costs least, for any strengths a at once (a tensor of any shape, and a may be below 0: interference can look like that). f is never negative.
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
# feature alone, at several strengths, and measure how much of it comes back: x̂ · d. (Several latents may share a feature, so one latent is not enough.) TopK pays no price, and has no reason to shrink.

# %%
strength = torch.linspace(0, 1, 11)
reading = {}
for name, run in trained.items():
    found_well = torch.as_tensor(sae.best_cosines(run.sae.W_dec, truth.directions)) > 0.9
    back = torch.stack([run.sae(s * truth.directions) for s in strength])
    along = (back * truth.directions).sum(-1)  # how much of each feature comes back
    reading[name] = along[:, found_well].median(1).values
show(
    plots.line_chart(
        strength,
        {
            **reading,
            "formula, l1 = 0.2": torch.as_tensor(shrunk(strength, 0.2)),
            "strength itself": strength,
        },
        x_title="true strength of the feature",
        y_title="strength that comes back (median)",
    )
)
reveal("5.f", 0.7, "0.8 − 0.2/2.")
lost = {name: float((strength - y)[5:].mean()) for name, y in reading.items()}
print(", ".join(f"{name} gives back {value:.3f} too little" for name, value in lost.items()))
assert lost["ReLU + L1"] > 0.1 > 2 * abs(lost["TopK"])

# %% [markdown]
# The ReLU autoencoder gives back too little, and of the weakest nothing. It loses even more than the formula says: the formula has one feature and nothing else, while the trained encoder must
# also keep interference out, with a negative bias. TopK gives back nearly all. That is a reason to prefer it, and not to compare strengths between kinds of autoencoder.
#
# ### Dead latents (*if you have time*)
#
# A latent that is never in use gets no gradient, with ReLU as with TopK. It stays **dead**. So the library gives the dead of a TopK autoencoder a task of their own (called AuxK): predict
# the error that the living leave over. Here with 128 latents, just as many as there are features, so that none can be spared.

# %%
print("                           dead of 128   features recovered   variance explained")
task = {}
for name, coefficient in (("with a task for the dead", 1 / 32), ("without", 0.0)):
    just_enough = sae.TopKConfig(32, 128, k=3, aux_coefficient=coefficient)
    run = train_on(truth, just_enough, n_steps=2_000)
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
for d_sae in (16, 64):
    W = train_on(family, sae.TopKConfig(32, d_sae, k=2), p=0.03).sae.W_dec
    split[d_sae] = float(recovered(W, kinds)), float(recovered(W, varieties))
    print(
        f"{d_sae:4} latents: {split[d_sae][0]:4.0%} of the kinds, "
        f"{split[d_sae][1]:4.0%} of the varieties"
    )
assert split[16][0] > 0.7 > 0.3 > split[16][1]
assert split[64][0] < 0.3 < 0.9 < split[64][1]

# %% [markdown]
# A small dictionary merges what it cannot afford to keep apart: it has the kinds. A large one has the varieties *instead*. This is called **feature splitting**. Here we know that there are 64, as we made them. In a
# real layer nobody does, and "how many features does it have?" has no answer without "at which size of dictionary?" A close relative is **feature absorption**: a latent for a kind that stays silent for one variety,
# because that has got a latent of its own. Then the latent's name is right, and has holes.
#
# ### What was too easy
#
# This layer was kind to you. Its features come and go independently, all equally often, in directions spread evenly, and x is exactly their sum. Real features are often correlated, a few are common and very many rare, and
# nobody promises that an activation is a sum. What worked here may fail there, and often the rare ones are lost first.

# %% [markdown]
# **A good place for a break.** So far you knew the truth. From here on nobody does.

# %% [markdown]
# ## 4. The one-layer transformer
#
# Back to our own model of notebook 04: one layer, 512 ReLU neurons, trained on program code, documentation, interfaces in many languages, base64,
# hexadecimal numbers and DNA. Most of its neurons took part in several kinds of text. Are there better directions?
#
# Texts again, of 16 classes that are known by construction. 24 of each class are left aside, to look at. The others are for training. (In classes with few words, such as
# Chinese names, the same words come in both. And the two shipped autoencoders below may have seen such texts, or these: `course_utils/weights/SAE.md` has figures on text held out.)

# %%
everything = contexts.contexts(n_texts=174)
texts = [text for some in everything.values() for text in some[:24]]
classes = torch.arange(len(everything)).repeat_interleave(24)
for_training = [text for some in zip(*(t[24:] for t in everything.values())) for text in some]
model_a = language.load_one_layer("A")
point = language.hook_point(model_a, 0, "mlp_post")
print(f"{len(texts)} texts to look at, {len(for_training):,} to train on")

# %% [markdown]
# Train an autoencoder here and now, with TopK: 512 neurons, 4,096 latents, an expansion of 8. The model reads texts, and its activations go straight into the
# training, as a **stream**: they need not be kept. Watch the bar. *FVU* is the fraction of variance unexplained, 1 minus your figure of 5.7. *Dead* counts
# the latents that have not been in use for a while.


# %% tags=["long"]
def activations_of(model, texts: list[str], point: str, n_done: int):
    """Blocks of activations without end; those that training has had already are left out."""
    blocks = (
        block.values[point]
        for _ in itertools.count()
        for block in language.stream(model, texts, point, batch_size=64, max_tokens=64)
    )
    return itertools.islice(blocks, n_done, None)


config = sae.TopKConfig(d_in=512, d_sae=4096, k=32)
quick = sae.Recipe(
    steps=45, learning_rate=2e-3, warmup_steps=5, decay_steps=15, dead_after=100_000,
    shuffle_rows=32_768,
)  # fmt: skip
began = time.perf_counter()
live = sae.train(config, partial(activations_of, model_a, for_training, point), quick, seed=0)
print(f"{quick.steps * quick.batch_size:,} activations in {time.perf_counter() - began:.0f} s")

# %% [markdown]
# That was a short training. The course ships two that were trained on 10 million activations, on all kinds of text that the models learned from: one for model A, one for B
# (`tools/train_saes.py`; `course_utils/weights/SAE.md` has their figures). Compare, on the texts left aside. *L0* is again how many latents are in use at a time. The control has as many
# latents, with random directions: what TopK can do without having learned anything.


# %%
def listen(name: str) -> tuple[language.Activations, torch.Tensor]:
    """What the 512 neurons of a model do at every token of the texts left aside."""
    model = language.load_one_layer(name)
    read = language.activations(model, language.tokenize(model, texts, max_tokens=64), point)
    return read, read.values[point]


read, neurons_a = listen("A")
neurons_b = listen("B")[1]
sae_a, sae_b = sae.load_shipped("one_layer_A"), sae.load_shipped("one_layer_B")
dice = torch.Generator().manual_seed(0)
control = sae.TopKSAE.begin(config, neurons_a, neurons_a.mean(0), dice)
shares = {}
for name, one in {"live": live.sae, "shipped": sae_a, "random directions": control}.items():
    values, places = one.encode_sparse(neurons_a)
    n_used = places[values > 0].unique().numel()
    shares[name] = float(variance_explained(neurons_a, one(neurons_a)))
    print(
        f"{name:18} variance explained {shares[name]:6.1%}, "
        f"L0 {(values > 0).sum(1).float().mean():.0f}, in use {n_used:,} of 4,096 latents"
    )
assert shares["shipped"] > 0.9 and shares["random directions"] < 0.7

# %% [markdown]
# Most of the 4,096 latents are silent on these few texts. Silent *here* is not dead: of 390,000 tokens held out, all but 115 latents of A's autoencoder are in use somewhere, and at the end of its training 17 had been silent for half a million (`SAE.md`). Many are just rare.
#
# Variance explained is not all that counts. Does the *model* still work, when it gets the reconstruction in place of its neurons? Put it there, and see how well the model
# predicts the next token: its loss in nats. **Loss recovered** is 100 % when the model is as good as before, and 0 % when it is as bad as with an **ablation**. There are two usual ones: all neurons 0, or all at their
# mean. Always say which.

# %%
held_out = [text for some in everything.values() for text in some[:8]]


def loss_with(by=None) -> float:
    """The model's loss on some texts, with something else in the place of its neurons."""
    if by is None:
        return float(language.loss(model_a, held_out, max_tokens=64, progress=False).nanmean())
    with language.spliced(model_a, point, by):
        return loss_with()


def rebuilt(one):
    """An autoencoder as something to put in the place of activations (text, position, neuron)."""
    return lambda x: one(x.flatten(0, 1)).view_as(x)


losses = {
    "as it is": loss_with(),
    "live": loss_with(rebuilt(live.sae)),
    "shipped": loss_with(rebuilt(sae_a)),
    "random directions": loss_with(rebuilt(control)),
    "mean ablation": loss_with(neurons_a.mean(0)),
    "zero ablation": loss_with(0.0),
}
print("                     loss   recovered, of zero ablation   of mean ablation")
back = {}
for name, value in losses.items():
    back[name] = [
        (losses[worst] - value) / (losses[worst] - losses["as it is"])
        for worst in ("zero ablation", "mean ablation")
    ]
    print(f"{name:18} {value:6.3f} {back[name][0]:20.1%} {back[name][1]:23.1%}")
assert back["shipped"][1] > max(0.8, back["random directions"][1])
assert back["random directions"][1] > back["random directions"][0] + 0.15
assert shares["random directions"] < back["random directions"][0] - 0.05

# %% [markdown]
# Read the control first. Random directions copy about a quarter of the variance, and yet recover nearly half of the loss, or about 70 % if mean ablation is what you compare with. So "70 % of the loss recovered" can mean that nothing was learned. Here the mean is worse for the model than zeros, perhaps because the mean of sixteen kinds of text is like none of them; so it is the more flattering one. In other models it can be the other way round.
#
# ### Look at them
#
# The dashboard of notebook 04, for latents. It has those of A that are active at least at 50 tokens here. Type a text to find the latents that it activates most: try `return self`, `ACGTACGT`, or a word in
# another script. It opens with the latents of the fewest classes, that is at its most flattering end.
#
# 1. Find a latent for one script, one for a part of code, and one that you cannot name.
# 2. Look at the *random* tokens that activate it, not only at the strongest. Does your name still hold?
# 3. Compare two latents of the same class. What does one see that the other does not?

# %%
code_a, code_b = sae_a.encode_sparse(neurons_a), sae_b.encode_sparse(neurons_b)
n_active = torch.bincount(code_a[1][code_a[0] > 0], minlength=4096)
often = (n_active >= 50).nonzero().flatten().tolist()
tokens = language.tokenize(model_a, texts, max_tokens=64)
latents = neurons.Survey(
    sae.columns(*code_a, often), read.text, tokens.offsets[read.text, read.position], texts,
    classes, list(everything),
)  # fmt: skip
W_out = model_a.blocks[0].mlp.W_out


def effect(latent: int):
    """What this latent pushes up and down, when it is active."""
    scores = language.direction_effect(model_a, sae_a.W_dec[latent] @ W_out)
    return [language.top_tokens(model_a, scores, 8, largest=up) for up in (True, False)]


def search(text: str) -> list[tuple[int, float, str]]:
    """The latents that are most active in a text, each with its activation and the token."""
    found = language.activations(model_a, text, point, max_tokens=128, progress=False)
    some = sae.columns(*sae_a.encode_sparse(found.values[point]), often)
    strongest, where = some.max(0)
    return [
        (often[i], float(strongest[i]), language.spell(model_a, int(found.token[where[i]])))
        for i in strongest.argsort(descending=True)[:12].tolist()
        if strongest[i] > 0
    ]


print(f"{len(often)} latents")
neuron_panel(latents, effect, order="fewest", noun="latent", numbers=often, search=search)

# %% [markdown]
# You have seen latents that look clean. So did neurons in notebook 04, until you looked at a control. So the same test again: in how many of the 16 classes is
# each active, effectively? (16 if it is active in all alike, 1 if in one only.) Latents are rare, and what is active at few tokens cannot be active in many classes. So the controls are cut to be exactly as
# rare as the latents, each with a threshold of its own: random directions of this layer, its neurons, and random directions of the same model *before it was trained*.

# %%
predict(
    "5.g",
    "The median latent, against the median random direction of the trained layer that is active as "
    "seldom. The latent is active in",
    ["less than half as many classes", "about as many", "clearly more"],
)


# %%
def untrained(name: str) -> torch.Tensor:
    """What the neurons of a model did before training."""
    model = language.load_one_layer(name, trained=False)
    tokens = language.tokenize(model, texts, max_tokens=64)
    return language.activations(model, tokens, point).values[point]


before_a = untrained("A")
rates = (n_active[often] / len(neurons_a)).float()


def turned(layer: torch.Tensor) -> torch.Tensor:
    """Random directions of a layer, active as rarely as the latents."""
    some = [neurons.random_directions(layer, part, generator=dice) for part in rates.split(512)]
    return torch.cat(some, dim=1)


def cut_neurons() -> torch.Tensor:
    """Neurons, drawn at random, active as rarely as the latents."""
    drawn = neurons_a[:, torch.randint(512, (len(often),), generator=dice)]
    for column, rate in zip(drawn.unbind(1), rates):
        k = max(1, round(float(1 - rate) * len(column)))
        column.sub_(column.kthvalue(k).values).relu_()
    return drawn


def widths(activations: torch.Tensor) -> torch.Tensor:
    """In how many classes each column is active, effectively."""
    return neurons.effective_classes(neurons.text_means(activations, read.text), classes)


effective = {"latents": latents.effective, "neurons": widths(neurons_a)}
effective["neurons, as rare"] = widths(cut_neurons())
effective["random directions, as rare"] = widths(turned(neurons_a))
effective["the same, untrained model"] = widths(turned(before_a))
print("                              median   narrower than 2 classes")
narrow = {}
for name, some in effective.items():
    narrow[name] = float((some < 2).float().mean()), float(some.median())
    print(f"{name:28} {narrow[name][1]:7.1f} {narrow[name][0]:18.0%}")
reveal(
    "5.g", "about as many", "But that is because of what the layer has learned: see the last line."
)
rare = narrow["random directions, as rare"]
assert 0.8 < narrow["latents"][1] / rare[1] < 1.25
assert narrow["latents"][0] > 1.2 * max(rare[0], narrow["neurons, as rare"][0])
assert narrow["the same, untrained model"][1] > 2 * rare[1]

# %% [markdown]
# Rare directions of the *untrained* model are active in nearly all classes, and those of the trained one in five or six. So the **layer** has learned the classes, and almost any direction shows it when it is cut
# to be rare. The autoencoder adds a larger share of really narrow ones. If somebody shows you that their latents look cleaner than neurons, ask what a random direction of the same layer does that is active as seldom.
#
# ### Do they detect something?
#
# Now turn it round. Take a class that is known, say Hebrew, and ask for the latent that detects it: yes when it is active, no when it is not. Two kinds of error are possible. A false alarm
# (FP: it says yes, and it is no Hebrew), and a miss (FN). With TP for the tokens that it gets right:
#
# $$F_1 = \frac{2\,TP}{2\,TP + FP + FN}$$
#
# 1 is perfect. Always saying no gets 0, although that would be right for 15 tokens in 16.

# %% [markdown] exercise="5.9" title="F1" minutes=6 difficulty=1 misconceptions=[]
# Write it. `says` and `truth` hold True or False for each token. If not a single yes is right, return 0.
#
# HINT: `(says & truth).sum()` counts what is right. `(says & ~truth).sum()` counts false alarms.
#
# HINT: If TP is 0, return 0 before you divide.


# %%
def f1(says: torch.Tensor, truth: torch.Tensor) -> float:
    """2 TP / (2 TP + FP + FN) of two bool tensors (n,); 0 if nothing is right."""
    ### BEGIN SOLUTION
    tp = int((says & truth).sum())
    wrong = int((says != truth).sum())
    return 2 * tp / (2 * tp + wrong) if tp else 0.0
    ### END SOLUTION


f1 = check("5.9", f1)

# %%
predict(
    "5.h",
    "For how many of the 16 classes does the best of 4,096 latents beat the best of 512 neurons?",
    (0, 16),
)

# %% [markdown]
# The best of thousands is good by chance. So unit and threshold are chosen on half of the texts, 12 of each class, and judged on the other 12. We try seven thresholds for each unit, shares of its largest
# activation, and keep the best, for neurons and latents alike. Two controls: latents with random directions, and neurons of the model before it was trained. The last column has the interval
# of the *difference*: a bootstrap that judges latent and neuron on the same texts each time. Where it has 0 inside, neither is better as far as 12 texts can tell.

# %%
of_token, train_half = classes[read.text], read.text % 2 == 0
layers = {
    "latents": lambda: sae.column_blocks(*code_a, 4096, 256),
    "neurons": lambda: [neurons_a],
    "random": lambda: sae.column_blocks(*control.encode_sparse(neurons_a), 4096, 256),
    "untrained": lambda: [before_a],
}
detectors = {
    name: neurons.best_detectors(blocks(), of_token, train_half) for name, blocks in layers.items()
}
print("                latent: F1    neuron: F1   random  untrained   latent - neuron")
test_text, says, true = read.text[~train_half], {}, {}
verdicts = {"better": 0, "worse": 0, "not clear": 0}
for c, name in enumerate(everything):
    true[name] = of_token[~train_half] == c
    units = {kind: int(detectors[kind].unit[c]) for kind in ("latents", "neurons")}
    columns = sae.columns(*code_a, [units["latents"]])[:, 0], neurons_a[:, units["neurons"]]
    says[name] = [
        column[~train_half] > detectors[kind].threshold[c] for kind, column in zip(units, columns)
    ]
    low, high = neurons.detector_difference(
        *says[name], true[name], test_text, n=500, generator=dice
    )
    verdict = "better" if low > 0 else "worse" if high < 0 else "not clear"
    verdicts[verdict] += 1
    scores = [f1(some, true[name]) for some in says[name]]
    others = [float(detectors[kind].f1_test[c]) for kind in ("random", "untrained")]
    print(
        f"{name:14} {units['latents']:4}: {scores[0]:.2f}    {units['neurons']:4}: {scores[1]:.2f} "
        f"{others[0]:8.2f} {others[1]:9.2f}   {low:+.2f} to {high:+.2f}  {verdict}"
    )
scores = {kind: found.f1_test for kind, found in detectors.items()}
won = int((scores["latents"] > scores["neurons"]).sum())
print("the latent is", ", ".join(f"{verdict} in {n}" for verdict, n in verdicts.items()))
show(
    plots.dot_columns(
        scores,
        x_title="best unit of each class, from",
        y_title="F1 on texts that did not choose it",
    )
)
reveal("5.h", won, f"Clearly better in {verdicts['better']}, clearly worse in {verdicts['worse']}.")
middle = {kind: float(some.median()) for kind, some in scores.items()}
assert won > 8 and verdicts["better"] > verdicts["worse"] > 0
assert middle["latents"] > middle["random"] + 0.1 > middle["untrained"] + 0.2
assert scores["neurons"][0] > scores["latents"][0] + 0.2  # code

# %% [markdown]
# In most lines the latent has the higher F1, and more often clearly better than clearly worse. But the margins are small, and for code the best *neuron* wins by far. Two questions before you conclude anything.
#
# **Is one token in sixteen realistic?** In ordinary text Hebrew or DNA is far rarer, and then false alarms weigh more: a thousand tokens that are not Hebrew for each one that is. Your F1 can be computed for any share of true tokens, from two
# rates: which part of the true ones is found, and which part of the others raises a false alarm. With 1 true token in 1,000 and a false alarm at 1 % of the others, ten false alarms come with each true one: F1 is below .2 even if all are found.


# %%
def hits_and_alarms(says: torch.Tensor, truth: torch.Tensor) -> tuple[float, float]:
    """Which part of the true tokens is found, and which of the others raises a false alarm."""
    return float(says[truth].float().mean()), float(says[~truth].float().mean())


def f1_if(share: float, says: torch.Tensor, truth: torch.Tensor) -> float:
    """F1 of the same detector if such a share of all tokens were true."""
    hit, alarm = hits_and_alarms(says, truth)
    right = share * hit
    return 2 * right / (right + share + (1 - share) * alarm) if right else 0.0


print("median of 16 classes: found of the true, false alarms")
usual = {}
for k, kind in enumerate(("latents", "neurons")):
    pairs = [hits_and_alarms(says[name][k], true[name]) for name in everything]
    usual[kind] = torch.tensor(pairs)
    hit, alarm = usual[kind].median(0).values.tolist()
    print(f"  {kind:8} {hit:6.0%} {alarm:8.1%}")
gap = usual["latents"].median(0).values - usual["neurons"].median(0).values
assert gap[0] < 0 and gap[1] < 0  # fewer of both
print("latent better than neuron, of 16 classes, if the class were")
wins = {}
for share in (1 / 16, 1 / 100, 1 / 1000):
    pairs = [[f1_if(share, some, true[name]) for some in says[name]] for name in everything]
    wins[share] = sum(a > b for a, b in pairs)
    half = torch.tensor(pairs).median(0).values.tolist()
    one_in, best = f"1 token in {1 / share:4.0f}", f"median F1 {half[0]:.2f} and {half[1]:.2f}"
    print(f"  {one_in}: {wins[share]:2}   {best}")
assert wins[1 / 16] == won and wins[1 / 1000] >= won

# %% [markdown]
# Latents find fewer of the true tokens, and raise fewer false alarms. The rarer the class, the more that is worth. (Unit and threshold are still those chosen at 1 in 16.)
#
# **Is a class one thing to the model?** The classes are ours. Part 3 has a candidate: splitting. A dictionary of 4,096 may have no latent for "code", and several for its parts. If so, a few latents *together*, where any of them may say yes, should
# do what one cannot. Add the one that helps most, then the next. The same for neurons, and for latents with random directions.

# %%
joined = {
    kind: neurons.joined_f1(layers[kind], of_token, train_half, 4)
    for kind in ("latents", "neurons", "random")
}
print("                one latent, two, three, four     one neuron ... four     random: four")
for c, name in enumerate(everything):
    parts = ["".join(f"{v:6.2f}" for v in joined[kind][:, c]) for kind in ("latents", "neurons")]
    print(f"{name:14} {parts[0]}   {parts[1]} {float(joined['random'][3, c]):12.2f}")
together = {kind: some.median(1).values for kind, some in joined.items()}
for kind, some in together.items():
    print(f"median {kind:8}", "".join(f"{v:6.2f}" for v in some))
assert together["latents"][3] > together["latents"][0] + 0.05
assert together["latents"][3] > max(together["neurons"][3], together["random"][3]) + 0.03
assert joined["latents"][3, 0] > joined["latents"][0, 0] + 0.2  # code

# %% [markdown]
# There it is, in a real layer. One latent finds less than half of the code, and four find most of it. Neurons gain less from company. So *Hebrew* is one latent here, *code* is several, and "which latent is the feature?" has no answer
# until you say how fine you want to look.
#
# In *Towards Monosemanticity* [1] the best latents beat the best neurons by far, for contexts such as Arabic script, Hebrew script, DNA and base64, with as large an expansion. Their contexts were rare in their text, and their autoencoder had seen 8 billion tokens. Ours saw 10 million.

# %% [markdown]
# ### Universality
#
# One more kind of evidence. Model B was trained alike, from other random weights. Is there, for each latent of A, one in B that is active at the same tokens? If so, it is no accident of one training.

# %% [markdown] exercise="5.10" title="The best partner" minutes=8 difficulty=2 misconceptions=[]
# (*If you have time.*) Write it for any two tables of activations. X is (n, p), Y is (n, q), and row t of both belongs to token t. For each column of X return its **largest Pearson correlation** with any column of Y: the cosine of two columns after their means are taken off. 1: they rise and fall together at the same tokens.
#
# A column that never changes has no correlation. Let it count as 0.
#
# HINT: Take the mean off each column and divide the column by its length: `X - X.mean(0)`, then `/ X.norm(dim=0)`. Then `X.T @ Y` has all
# correlations.
#
# HINT: To keep 0/0 out: `.clamp_min(1e-12)` on the length. Then `.max(dim=1).values`.


# %%
def best_correlations(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """For each column of X, (n, p), its largest correlation with a column of Y, (n, q)."""

    ### BEGIN SOLUTION
    def standard(Z):
        Z = Z - Z.mean(0)
        return Z / Z.norm(dim=0).clamp_min(1e-12)

    return (standard(X).T @ standard(Y)).max(dim=1).values
    ### END SOLUTION


best_correlations = check("5.10", best_correlations)

# %% [markdown]
# The figure to beat is that of the neurons. But latents choose among 4,096 partners, and neurons among 512: so latents once more, with only 512 latents of B to choose from. And three nulls:
#
# - **shuffled**: the tokens of B in another order *within each class*. What is left is what any two units have in common that like the same kind of text;
# - **random directions**: latents with random directions in both models;
# - **untrained**: neurons of A and B before training. Both read the same tokens, and that alone makes some units alike.
#
# (For latents the library computes the same from sparse codes, which is quicker.) Latents that are active at fewer than 20 tokens are left out.


# %%
def active_often(code: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Which latents are active at 20 tokens or more."""
    return torch.bincount(code[1][code[0] > 0], minlength=4096) >= 20


order = torch.arange(len(neurons_a))
for c in range(len(everything)):
    here = (of_token == c).nonzero().flatten()
    order[here] = here[torch.randperm(len(here), generator=dice)]
shuffled_b = code_b[0][order], code_b[1][order]
few_b = active_often(code_b).nonzero().flatten()
few_b = few_b[torch.randperm(len(few_b), generator=dice)][:512]
not_drawn = ~torch.isin(code_b[1], few_b)
few_b = code_b[0].masked_fill(not_drawn, 0), code_b[1]
control_b = sae.TopKSAE.begin(config, neurons_b, neurons_b.mean(0), dice)
random_a, random_b = control.encode_sparse(neurons_a), control_b.encode_sparse(neurons_b)


def of_latents(first, second) -> torch.Tensor:
    """The best partner's correlation of each latent of the first that is active often enough."""
    return sae.code_correlations(first, second, 4096, 4096)[active_often(first)]


partners = {
    "latents": of_latents(code_a, code_b),
    "latents, 512 to choose from": of_latents(code_a, few_b),
    "latents, shuffled": of_latents(code_a, shuffled_b),
    "latents, random directions": of_latents(random_a, random_b),
    "neurons": torch.as_tensor(best_correlations(neurons_a, neurons_b)),
    "neurons, shuffled": torch.as_tensor(best_correlations(neurons_a, neurons_b[order])),
    "neurons, untrained": torch.as_tensor(best_correlations(before_a, untrained("B"))),
}
quarters = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
print("                               25 %   median   75 %   above 0.8")
for name, best in partners.items():
    low, half, high = best.double().quantile(quarters)
    print(f"{name:28} {low:6.2f} {half:8.2f} {high:6.2f} {(best > 0.8).float().mean():10.0%}")
shares = torch.linspace(0, 1, 41, dtype=torch.float64)
show(
    plots.line_chart(
        100 * shares,
        {name: partners[name].double().quantile(shares) for name in
         ("latents", "latents, 512 to choose from", "neurons", "latents, shuffled")},
        x_title="share of units below, in %",
        y_title="correlation with the best partner",
    )
)  # fmt: skip
alike = {name: float((best > 0.8).float().mean()) for name, best in partners.items()}
median = {name: float(best.median()) for name, best in partners.items()}
assert median["latents"] > median["neurons"] > median["latents, 512 to choose from"] - 0.05
assert alike["latents, 512 to choose from"] > 1.5 * alike["neurons"]
assert max(alike[name] for name in partners if "shuffled" in name or "random" in name) < 0.02
assert median["latents"] > 0.15 + max(
    median[name] for name in partners if "shuffled" in name or "untrained" in name
)

# %% [markdown]
# Latents have better partners than neurons. But with as few to choose from, the *median* latent does not: its lead comes from the number of candidates. What remains is the upper end: more latents than neurons are nearly the same in both models.
# *Towards Monosemanticity* reports medians of .72 for latents and .46 for neurons; ours are lower. "Universal" is a matter of degree, and here of a minority.
#
# One control is missing: autoencoders trained on *untrained* models. They are known to look interpretable, too [4]. What is due to the tokens alone would show there.
#
# So what did the evidence say? More latents than random directions are really narrow. They detect our classes a little better than neurons, clearly better if these are rare, and a class is often several of them. And a minority is nearly the same in another
# model. What they are good for shows when you use one.

# %% [markdown]
# ## 5. A published model, and acting on it
#
# Does a model *use* such a direction, or do only we see it? To find out you will change one, and read what the model says next.
#
# SmolLM2-135M again, from notebook 04, where a semicolon in code and one in prose turned out to be two things with something in common. Here is an autoencoder of its residual stream, the running sum to which every layer adds, after layer 4 of 30: 576 dimensions, 4,608 latents,
# k = 32, trained on 10 million tokens, half of them program code and half English, French and German prose. It had no labels. But the prose was chosen to have semicolons in it, which makes latents for them likelier. The snippets of notebook 04 go in.

# %%
try:
    smollm2 = language.load_smollm2()
except assets.Missing as missing:
    smollm2 = None
    print(missing)
sae_4 = sae.load_shipped("smollm2_layer4")
written = snippets.semicolons()
KINDS = {
    "JavaScript": "javascript", "C": "c", "Python": "python",
    "English": "english", "French": "french", "German": "german",
}  # fmt: skip
if smollm2:
    stream_4 = language.hook_point(smollm2, 4, "resid_post")


def read_up_to_semicolon(texts: list[str]) -> tuple[torch.Tensor, ...]:
    """Up to the first semicolon: activations, whether it is one, its text, and the token itself.

    A few tokens have massive activations, whatever they mean: left out, as in notebook 04.
    """
    tokens, is_sign = up_to_first(language.tokenize(smollm2, texts), snippets.SIGNS)
    found = language.activations(smollm2, tokens, stream_4, batch_size=8)
    x = found.values[stream_4]
    keep = ~massive(x)
    return x[keep], is_sign[found.text, found.position][keep], found.text[keep], found.token[keep]


# %% [markdown]
# Three classes of tokens, then: every semicolon, those in prose, those in code. All other tokens are the rest, and for "in prose" so are the semicolons in code. Which latent detects each best? Unit and threshold are
# chosen on half of the snippets with your F1, and judged on the other half, as in part 4, with a bootstrap interval. The table says in which share of a kind's semicolons the latent is above its threshold.
#
# Two rivals are judged in the same way. **Mean difference**: the mean of the wanted tokens minus that of all others, as in notebook 04. It is one direction, and needs labels, but no autoencoder. And the best of as many latents with **random** directions.

# %%
ROLES = {
    "every semicolon": tuple(KINDS),
    "only in prose": ("English", "French", "German"),
    "only in code": ("JavaScript", "C", "Python"),
}


def best_for(code: tuple[torch.Tensor, torch.Tensor], wanted: torch.Tensor) -> neurons.Detectors:
    """The latent that is best at telling the wanted tokens from all others."""
    blocks = sae.column_blocks(*code, sae_4.config.d_sae)
    return neurons.best_detectors(blocks, wanted.long(), text_4 % 2 == 0)


def mean_difference(wanted: torch.Tensor) -> float:
    """F1 of the direction from the mean of all other tokens to that of the wanted ones."""
    chooses = text_4 % 2 == 0
    direction = x_4[wanted & chooses].mean(0) - x_4[~wanted & chooses].mean(0)
    along = (x_4 - x_4[chooses].mean(0)) @ direction
    return float(neurons.best_detectors([along[:, None]], wanted.long(), chooses).f1_test[1])


if smollm2:
    read_4 = {name: read_up_to_semicolon(written[key]) for name, key in KINDS.items()}
    x_4, sign_4, text_4, token_4 = (torch.cat(part) for part in zip(*read_4.values()))
    kind_4 = torch.cat([torch.full((len(x),), k) for k, (x, *_) in enumerate(read_4.values())])
    each_text = 1_000 * kind_4 + text_4
    code_4, judged = sae_4.encode_sparse(x_4), text_4 % 2 == 1
    control_4 = sae.TopKSAE.begin(sae_4.config, x_4, x_4.mean(0), dice).encode_sparse(x_4)
    print(f"{'':16} latent  F1                mean difference  random")
    chosen, thresholds, fits, hits = {}, {}, {}, {}
    for role, wanted in ROLES.items():
        is_wanted = sign_4 & torch.isin(
            kind_4, torch.tensor([list(KINDS).index(n) for n in wanted])
        )
        best, by_chance = best_for(code_4, is_wanted), best_for(control_4, is_wanted)
        chosen[role], thresholds[role] = int(best.unit[1]), float(best.threshold[1])
        says = sae.columns(*code_4, [chosen[role]])[:, 0] > thresholds[role]
        where = [judged & sign_4 & (kind_4 == k) for k in range(len(KINDS))] + [judged & ~sign_4]
        hits[role] = [float(says[here].float().mean()) for here in where]
        low, high = neurons.detector_interval(
            says[judged], is_wanted[judged], each_text[judged], n=500, generator=dice
        )
        fits[role] = (
            f1(says[judged], is_wanted[judged]), mean_difference(is_wanted),
            float(by_chance.f1_test[1]),
        )  # fmt: skip
        print(
            f"{role:16} {chosen[role]:6}  {fits[role][0]:.2f} ({low:.2f}-{high:.2f}) "
            f"{fits[role][1]:13.2f} {fits[role][2]:12.2f}"
        )
        assert fits[role][0] > max(0.85, fits[role][1], fits[role][2] + 0.05)
    print("\nabove its threshold at " + " ".join(f"{n:>10}" for n in (*KINDS, "others")))
    for role, shares in hits.items():
        print(f"{role:21}" + "".join(f"{share:11.0%}" for share in shares))
    assert max(hits["only in code"][3:]) < 0.15 and max(hits["only in prose"][:3]) < 0.15

# %% [markdown]
# One latent is for every semicolon. Another one is for those in prose, in three languages, and silent in code; a third for those in code. The mean differences of notebook 04
# found *that* there is something in common and something different. Here are candidates for the parts, and each tells its tokens better than a mean difference does.
#
# Look at the random directions, too. They do not reach that, but they are not bad: of 4,608, some happen to point the right way. A high score alone is no proof.
#
# And is it the *meaning*, or the token? In code a semicolon often comes with a bracket, as one token: `);`. French puts a space before it. Perhaps "only in code" is a latent for brackets. So look at those that are the very same token, `;`, in code and in prose.

# %%
if smollm2:
    spelled = {int(i): language.spell(smollm2, int(i)) for i in token_4[sign_4].unique()}
    bare = torch.isin(token_4, torch.tensor([i for i, t in spelled.items() if t == ";"]))
    in_code = kind_4 < 3
    columns = ("';' in code", "with a bracket", "';' in prose", "' ;' in French")
    print(f"{'above its threshold at':30}" + "".join(f"{name:>15}" for name in columns))
    by_token = {}
    for role, latent in chosen.items():
        active = sae.columns(*code_4, [latent])[:, 0] > thresholds[role]
        places = (bare & in_code, ~bare & in_code, bare & ~in_code, ~bare & ~in_code)
        places = [judged & sign_4 & here for here in places]
        by_token[role] = [float(active[here].float().mean()) for here in places]
        print(f"{role:16} (latent {latent:4})" + "".join(f"{v:15.0%}" for v in by_token[role]))
    print(f"{'of so many tokens':30}" + "".join(f"{int(here.sum()):15}" for here in places))
    assert by_token["only in code"][0] > 0.8 > 0.3 > by_token["only in code"][2]
    assert by_token["only in prose"][2] > 0.8 > 0.3 > by_token["only in prose"][0]

# %% [markdown]
# The same token, and the latents still tell code from prose. It is not the bracket.
#
# One more null. If code and prose were no different at a semicolon, "only in prose" would be any half of the semicolons. So deal the kinds out anew among the snippets, and look for the best latent again.

# %%
if smollm2:
    prose = torch.tensor([list(KINDS).index(name) for name in ROLES["only in prose"]])
    at_sign = sign_4.nonzero().flatten()
    null = []
    for _ in range(10):
        dealt = kind_4.clone()
        dealt[at_sign] = kind_4[at_sign][torch.randperm(len(at_sign), generator=dice)]
        null.append(float(best_for(code_4, sign_4 & torch.isin(dealt, prose)).f1_test[1]))
    real = fits["only in prose"][0]
    print(f"F1 {real:.2f}; with kinds dealt out anew {min(null):.2f} to {max(null):.2f}")
    assert real > max(null) + 0.1

# %% [markdown]
# ### Act on one
#
# So far all was looking. If a latent is a part of what the model computes with, then *changing* it should change what the model says, in a way that fits its name. Two changes:
# **ablate** it, that is set it to 0; or **clamp** it to a value of your choice.
#
# How? Not by giving the model the reconstruction x̂: that alone changes the model, whatever latent you meant. Add the difference to x itself. Then
# all that the autoencoder does not explain stays as it was.

# %% [markdown] exercise="5.11" title="Clamp a latent" minutes=8 difficulty=2 misconceptions=[]
# Return x with one latent set to `value` in every row: $x + (\text{value} - f_\text{latent})\, d_\text{latent}$, where d is that latent's row of W_dec. x and f belong together: row t of f is the code
# of row t of x. Do not change x itself.
#
# HINT: `f[:, latent]` is what the latent has in each row, shape (batch,). What is `value - f[:, latent]`?
#
# HINT: To multiply each of these with the direction: `(value - f[:, latent])[:, None] * W_dec[latent]`.


# %%
def set_latent(
    x: torch.Tensor, f: torch.Tensor, W_dec: torch.Tensor, latent: int, value: float
) -> torch.Tensor:
    """x, (batch, d_in), with one latent at `value`. f: (batch, d_sae), W_dec: (d_sae, d_in)."""
    ### BEGIN SOLUTION
    return x + (value - f[:, latent])[:, None] * W_dec[latent]
    ### END SOLUTION


set_latent = check("5.11", set_latent)

# %%
predict(
    "5.i",
    "The model reads 'The rain had stopped by noon;'. You clamp the latent for semicolons in code "
    "to a high value at that semicolon. What becomes more likely as the next token?",
    ["another word, such as 'but'", "the end of the line", "nothing in particular"],
)

# %% [markdown]
# Now at the last token of a text, for many values at once. They are in the units of f. A latent's largest activation in the snippets is printed for comparison: values far above it are a *push*,
# not something that the model does to itself. The control is a random latent that is in use somewhere, clamped to the same values: every direction has length 1, so the push is as strong.

# %%
PROMPTS = (
    "The rain had stopped by noon;", "She wanted to leave;", "Il ne pleuvait plus ;",
    "let total = 0;",
)  # fmt: skip
VALUES = (0.0, 15.0, 30.0, 60.0, 90.0, 120.0)


def steer(prompt: str, latent: int, values=VALUES) -> torch.Tensor:
    """Log-probabilities of the next token, a row a value, with a latent clamped at the last one."""
    ids = language.tokenize(smollm2, prompt).ids.expand(len(values), -1)

    def clamped(x):
        last = x[:, -1]
        f = sae_4.encode(last)
        new = [
            set_latent(last[k : k + 1], f[k : k + 1], sae_4.W_dec, latent, v)
            for k, v in enumerate(values)
        ]
        return torch.cat([x[:, :-1], torch.cat(new)[:, None]], dim=1)

    with torch.no_grad(), language.spliced(smollm2, stream_4, clamped):
        return smollm2(ids, use_cache=False, logits_to_keep=1)[:, -1].log_softmax(-1)


def as_it_is(prompt: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of the next token with nothing changed, and the code of the last one."""
    found = language.activations(smollm2, prompt, stream_4, progress=False).values[stream_4]
    with torch.no_grad():
        logits = smollm2(language.tokenize(smollm2, prompt).ids, use_cache=False, logits_to_keep=1)
    return logits[0, -1].log_softmax(-1), sae_4.encode(found[-1:])[0]


if smollm2:
    in_use = torch.bincount(code_4[1][code_4[0] > 0], minlength=4608) / len(x_4)
    candidates = ((in_use > 0) & (in_use < 0.05)).nonzero().flatten()
    order = torch.randperm(len(candidates), generator=dice)
    randoms = candidates[order][:12].tolist()
    for role, latent in chosen.items():
        most = sae.columns(*code_4, [latent]).max()
        print(f"{role:16} latent {latent:4}: at most {most:.1f} in the snippets")

# %% [markdown]
# Four changes, four prompts, six values, or a prompt of yours in the box on top. *KL*, in nats, says how much all next-token probabilities together differ from what they are without the change: 0 is no difference. Mind its scale, in powers of ten.
#
# 1. *Change* is at the code latent and *Clamp to* at 120. Which token has grown most? Move *Clamp to* down to the values that the snippets have. What is left?
# 2. The lower picture has the bars of a random latent, clamped to the same. Does it change *less*, or does it change something *else*?
# 3. Move *Prompt* to the line of code, and *Clamp to* to 0: ablated. Does anything change?


# %%
def likeliest(base: torch.Tensor, runs: torch.Tensor, n: int = 6) -> list[int]:
    """The tokens to show: the likeliest as it is, and of each change at its highest value."""
    ranked = [base.argsort(descending=True)[:n].tolist()]
    ranked += [run[-1].argsort(descending=True)[:n].tolist() for run in runs]
    in_turn = [token for row in zip(*ranked) for token in row]
    return list(dict.fromkeys(ranked[0][:3] + in_turn))[:n]


def figures_for(prompts) -> SteeringFigures:
    """What the panel shows of some prompts: all changes, at all values."""
    shown = []
    for prompt in prompts:
        base, code = as_it_is(prompt)
        runs = torch.stack([steer(prompt, latent) for latent in acted.values()])
        ids = likeliest(base, runs)
        shown.append((
            [language.spell(smollm2, i) for i in ids], base[ids].exp(), runs[:, :, ids].exp(),
            (base.exp() * (base - runs)).sum(-1).clamp_min(0), code[list(acted.values())],
        ))  # fmt: skip
    tokens, *figures = zip(*shown)
    baseline, probabilities, kl, actual = map(torch.stack, figures)
    return SteeringFigures(
        prompts=prompts, series=list(acted), values=VALUES, tokens=tokens, baseline=baseline,
        probabilities=probabilities, kl=kl, actual=actual,
    )  # fmt: skip


if smollm2:
    acted = {f"{role} (latent {chosen[role]})": chosen[role] for role in
             ("only in code", "only in prose", "every semicolon")}  # fmt: skip
    acted[f"random latent {randoms[0]} (control)"] = randoms[0]
    display(steering_panel(figures_for(PROMPTS), compute=lambda prompt: figures_for([prompt])))

# %% [markdown]
# One random latent is one. Here are twelve, and the question that matters: how likely does the end of the line become? In code that is what follows a semicolon. All are clamped to 120 at the semicolon of a sentence. (The column *at 30* shows how much of it is left nearer to natural values.)
#
# And once more the rival that needs no autoencoder: the mean of the semicolons in code minus the mean of those in prose. That direction, as long as the clamped latent's, is added instead.

# %%
if smollm2:
    line_ends = [
        i for i in range(smollm2.cfg.d_vocab) if language.spell(smollm2, i).startswith("\n")
    ]
    chooses = sign_4 & ~judged
    apart = x_4[chooses & in_code].mean(0) - x_4[chooses & ~in_code].mean(0)
    apart = apart / apart.norm()
    code_latent = chosen["only in code"]

    def line_end(log_p: torch.Tensor) -> float:
        """The probability that the next token begins with the end of a line."""
        return float(log_p[line_ends].exp().sum())

    def pushed_along(prompt: str, direction: torch.Tensor, length: float) -> torch.Tensor:
        """Log-probabilities of the next token, with a direction added at the last one."""

        def push(x):
            return torch.cat([x[:, :-1], x[:, -1:] + length * direction], dim=1)

        with torch.no_grad(), language.spliced(smollm2, stream_4, push):
            ids = language.tokenize(smollm2, prompt).ids
            return smollm2(ids, use_cache=False, logits_to_keep=1)[0, -1].log_softmax(-1)

    length = x_4[sign_4].norm(dim=1).mean()
    print(f"length of the residual stream at a semicolon: {length:.0f} on average\n")
    columns = "as it is   at 30   at 120   mean difference   random latents"
    print(f"{'the end of the line':31} {columns}")
    pushed = {}
    for prompt in PROMPTS[:3]:
        base, code = as_it_is(prompt)
        by_latent = [line_end(log_p) for log_p in steer(prompt, code_latent, (30.0, 120.0))]
        others = torch.tensor([line_end(steer(prompt, i, VALUES[-1:])[0]) for i in randoms])
        rival = line_end(pushed_along(prompt, apart, 120 - float(code[code_latent])))
        pushed[prompt] = line_end(base), by_latent[1], rival, others
        print(
            f"{prompt:31} {pushed[prompt][0]:8.0%} {by_latent[0]:7.0%} {by_latent[1]:8.0%} "
            f"{rival:12.0%}          median {others.quantile(0.5):.0%}, largest {others.max():.0%}"
        )
        assert by_latent[1] > pushed[prompt][0] + 0.2
        assert by_latent[1] > others.sort().values[-2]  # one of twelve may be another such latent
        assert rival > by_latent[1]
    reveal("5.i", "the end of the line", "As after a semicolon in code.")

# %% [markdown]
# Pushed, this latent makes an English sentence, and a French one, end its line as code does. Random latents, pushed as hard, change what comes next, too (look at their KL), but hardly ever to that.
# Hardly ever is not never: see the largest of the twelve. With one random latent as the only control you might have drawn that one, or the median.
#
# And the mean difference pushes *harder*, at the same length. To steer a model, you need no autoencoder. What the autoencoder gave you is the latent: nobody had to say beforehand what to look for.
#
# ### Is it needed?
#
# Now the other way round: take it away where it is there. These are snippets of code that did not choose the latent, up to their semicolon. Beside it, another latent that is active at the same token, the one with the nearest activation, is ablated.

# %%
if smollm2:
    rows = []
    for name in ("JavaScript", "C", "Python"):
        for text in written[KINDS[name]][1::2][:4]:
            prompt = text[: text.index(";") + 1]
            base, code = as_it_is(prompt)
            if code[code_latent] == 0:
                continue
            others = [i for i in code.nonzero().flatten().tolist() if i != code_latent]
            near = min(others, key=lambda i: abs(float(code[i] - code[code_latent])))
            gone = [steer(prompt, i, (0.0,))[0] for i in (code_latent, near)]
            kl = [float((base.exp() * (base - log_p)).sum()) for log_p in gone]
            rows.append([float(code[code_latent]), *map(line_end, (base, *gone)), *kl])
    level, as_is, without, control, kl_without, kl_control = torch.tensor(rows).mean(0).tolist()
    print(f"{len(rows)} snippets; the latent is at {level:.1f} on average")
    print(f"the end of the line: as it is {as_is:.0%}, ablated {without:.0%}", end="")
    print(f", another latent ablated {control:.0%}")
    print(f"KL in nats: ablated {kl_without:.3f}, another latent ablated {kl_control:.3f}")
    assert len(rows) >= 8 and abs(without - as_is) < 0.1 and max(kl_without, kl_control) < 0.2

# %% [markdown]
# Hardly anything happens. So the latent, *alone and at this token*, is not needed to end the line. Perhaps other latents say the same, or later layers read the text again. "Has an effect when pushed" and "is what the model uses" are two claims, and only the first one has been shown.
#
# Two more limits:
#
# - **The push is far beyond what the model does itself.** 120 is more than the whole residual stream is long, and several times the latent's largest activation. At values that occur, the effect is small.
# - **It is one place.** A latent at the last token of a text, in layer 4.

# %% [markdown]
# ### Your own
#
# Choose a prompt, and a latent: from the tables, or one that is active at its last token. What does it do?

# %%
my_prompt = "The opposite of hot is"
my_latent = None  # a number from 0 to 4,607; None takes the most active one
if smollm2:
    base, code = as_it_is(my_prompt)
    strongest = code.argsort(descending=True)[:5].tolist()
    print(
        "most active at the last token:",
        ", ".join(f"{i} ({float(code[i]):.1f})" for i in strongest),
    )
    latent = strongest[0] if my_latent is None else my_latent
    print(f"latent {latent}, as it is {float(code[latent]):.1f}")
    print(
        "   as it is:",
        ", ".join(f"{t!r} {p:.0%}" for t, p in language.top_tokens(smollm2, base.exp(), 5)),
    )
    for value, log_p in zip(VALUES, steer(my_prompt, latent)):
        likely = language.top_tokens(smollm2, log_p.exp(), 5)
        print(f"at {value:8g}:", ", ".join(f"{t!r} {p:.0%}" for t, p in likely))

# %% [markdown] exercise="5.12" kind="free" title="Dictionary learning in your words" minutes=7 difficulty=2 misconceptions=["dictionary-learning-reduces"]
# What is the general idea behind dictionary learning, and why might it help?
#
# HINT: Start from what a layer does with more features than dimensions. What do you know about how many are present at a time?
#
# HINT: Count the numbers that go in, the numbers that come out, and those of them that are in use.
#
# RUBRIC:
# - It says that activations are taken to be sums of a few directions out of many.
# - It says that both the directions and the codes are learned, from activations alone.
# - It says that there are more directions than dimensions, an expansion, and that the code is sparse: few for each, many for all.
# - It says why neurons are not enough: a feature in superposition has no neuron of its own, and neurons show mixtures.
# - It says what one hopes to do with latents: read what a layer has found, find things that nobody thought of, or change one and see what the model does.
#
# MODEL ANSWER:
# A layer can hold more features than it has dimensions because only few of them are present at a time. Dictionary learning turns that round: it looks for a large set of directions, larger than the number of dimensions, such that each activation is a sum of only a few of them. A sparse autoencoder
# learns the directions and a quick way to find the codes, from activations alone. It does not reduce anything: 512 neurons become 4,096 latents, of which 32 are in use at a time, and other ones at the next token. It might help because a feature in superposition has no neuron of its own, so that looking at neurons shows mixtures, while a latent can stand for one thing:
# something to read, to search for, and to act on.
#
# MISCONCEPTIONS:
# - dictionary-learning-reduces: The code has more numbers than the activation, not fewer. Few are in use for each activation, and nearly all for some activation.

# %%
ask("5.12")

# %% [markdown] exercise="5.13" kind="free" title="What would convince you?" minutes=6 difficulty=2 misconceptions=["low-error-means-found"]
# (*If you have time.*) Somebody shows you a latent of a language model, its strongest examples, and says: "this *is* the feature for X". What would you want to see before you believe it, and which doubt would remain?
#
# HINT: Go back through the controls of this notebook. Which of them made a nice result smaller?
#
# HINT: Evidence comes from reading, from detecting, from other trainings, and from acting. What is the control for each?
#
# RUBRIC:
# - It does not count a low error, or a high share of variance explained, as evidence that this feature was found.
# - It asks for evidence beyond the strongest examples: random ones, or detection on texts not used for choosing.
# - It names a control for that: random directions of the same layer as rare, the best of as many random latents, a mean difference, or an untrained model.
# - It asks for another training to find it again, or for a change in behaviour when it is clamped or ablated, beside random latents.
# - It names a doubt that remains: splitting and absorption, the choice of size, what is left unexplained, or that pushing is not needing.
#
# MODEL ANSWER:
# A low reconstruction error would not convince me: in the toy, all of the variance was explained with not a single feature found. I would want to see random examples of its activity, and not only the strongest; how well it detects what it is named after on texts that did not choose it, beside the best neuron, a mean difference and random directions of the same layer that are active as rarely;
# whether another training finds it again; and what the model does when it is clamped and when it is ablated, with random latents beside it. What would remain: with a larger dictionary it might split, it may have holes where a narrower latent has taken over, and that the model can be pushed with it does not show that the model uses it.
#
# MISCONCEPTIONS:
# - low-error-means-found: Copying has no error. What counts is the error at a given sparsity, and evidence besides the error.

# %%
ask("5.13")

# %% [markdown]
# ## What you can say now
#
# - An activation is a sum of few directions out of many. With the directions known, a greedy search finds the code, as long as it is sparse enough.
# - A sparse autoencoder learns the directions, too. Few for each, many for all: it expands, and does not reduce.
# - Its error says how well it copies. Whether features were found must be shown in other ways.
# - You need somewhat more latents than there are features, and nobody knows how many there are. A larger dictionary splits them.
# - A penalty shrinks codes by at least half its size. TopK does not. Both leave latents dead.
# - In a real model, controls make nice results smaller. What stays is worth having: more narrow latents, fewer false alarms, and a minority that another training finds again.
# - A latent can be *acted* on. That it changes the output in a way that fits its name is evidence. Whether the model needs it is another question.
#
# **The papers say, and here:**
#
# | claim | source | here |
# |---|---|---|
# | expand 10 to 15 times | often said | more than enough for our planted layer, which has 4 features a dimension: 8 times finds all; no constant |
# | latents are more interpretable than neurons | [1] | more are really narrow; the median is as broad as random directions of the layer that are as rare |
# | the best latent detects a context better than the best neuron | [1] | in most of 16 classes, by small margins; in more the rarer they are; code needs several latents |
# | latents are more universal than neurons (.72 against .46) | [1] | at the upper end, yes; the median only because there are more to choose from |
# | larger dictionaries split features | [1] | yes, in the toy; in the real layer, one class is often several latents |
# | TopK has no shrinkage, dead latents need a task | [2] | yes |
# | clamping a latent changes behaviour to fit its name | [3] | yes, far above natural values; a mean difference does it better; ablating it changes nearly nothing |
#
# **Next.** The reconstruction is not perfect, and computing it is not free. What does interpretability cost? That is notebook 06.
#
# **Sources.** [1] Bricken et al., "Towards Monosemanticity" (2023). [2] Gao et al., "Scaling and evaluating sparse autoencoders" (2024). [3] Templeton et al., "Scaling
# Monosemanticity" (2024). [4] Heap et al., "Sparse autoencoders can interpret randomly initialized transformers" (2025). Shrinkage: Wright and Sharkey, "Addressing feature suppression in SAEs" (2024). Absorption: Chanin et al., "A is for absorption" (2024). Mean differences as
# rivals: Wu et al., "AxBench" (2025). Matching pursuit: Mallat and Zhang (1993). Dictionary learning: Olshausen and Field, "Emergence of simple-cell receptive field properties by learning a sparse code for natural images" (1996).
