"""The tokenizer that both of our one-layer transformers share."""

from __future__ import annotations

from tiny_lm_text import Document
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 4096
SPECIAL = ["<|bos|>", "<|eos|>", "<|pad|>"]
BOS, EOS, PAD = range(3)
# Megabytes of a group that the tokenizer learns from: other scripts get tokens of their own, and
# random text next to none.
FOR_TOKENIZER = {
    "Python": 1.5, "JavaScript": 0.7, "C and C++": 0.7, "CSS and HTML": 0.4, "other code": 0.3,
    "documentation": 0.8, "docstrings": 1.2, "interface, English": 0.3,
    "interface, French": 0.5, "interface, German": 0.5,
    "base64": 0.02, "hexadecimal": 0.02, "DNA": 0.05,
}  # fmt: skip
FOR_TOKENIZER_OTHERWISE = 0.7


def train_tokenizer(training: dict[str, list[Document]]) -> Tokenizer:
    """Byte-level pairs, as GPT-2's: any text can be written, and read back unchanged."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    sample = []
    for group, found in training.items():
        left = FOR_TOKENIZER.get(group, FOR_TOKENIZER_OTHERWISE) * 1e6
        for document in found:
            # From a long file the beginning, so that many files are seen.
            sample.append(document.text[:4000])
            left -= len(sample[-1].encode())
            if left < 0:
                break
    tokenizer.train_from_iterator(sample, trainer)
    return tokenizer
