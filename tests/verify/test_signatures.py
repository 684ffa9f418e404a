"""Signatures: the golden side, the comparison, and the RTL block in two simulators."""

import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

import intgold
import tools
from intgold import VectorError
from intgold.cli import main
from intgold.vectors.cases.signatures import WIDTHS, signature_lines
from intgold.vectors.cases.stimulus import stimulus
from intgold.vectors.sets.generate import write_set
from intgold.verify.signatures import compare_signatures, signatures

RTL = Path(__file__).parents[2] / "rtl"
TILE = (5, 28, 3)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signatures") / "set"
    write_set(intgold.load(), folder, count=2, formats=["bin"], backend="c")
    return folder


def crc_by_bits(data, crc=0xFFFFFFFF):
    """The definition, bit by bit; neither zlib nor the RTL's loop."""
    for octet in data:
        for i in range(8):
            out = (crc ^ octet >> i) & 1
            crc = crc >> 1 ^ (0xEDB88320 if out else 0)
    return crc


def test_the_definition():
    assert crc_by_bits(b"123456789") ^ 0xFFFFFFFF == 0xCBF43926 == zlib.crc32(b"123456789")


def test_signatures_by_plain_loops(vectors):
    """Every array, image and tile from the trace, element by element."""
    model = intgold.load()
    x = stimulus(model, "builtin", 2, 0)
    run = model.run(x, trace=True)
    found = {(t.array, t.image, t.number): t for t in signatures(vectors, TILE)}
    count = 0
    for folder, arrays in (("outputs", run.tensors), ("accumulators", run.accumulators)):
        for name, values in arrays.items():
            for image in range(2):
                a = values[image].reshape((1,) * (3 - values[image].ndim) + values[image].shape)
                state, number = 0xFFFFFFFF, 0
                for y0 in range(0, a.shape[0], TILE[0]):
                    for x0 in range(0, a.shape[1], TILE[1]):
                        for c0 in range(0, a.shape[2], TILE[2]):
                            for y in range(y0, min(y0 + TILE[0], a.shape[0])):
                                for xx in range(x0, min(x0 + TILE[1], a.shape[1])):
                                    for c in range(c0, min(c0 + TILE[2], a.shape[2])):
                                        v = int(a[y, xx, c]) % 2 ** (8 * a.itemsize)
                                        state = crc_by_bits(v.to_bytes(a.itemsize, "little"), state)
                            tile = found[f"{folder}/{name}", image, number]
                            assert tile.signature == state ^ 0xFFFFFFFF
                            number, count = number + 1, count + 1
    assert count == len(found) > 100


def test_the_first_wrong_tile(vectors, tmp_path):
    """A value that a chip makes wrong: its tile, from all read-outs or by few of them."""
    model = intgold.load()
    x = stimulus(model, "builtin", 2, 0)
    run = model.run(x, trace=True)
    tensors = {n: a.copy() for n, a in run.tensors.items()}
    tensors["conv2"][1, 11, 3, 7] ^= 1
    write_read_outs(tensors, run.accumulators, tmp_path / "chip.txt")
    report = compare_signatures(vectors, tmp_path / "chip.txt")
    assert not report.equal and report.next is None
    assert (report.array, report.image) == ("outputs/conv2", 1)
    tile = report.found
    assert tile.start == (10, 0, 6) and tile.stop == (15, 28, 9)
    assert "first wrong tile: outputs/conv2, image 1" in str(report)
    # By few read-outs: the last tile first, then what the report asks for.
    lines = (tmp_path / "chip.txt").read_text().splitlines()
    of = {int(t.split()[2]): t for t in lines if t.startswith("outputs/conv2 1 ")}
    asked = [max(of)]
    while True:
        text = "\n".join(
            [*(t for t in lines if t.startswith("#")), *(of[n] for n in sorted(asked))]
        )
        (tmp_path / "few.txt").write_text(text)
        report = compare_signatures(vectors, tmp_path / "few.txt")
        if report.next is None:
            break
        asked.append(report.next)
    assert report.found == tile and len(asked) <= 2 + np.log2(len(of))
    assert "outputs/conv1" in report.unread and "not read before it: " in str(report)
    # A right read-out after a wrong one: one of both is no read-out of this chip.
    other = next(n for n in sorted(of) if n > tile.number)
    right = {(t.array, t.image, t.number): t for t in signatures(vectors, TILE)}
    told = f"outputs/conv2 1 {other} {right['outputs/conv2', 1, other].signature:08x}"
    (tmp_path / "few.txt").write_text("\n".join([lines[0], of[tile.number], told]))
    report = compare_signatures(vectors, tmp_path / "few.txt")
    assert report.contradicts and report.contradicts.number == other
    assert f"tile {other} after it is correct" in str(report)


def write_read_outs(tensors, accumulators, path):
    """A chip's read-outs only by zlib."""
    lines = ["# tile " + ",".join(map(str, TILE))]
    for folder, arrays in (("outputs", tensors), ("accumulators", accumulators)):
        for name, values in arrays.items():
            for image, a in enumerate(values):
                crc, number = 0, 0
                a = a.reshape((1,) * (3 - a.ndim) + a.shape)
                for y in range(0, a.shape[0], TILE[0]):
                    for x in range(0, a.shape[1], TILE[1]):
                        for c in range(0, a.shape[2], TILE[2]):
                            part = a[y : y + TILE[0], x : x + TILE[1], c : c + TILE[2]]
                            crc = zlib.crc32(np.ascontiguousarray(part).tobytes(), crc)
                            lines.append(f"{folder}/{name} {image} {number} {crc:08X}")
                            number += 1
    path.write_text("\n".join(lines) + "\n")


