"""Picture files become bytes, or one line says why not."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

import digits
import tools
from intgold import DataError
from intgold.images.pictures import find_pictures, picture_format, read_picture


@pytest.fixture(autouse=True)
def _pillow():
    tools.need("pillow")


def test_modes_give_the_same_bytes(tmp_path):
    """A bilevel picture in every mode of a PNG, with and without alpha, is one picture."""
    from PIL import Image

    grey = np.where(digits.drawn(4) < 128, 0, 255).astype(np.uint8)
    clear = np.dstack([np.zeros_like(grey)] * 3 + [255 - grey])  # black ink on nothing
    white = clear.copy()
    white[..., :3] = 255  # white ink on nothing
    images = {mode: Image.fromarray(grey).convert(mode) for mode in ("1", "L", "LA", "RGB", "P")}
    images["RGBA"] = Image.fromarray(clear)
    images["transparent LA"] = Image.fromarray(clear).convert("LA")
    images["16"] = Image.fromarray(grey.astype(np.uint16) * 257)
    images["white RGBA"] = Image.fromarray(white)
    for name, image in images.items():
        image.save(tmp_path / f"{name}.png")
        read = read_picture(tmp_path / f"{name}.png")
        assert read.shape == (*grey.shape, 1) and read.dtype == np.uint8
        want = 255 - grey if name == "white RGBA" else grey
        assert np.array_equal(read[..., 0], want), name
    Image.fromarray(grey).save(tmp_path / "key.png", transparency=0)
    assert (read_picture(tmp_path / "key.png") == 255).sum() >= (grey == 255).sum()


def test_16_bits_become_the_nearest_8(tmp_path):
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    read = read_picture(digits.save(tmp_path / "deep.png", deep))
    want = [floor(Fraction(v, 257) + Fraction(1, 2)) for v in range(65536)]
    assert read.reshape(-1).tolist() == want
    assert np.array_equal(read_picture(tmp_path / "deep.png", 3), np.repeat(read, 3, axis=2))


def test_exif_turns_the_picture(tmp_path):
    """As a camera that was held upright writes it: orientation 6 is turned by a quarter."""
    from PIL import Image

    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    exif = Image.Exif()
    exif[0x0112] = 6
    file = digits.save(tmp_path / "x.png", picture, exif=exif)
    assert np.array_equal(read_picture(file)[..., 0], np.rot90(picture, -1))


def test_every_damaged_byte_is_refused_or_harmless(tmp_path):
    """Each byte of a PNG by several others, and every truncation: the picture or one line."""
    grey = digits.drawn(7, 24, 3)
    whole = digits.png(grey)
    file = tmp_path / "x.png"
    spoilt = [whole[:n] for n in range(len(whole))]
    for at in range(len(whole)):
        for byte in {whole[at] ^ 1, 0, 0xFF} - {whole[at]}:
            spoilt.append(whole[:at] + bytes([byte]) + whole[at + 1 :])
    refused = 0
    for data in spoilt:
        file.write_bytes(data)
        try:
            assert np.array_equal(read_picture(file)[..., 0], grey)
        except DataError as error:
            assert str(file) in str(error) and "\n" not in str(error)
            refused += 1
    assert refused > 0.9 * len(spoilt)


@pytest.mark.parametrize("suffix", ["jpg", "gif", "bmp", "tif", "webp", "pgm"])
def test_truncated_files_of_other_formats(tmp_path, suffix):
    """The picture, or one line, and nothing else; half of a file is never a picture."""
    file = digits.save(tmp_path / f"x.{suffix}", digits.drawn(7, 40, 4))
    whole = file.read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 60)):
        file.write_bytes(whole[:size])
        try:
            read_picture(file)
        except DataError as error:
            assert str(file) in str(error) and "\n" not in str(error)
        else:
            assert size > len(whole) // 2


@pytest.mark.parametrize(
    ("width", "height"), [(2**13, 2**13 + 1), (100_000, 100_000), (2**31 - 1, 1)]
)
def test_huge_pictures_are_refused_by_their_header(tmp_path, width, height, recwarn):
    (tmp_path / "bomb.png").write_bytes(digits.png_of_size(width, height))
    with pytest.raises(DataError, match=r"bomb.png: .*pixels") as caught:
        read_picture(tmp_path / "bomb.png")
    assert "\n" not in str(caught.value) and not recwarn.list


def test_what_is_no_single_picture_is_refused(tmp_path):
    from PIL import Image

    frames = [Image.fromarray(digits.drawn(d, 30, 3)) for d in range(3)]
    for suffix in ("gif", "png", "tif", "webp"):
        frames[0].save(tmp_path / f"x.{suffix}", save_all=True, append_images=frames[1:])
        with pytest.raises(DataError, match="3 frames"):
            read_picture(tmp_path / f"x.{suffix}")
    Image.fromarray(np.zeros((3, 3), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(DataError, match="floats"):
        read_picture(tmp_path / "float.tif")
    (tmp_path / "x.svg").write_text("<svg/>")
    with pytest.raises(DataError, match="no picture"):
        read_picture(tmp_path / "x.svg")
    (tmp_path / "x.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    assert picture_format(tmp_path / "x.eps") is None  # Pillow would start Ghostscript


def test_folder(tmp_path):
    """Pictures by name, whatever their suffix; the rest is distinguished by its bytes."""
    for name in ("b.png", "a.png", "10.png", "9.png"):
        digits.save(tmp_path / name, digits.drawn(1, 30, 3))
    (tmp_path / "without").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "c.png").write_text("no picture")
    (tmp_path / "d").mkdir()
    pictures, others = find_pictures(tmp_path)
    assert [p.name for p in pictures] == ["10.png", "9.png", "a.png", "b.png", "without"]
    assert [p.name for p in others] == ["c.png", "d"]
    with pytest.raises(DataError, match="no picture"):
        find_pictures(tmp_path / "d")


def test_without_pillow(tmp_path, monkeypatch):
    """One line says what to install."""
    file = digits.save(tmp_path / "x.png", digits.drawn(1, 30, 3))
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(DataError, match=r"x.png: .*pip install pillow"):
        read_picture(file)
