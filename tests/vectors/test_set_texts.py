"""What a set says of itself to people: orders of words, and numbers that stand for a word."""

import re

import pytest

from intgold import Builder, Requantize
from intgold.ops.fields import FORMS
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.sv_package import read_package
from small_sets import IMAGES, LAYOUTS, layout_of, network


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_set_says_of_an_order(name, tmp_path):
    """Shape and order of a file's comment are of one another, and the page lists the order."""
    layout = layout_of(LAYOUTS[name], tmp_path)
    write_set(network(), tmp_path / "set", count=IMAGES, formats=["hex", "npy"], layout=layout)
    plan, _ = read_manifest(tmp_path / "set")
    page = (tmp_path / "set" / "README.md").read_text()
    assert ("| stored order |" in page) == (not layout.is_default)
    for entry in plan.entries:
        file = plan.files_of(entry, "hex")[0]
        title = (tmp_path / "set" / file.path).read_text().partition("\n")[0]
        shape, order = re.search(r": \w+ ([0-9x]+)(?:, order (\w+))?, ", title).groups()
        assert (order is not None) == (
            len(plan.blocks[entry].packing.axis_order) > 1
            and bool(plan.blocks[entry].packing.rule.order)
        ), title
        extents: dict[str, int] = {}
        for axis, n in zip(order or "N" * entry.images + entry.axes, shape.split("x"), strict=True):
            extents[axis.upper()] = extents.get(axis.upper(), 1) * int(n)
        tiled = {axis.upper() for axis in order or "" if axis.islower()}
        for axis, n in zip("N" * entry.images + entry.axes, entry.whole(IMAGES), strict=True):
            assert extents.pop(axis) == n or (axis in tiled), (title, axis)
        assert not extents
        if not layout.is_default:
            row = next(line for line in page.splitlines() if line.startswith(f"| {entry.path} "))
            listed = [cell.strip() for cell in row.split("|")][5]
            assert listed == (order or "N" * entry.images + entry.axes)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_by_its_name(form, tmp_path):
    """The package says which form its number stands for, and still reads."""
    builder = Builder("one")
    x = builder.input("image", (4, 4, 1))
    by = Requantize.of(2**30, 40, form)
    x = builder.op("conv2d", x, name="conv", weights=[[[[3]]]], bias=[5], requantize=by)
    builder.op("avg_pool2d", x, name="pool", kernel=2, form="centred_away")
    write_set(builder.model(), tmp_path / "set", count=1, formats=["hex", "sv"])
    text = (tmp_path / "set" / "vectors_pkg.sv").read_text()
    number = FORMS.index(form)
    assert f"int CONV_REQUANTIZE_FORM = {number};  // {form}, SPEC 4.2\n" in text
    assert re.search(r"int POOL_FORM = 1;  // centred_away, SPEC 5.7\n", text)
    assert read_package(text)["CONV_REQUANTIZE_FORM"] == number