def test_a_set_equals_its_own(vectors, tmp_path, capsys):
    assert (
        main(["signatures", str(vectors), "--tile", "5,28,3", "-o", str(tmp_path / "s.txt")]) == 0
    )
    assert main(["verify", str(vectors), "--signatures", str(tmp_path / "s.txt")]) == 0
    assert "all equal" in capsys.readouterr().out
    text = (tmp_path / "s.txt").read_text()
    (tmp_path / "s.txt").write_text(text.replace("outputs/fc", "outputs/fd"))
    for change, message in (
        (("outputs/pool2 1 0 ", "outputs/pool9 1 0 "), "pool9 image 1 tile 0: the set has no"),
        (("outputs/pool2 1 0 ", "outputs/pool2 0 0 "), "outputs/pool2 0 0 twice"),
        (("outputs/pool2 1 0 ", "outputs/pool2 1 x "), "is no array image tile crc"),
        (("# tile 5,28,3", "# no"), "gives the tile"),
        (("# tile 5,28,3", "# tile 0,28,3"), "is no tile such as"),
        (("# tile 5,28,3", "# tile 5,28,3\n# tile 5,28,3"), "a second tile"),
    ):
        (tmp_path / "s.txt").write_text(text.replace(*change, 1))
        with pytest.raises(VectorError, match=message):
            compare_signatures(vectors, tmp_path / "s.txt")
    (tmp_path / "s.txt").write_text("# tile 5,28,3\n")
    assert main(["verify", str(vectors), "--signatures", str(tmp_path / "s.txt")]) == 2
    assert "no signatures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("simulator", "width"), [*(("iverilog", w) for w in WIDTHS), ("verilator", WIDTHS[1])]
)
def test_the_block(simulator, width, tmp_path):
    """The RTL on its vectors, and on the tensors of a set, beat by beat."""
    tools.need(simulator)
    lines = list(signature_lines(width))
    assert len(lines) > 200
    model = intgold.load()
    y = model.run(stimulus(model, "builtin", 1, 0), trace=True).tensors["conv1"]
    data, crc = y.tobytes(), 0
    for at in range(0, len(data), width):
        part = data[at : at + width]
        crc = zlib.crc32(part, crc)
        word = int.from_bytes(part, "little")
        keep = (1 << len(part)) - 1
        lines.append(f"{int(at == 0)} 1 {keep:x} {word:0{2 * width}x} {crc:08x}")
    (tmp_path / "v").write_text("\n".join(lines) + "\n")
    run = build(simulator, width, tmp_path)
    said = run(tmp_path / "v")
    assert f"{len(lines)} beats, 0 wrong" in said
    wrong = [*lines[:5], lines[5][:-1] + ("0" if lines[5][-1] != "0" else "1"), *lines[6:]]
    (tmp_path / "v").write_text("\n".join(wrong) + "\n")
    said = run(tmp_path / "v")
    assert "beat 6: expected" in said and ", 1 wrong" in said


def build(simulator, width, folder):
    sources = [RTL / "intgold_signature.sv", RTL / "tb" / "intgold_signature_tb.sv"]
    if simulator == "iverilog":
        subprocess.run(
            ["iverilog", "-g2012", f"-Pintgold_signature_tb.BYTES={width}", "-o", folder / "tb",
             *sources], check=True,
        )  # fmt: skip
        program = [folder / "tb"]
    else:
        subprocess.run(
            ["verilator", "--lint-only", "-Wall", f"-GBYTES={width}", sources[0]], check=True
        )
        subprocess.run(
            ["verilator", "--binary", "--timing", "-Wno-fatal", "-O0", "--CFLAGS", "-O0",
             f"-GBYTES={width}", *sources, "--top-module", "intgold_signature_tb",
             "-Mdir", folder / "made"], check=True, capture_output=True,
        )  # fmt: skip
        program = [folder / "made" / "Vintgold_signature_tb"]
    return lambda path: (
        subprocess.run(
            [*program, f"+vectors={path}"], check=True, capture_output=True, text=True
        ).stdout
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_block_is_synthesised(width, tmp_path):
    """32 flip-flops and gates: no latch, no loop, nothing left undriven."""
    tools.need("yosys")
    script = (
        f"read_verilog -sv {RTL / 'intgold_signature.sv'}; "
        f"chparam -set BYTES {width} intgold_signature; synth -top intgold_signature; "
        "check -assert; tee -o stat.txt stat"
    )
    subprocess.run(["yosys", "-q", "-p", script], check=True, cwd=tmp_path)
    cells = {
        words[0]: int(words[1])
        for words in map(str.split, (tmp_path / "stat.txt").read_text().splitlines())
        if len(words) == 2 and words[0].startswith("$_")
    }
    flops = sum(n for name, n in cells.items() if "DFF" in name)
    assert flops == 32 and not any("LATCH" in name for name in cells) and len(cells) > 2
