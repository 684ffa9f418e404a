"""Pictures become what MNIST would have made of them, or one line says why not."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

import digits
import intgold
import tools
from intgold import DataError
from intgold.images.mnist import load_mnist
from intgold.images.pictures import FORMATS, picture_format
from intgold.images.preparation import normalize_digit, picture_input, resize

DIGIT = (28, 28, 1)


@pytest.fixture(autouse=True)
def _pillow():
    tools.need("pillow")


def mnist(count=100):
    """Return every 100th test image, bright on black, and the answers that it gets."""
    tools.need("MNIST")
    images = load_mnist("test")[0][:: 10_000 // count, :, :, 0]
    return images, intgold.load().predict(images)


def enlarged(image, size):
    from PIL import Image

    return np.array(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))


def answers_of(tmp_path, pictures, **options):
    """Write pictures as PNG files; return what the model says of the files."""
    files = [digits.save(tmp_path / f"{i}.png", p, **options) for i, p in enumerate(pictures)]
    return intgold.load().predict(np.stack([picture_input(f, DIGIT) for f in files]))


@pytest.mark.parametrize(
    ("size", "least"), [(14, 94), (20, 98), (28, 100), (56, 98), (100, 99), (300, 99), (1000, 99)]
)
@pytest.mark.parametrize("polarity", ["white on black", "black on white"])
def test_files_of_mnist_are_answered_as_mnist(tmp_path, size, least, polarity):
    """Of 100 test images, written as PNG in this size and polarity, `least` keep their answer."""
    images, answers = mnist()
    assert len(set(answers.tolist())) == 10
    pictures = [image if size == 28 else enlarged(image, size) for image in images]
    if polarity == "black on white":
        pictures = [255 - p for p in pictures]
    assert (answers_of(tmp_path, pictures) == answers).sum() >= least


def test_the_preparation_is_needed(tmp_path):
    """Black on white and merely resized, the same 100 images lose most of their answers."""
    images, answers = mnist()
    raw = np.stack([255 - image for image in images])
    assert (intgold.load().predict(raw) == answers).sum() < 50
    shifted = np.stack([np.roll(np.pad(image, 14), (10, -12), (0, 1)) for image in images])
    resized = np.stack([resize(image, 28, 28) for image in shifted])
    assert (intgold.load().predict(resized) == answers).sum() < 80
    assert (answers_of(tmp_path, shifted) == answers).sum() >= 98


@pytest.mark.parametrize(
    ("noise", "shade", "least"), [(0, 0, 99), (4, 0, 98), (10, 0, 98), (25, 0, 95), (4, 80, 96)]
)
def test_off_centre_on_grey_paper(tmp_path, noise, shade, least):
    """Ink 60 on paper 210, anywhere on 300 x 400, with grain and a shadow across the paper."""
    images, answers = mnist()
    generator = np.random.default_rng(5)
    pictures = []
    for image in images:
        picture = np.full((300, 400), 210.0)
        top, left = generator.integers(1, 300 - 141), generator.integers(1, 400 - 141)
        picture[top : top + 140, left : left + 140] -= enlarged(image, 140) * (150 / 255)
        picture -= shade * np.arange(400) / 400
        picture += generator.normal(0, 1, picture.shape) * noise
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    assert (answers_of(tmp_path, pictures) == answers).sum() >= least


@pytest.mark.parametrize("suffix", ["jpg", "webp", "bmp", "gif", "tif", "pgm"])
def test_other_formats(tmp_path, suffix):
    images, answers = mnist()
    files = [
        digits.save(tmp_path / f"{i}.{suffix}", 255 - enlarged(image, 100))
        for i, image in enumerate(images)
    ]
    assert {picture_format(f) for f in files} <= set(FORMATS)
    x = np.stack([picture_input(f, DIGIT) for f in files])
    assert (intgold.load().predict(x) == answers).sum() >= 98


@pytest.mark.parametrize("name", intgold.SHIPPED)
@pytest.mark.parametrize(("size", "width"), [(28, 2), (60, 5), (200, 16), (1000, 40)])
def test_drawn_digits_are_answered(tmp_path, name, size, width):
    """All ten, as a person would draw them, by every shipped model; no data set is needed."""
    files = [
        digits.save(tmp_path / f"{d}.png", digits.drawn(d, size, width, 40, 220)) for d in range(10)
    ]
    x = np.stack([picture_input(f, DIGIT) for f in files])
    assert intgold.load(name).predict(x).tolist() == list(range(10))


def test_polarity_does_not_matter(tmp_path):
    """A picture and its negative give the same int8 input, also where a border pixel is ink."""
    generator = np.random.default_rng(0)
    model = intgold.load()
    for digit in range(10):
        picture = digits.drawn(digit, 150, 12, ink=70, paper=200).astype(np.int64)
        picture += generator.integers(-6, 7, picture.shape)
        picture = picture.astype(np.uint8)
        a = picture_input(digits.save(tmp_path / "a.png", picture), DIGIT)
        b = picture_input(digits.save(tmp_path / "b.png", 255 - picture), DIGIT)
        assert np.array_equal(model.quantize_input(a[None]), model.quantize_input(b[None]))
        assert a.max() == 255 and a[0].max() == 0  # bright on black, with a margin


def test_centre_and_box_are_those_of_mnist():
    """The longer side is 20; the centre of mass lies in the pixel after the middle."""
    tools.need("MNIST")
    images = load_mnist("test")[0][:1000, :, :, 0]
    unchanged = 0
    for image in images:
        digit = normalize_digit(255 - image)
        rows, columns = (np.flatnonzero(digit.any(axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        for axis in (0, 1):
            weights = digit.sum(1 - axis, dtype=np.int64)
            centre = Fraction(
                int((weights * (2 * np.arange(28) + 1)).sum()), int(2 * weights.sum())
            )
            assert 14 <= centre < 15
        unchanged += np.array_equal(digit, image)
    assert unchanged >= 700  # of the rest, a faint outermost row is cropped


def slow_resize(column, size):
    """The definition of `resize` for one axis, in fractions."""
    n = len(column)
    out = []
    for j in range(size):
        if size <= n:
            low, high = Fraction(j * n, size), Fraction((j + 1) * n, size)
            parts = (max(0, min(high, i + 1) - max(low, i)) * v for i, v in enumerate(column))
            value = sum(parts) / (high - low)
        else:
            at = min(max(Fraction((2 * j + 1) * n, 2 * size) - Fraction(1, 2), 0), n - 1)
            i = floor(at)
            after = column[min(i + 1, n - 1)]
            value = column[i] * (1 - (at - i)) + after * (at - i)
        out.append(floor(value + Fraction(1, 2)))
    return out


def test_resize_is_exact():
    """Against fractions, for every pair of lengths up to 20; both axes are treated alike."""
    generator = np.random.default_rng(1)
    for n in range(1, 21):
        column = generator.integers(0, 256, n).astype(np.uint8)
        for size in range(1, 21):
            want = slow_resize(column.tolist(), size)
            assert resize(column[:, None], size, 1)[:, 0].tolist() == want
            assert resize(column[None], 1, size)[0].tolist() == want
    image = generator.integers(0, 256, (9, 7, 3)).astype(np.uint8)
    assert np.array_equal(resize(image, 9, 7), image)
    assert np.array_equal(resize(image, 4, 15)[..., 1], resize(image[..., 1], 4, 15))
    assert (resize(np.full((50, 3), 255, np.uint8), 7, 300) == 255).all()


def test_as_is_is_exact(tmp_path):
    """Every byte of a picture of the input's size, grey or RGB; another size is refused."""
    generator = np.random.default_rng(2)
    grey = generator.integers(0, 256, (28, 28)).astype(np.uint8)
    file = digits.save(tmp_path / "grey.png", grey)
    assert np.array_equal(picture_input(file, DIGIT, as_is=True), grey[..., None])
    with pytest.raises(DataError, match="no paper"):
        picture_input(file, DIGIT)
    colours = generator.integers(0, 256, (6, 9, 3)).astype(np.uint8)
    file = digits.save(tmp_path / "colours.png", colours)
    assert np.array_equal(picture_input(file, (6, 9, 3), as_is=True), colours)
    assert np.array_equal(picture_input(file, (6, 9, 3)), colours)
    assert np.array_equal(picture_input(file, (3, 4, 3)), resize(colours, 3, 4))
    with pytest.raises(DataError, match=r"colours.png: 9 x 6 pixels, as it is .* 28 x 28"):
        picture_input(file, DIGIT, as_is=True)
    for shape in ((6, 9, 2), (54,), (6, 9)):
        with pytest.raises(DataError, match="no picture fits"):
            picture_input(file, shape)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (28, 28), (300, 500)])
