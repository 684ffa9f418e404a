"""Files of words that the tests of formats share."""

import numpy as np

from intgold.vectors.formats.word_file import WordFile

WIDTHS = (8, 12, 16, 18, 32, 36, 64, 72, 128, 1024)
COUNT, RUN = 4, 7


def word_file(form, bits, gap=0, addresses=False, comments="head", base=0x20000):
    """Four runs of seven words, in the middle of a memory."""
    whole = bits in (8, 16, 32)
    return WordFile(
        "outputs_x", "outputs/x: four runs of seven words", bits, COUNT, RUN,
        f"int{bits}" if whole else "int8", (COUNT, RUN), address=3, step=RUN + gap, base=base,
        signed=whole, addresses=addresses, comments=comments,
    )  # fmt: skip


def some_words(file, seed=0):
    """Random words of a file, the smallest and the largest among them."""
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 256, (file.words, file.word_bytes)).astype(np.uint8)
    words[0], words[1], words[2] = 0, 255, 0
    words[2, -1] = 128
    if file.word_bits % 8:
        words[:, -1] &= (1 << file.word_bits % 8) - 1
    return words


def written(form, file, words):
    """The bytes of a file, written in three parts."""
    parts = [(0, 1), (1, 3), (3, COUNT)]
    bodies = [form.body(file, words[a * RUN : b * RUN], a * RUN) for a, b in parts]
    return form.head(file) + b"".join(bodies) + form.tail(file)
