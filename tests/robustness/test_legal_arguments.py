"""What NumPy and iterators give is taken wherever it means the same."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

import intgold
from intgold import InputError, IntgoldError, golden, native
from intgold.model.builder import Builder
from intgold.support.arguments import check, checked, fits
from intgold.vectors.sets.generate import write_set


def test_any_memory_order_of_images(world):
    """Negative strides, Fortran order and slices give the same int8 input."""
    model, reals = world["model"], world["reals"]
    for images in (reals, world["images"], world["x"]):
        wanted = model.quantize_input(images)
        for odd in (np.asfortranarray(images), images[::-1].copy()[::-1],
                    np.repeat(images, 2, axis=2)[:, :, ::2]):  # fmt: skip
            assert not odd.flags.c_contiguous
            assert np.array_equal(model.quantize_input(odd), wanted)
            assert np.array_equal(model.predict(odd), model.predict(images))


INT, INTS = np.int64(2), (np.array([2, 3]), [np.int64(2), 3], (np.uint8(2), np.int16(3)))
MADE = {
    "int": [(INT, 2), (np.uint64(2), 2)],
    "int | None": [(INT, 2), (None, None)],
    "Sequence[int]": [(v, [2, 3]) for v in INTS] + [(iter((np.int8(2), 3)), [2, 3])],
    "tuple[int, ...]": [(v, [2, 3]) for v in INTS] + [((v for v in (2, 3)), [2, 3])],
    "tuple[int, int]": [(v, [2, 3]) for v in INTS] + [(map(int, "23"), [2, 3])],
    "list[int]": [(v, [2, 3]) for v in INTS],
    "Sequence[int] | None": [(v, [2, 3]) for v in INTS] + [(iter([2, 3]), [2, 3])],
    "int | Sequence[int]": [(v, [2, 3]) for v in INTS] + [(INT, 2)],
    "Sequence[tuple[int, int]]": [([np.array([2, 3])], [(2, 3)]), (np.array([[2, 3]]), [(2, 3)]),
                                  (zip([INT], [3], strict=True), [(2, 3)])],
    "Sequence[str]": [(iter("ab"), ["a", "b"]), (np.array(["a", "b"]), ["a", "b"])],
    "str | Sequence[str]": [(iter("ab"), ["a", "b"]), ("ab", "ab")],
}  # fmt: skip
"""What an annotation takes of NumPy and of iterators, and what the function then sees."""


def _function_of(hint):
    def function(a: "int", b: "int" = 0):
        return b

    function.__annotations__ = {"a": int, "b": eval(hint, {"Sequence": Sequence})}
    return checked(function)


def _listed(value):
    return [_listed(v) for v in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("hint", MADE)
def test_what_numpy_and_iterators_make(hint):
    """NumPy's integers, by themselves and as elements, arrays and iterators become Python's own."""
    for value, same in MADE[hint]:
        seen = _listed(_function_of(hint)(INT, value))
        assert seen == _listed(same) and repr(seen) == repr(_listed(same))
    for value in (2.5, np.array([2.5]), [np.float64(2)], (True, 3), np.array([True, False]),
                  np.timedelta64(2), iter([2.5]), np.array([b"2"]), [2**63]):  # fmt: skip
        with pytest.raises(InputError, match="function: b: .* instead of"):
            _function_of(hint)(1, value)


def test_legal_calls_of_numpy_users(world, tmp_path):
    """What NumPy gives to count and to point with is taken wherever numbers are."""
    model, x, folder = world["model"], world["x"], world["folder"]
    builder = Builder("m")
    builder.input("x", tuple(np.array([4, 4, 2])))
    for kernel in (np.int64(2), np.array([2, 2]), [np.int8(2), 2]):
        made = builder.tensor(builder.op("max_pool2d", "x", kernel=kernel, stride=(2, 2)))
        assert repr(made.shape) == "(2, 2, 2)"
    where = tuple(np.argwhere(np.ones((1, 1, 1, 1)))[0])
    assert intgold.verify.locate.locate(folder / "set", "outputs/gap", where)
    write_set(model, tmp_path / "a", count=2, formats=(n for n in ("npy", "hex")))
    assert {p.suffix for p in (tmp_path / "a").rglob("gap.*")} == {".npy", ".hex"}
    intgold.exporters.write_c((m for m in [model]), tmp_path / "m.c")
    *lines, _ = (tmp_path / "m.c").read_text().splitlines(keepends=True)  # without the seal
    assert "".join(lines) == intgold.exporters.c_source([model])
    wanted = model.run(x).output
    for backend, threads in itertools.product(("c", "golden"), (np.int64(2), np.uint8(1))):
        assert np.array_equal(model.run(x, backend, threads).output, wanted)
        assert np.array_equal(model.predict(x, backend, threads), model.predict(x))
    assert repr(model.prepare(threads=np.int64(2)).threads) == "2"
    for engine in (golden, native):
        rest = dict(padding=np.zeros(4, int), act_min=-128, act_max=np.int8(127))
        twos = ((2, 2), [2, 2], np.array([2, 2]), np.full(2, 2, np.uint8))
        pools = [engine.max_pool2d(x, kernel=(2, 2), stride=s, **rest) for s in twos]
        assert all(np.array_equal(p, pools[0]) for p in pools)
        with pytest.raises(IntgoldError, match="stride"):
            engine.max_pool2d(x, kernel=(2, 2), stride=np.array([2.0, 2.0]), **rest)


@pytest.mark.parametrize("make", [set, frozenset, dict.fromkeys, lambda v: dict.fromkeys(v).keys()])
@pytest.mark.parametrize(
    "hint", [Sequence[int], list[int], tuple[int, ...], Sequence[int] | None, tuple[int, int]]
)
def test_a_set_is_no_sequence(make, hint):
    """It has no order; of a coordinate or an order of formats that would be a wrong answer."""
    assert not fits(make([3, 1]), hint) and fits((3, 1), hint)
    with pytest.raises(InputError, match="x: .* instead of "):
        check("x", make([3, 1]), hint)