def test_an_empty_picture_is_refused(tmp_path, shape):
    for value in (0, 128, 255):
        file = digits.save(tmp_path / "blank.png", np.full(shape, value, np.uint8))
        with pytest.raises(DataError, match="blank.png: no ink"):
            picture_input(file, DIGIT)
    grain = np.random.default_rng(3).normal(200, 3, shape).astype(np.uint8)
    with pytest.raises(DataError, match="blank.png: no ink"):
        picture_input(digits.save(tmp_path / "blank.png", grain), DIGIT)


def test_a_picture_without_paper_is_refused():
    """Where the border is as uneven as the ink, neither can be told."""
    noise = np.random.default_rng(4).integers(0, 256, (60, 60)).astype(np.uint8)
    with pytest.raises(DataError, match="no paper"):
        normalize_digit(noise)


def test_tiny_pictures_do_not_break():
    """Any size from 1 to 6, any content: a digit or one line."""
    generator = np.random.default_rng(6)
    given = 0
    for height in range(1, 7):
        for width in range(1, 7):
            for _ in range(20):
                picture = generator.integers(0, 2, (height, width)).astype(np.uint8) * 255
                try:
                    digit = normalize_digit(picture)
                except DataError:
                    continue
                given += 1
                assert digit.shape == (28, 28) and digit.max() == 255
                assert np.array_equal(digit, normalize_digit(255 - picture)) or _tie(picture)
    assert given > 100


def _tie(picture):
    """Half of the border in each tone: nothing says which is paper."""
    edge = np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])
    return 2 * (edge > 0).sum() == len(edge)
