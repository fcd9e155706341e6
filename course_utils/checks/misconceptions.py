"""What learners get wrong, each with a slug. The notebooks refute them by experiment."""

MISCONCEPTIONS = {
    "superposition-is-a-neuron": "Superposition is one neuron that stands for several features.",
    "polysemanticity-allows-superposition": "Polysemantic neurons allow for superposition.",
    "features-are-a-basis": "Features are independent directions, like a basis.",
    "correlation-makes-superposition": "Sparse correlation makes features share neurons.",
    "dictionary-learning-reduces": "Dictionary learning is dimensionality reduction.",
    "low-error-means-found": "Low reconstruction error means that the features were found.",
    "operations-are-understanding": "CNNs are interpretable because we know what they compute.",
    "universality-is-one-circuit": "Universality: the same circuit works for different tasks.",
}
