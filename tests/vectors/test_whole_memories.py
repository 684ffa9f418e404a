"""A whole memory in one file: the ROM of a set, the RAM that a device dumps."""

import hashlib
import io
import json
import shutil
import subprocess

import numpy as np
import pytest

import intgold
import tools
from intgold import LayoutError, VectorError
from intgold.cli import main
from intgold.support.safe_files import canonical_json
from intgold.vectors.formats import FORMATS
from intgold.vectors.formats.word_file import WordFile
from intgold.vectors.memory.layout_file import layout_document, read_layout
from intgold.vectors.sets.generate import merge_sets, write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.reader import read_entry
from intgold.vectors.sets.rom_files import rom_files
from intgold.verify.comparison import verify

WORDS = [name for name in FORMATS if name != "npy"]
ROM = """[memory.weights]
word_bits = 16
base = 0x1000
whole = true
[parameter]
memory = "weights"
alignment = 12
"""
RAM = """[memory.buffers]
word_bits = 32
base = 0x8000
{more}
[array."outputs/pool2"]
memory = "buffers"
order = "NCHW"
[array."outputs/conv3"]
memory = "buffers"
alignment = 5
[array."accumulators/conv3"]
memory = "buffers"
order = "NCHW"
"""
OPS = ["conv3"]


def layout_of(tmp_path, text):
    (tmp_path / "layout.toml").write_text(text)
    return read_layout(tmp_path / "layout.toml")


def rom_by_plain_loops(model, folder):
    """Every 16-bit word by its address, as the map has them."""
    memory = {}
    for row in json.loads((folder / "memory_map.json").read_text()):
        if row["role"] != "parameter":
            continue
        op, _, field = row["array"].removeprefix("parameters/").partition(".")
        value = next(o for o in model.ops if o.name == op)[field.partition(".")[0]]
        array = getattr(value, field.partition(".")[2]) if "." in field else value
        octets = array.astype(array.dtype.newbyteorder("<")).tobytes()
        octets += bytes(len(octets) % 2)
        for i in range(0, len(octets), 2):
            memory[row["address"] + i // 2] = octets[i] | octets[i + 1] << 8
        assert 0 <= row["words"] * 2 - len(octets) < 2 * row["banks"]
    return memory


@pytest.mark.parametrize("banks", [1, 4])
def test_the_rom_of_a_set(banks, tmp_path):
    """In every format each parameter is at its address, all other words are 0; a set is checked."""
    model = intgold.load()
    text = ROM.replace("whole = true", f"whole = true\nbanks = {banks}")
    layout = layout_of(tmp_path, text)
    write_set(model, tmp_path / "set", count=1, ops=["fc"], formats=list(FORMATS), layout=layout,
              backend="c")  # fmt: skip
    plan, files = read_manifest(tmp_path / "set")
    memory = rom_by_plain_loops(model, tmp_path / "set")
    assert len(memory) > 2500 and max(memory) >= len(memory) + 20, "there are gaps"
    found = rom_files(plan)
    assert len(found) == banks * len(WORDS)
    assert {f.path for f in found} == {f.path for f in files if f.role == "memory"}
    for file in found:
        data = (tmp_path / "set" / file.path).read_bytes()
        words = np.concatenate([*file.format.read(file.path, file.words, io.BytesIO(data))])
        got = [w[0] | w[1] << 8 for w in words.astype(int)]
        assert got == [memory.get(a * banks + file.bank, 0) for a in range(len(got))], file.path
        assert len(got) == -(-(max(memory) + 1) // banks)
    assert verify(tmp_path / "set", tmp_path / "set").equal


def test_a_changed_rom_is_refused(tmp_path):
    """By its digest; with a digest to match, by what the model demands."""
    model = intgold.load()
    write_set(model, tmp_path / "set", count=1, formats=["hex"], layout=layout_of(tmp_path, ROM),
              backend="c")  # fmt: skip
    path = tmp_path / "set" / "memory" / "weights.hex"
    lines = path.read_text().splitlines()
    lines[5] = f"{int(lines[5], 16) ^ 1:04x}"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(VectorError, match=r"memory/weights.hex: changed"):
        read_manifest(tmp_path / "set")
    manifest = tmp_path / "set" / "manifest.json"
    document = json.loads(manifest.read_bytes())
    del document["sha256"]
    (entry,) = [f for f in document["files"] if f["path"] == "memory/weights.hex"]
    entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    document["sha256"] = hashlib.sha256(canonical_json(document)).hexdigest()
    manifest.write_bytes(canonical_json(document))
    with pytest.raises(VectorError, match=r"memory/weights.hex is not what model.npz demands"):
        read_manifest(tmp_path / "set")


def test_shards_and_compression(tmp_path):
    """The whole of two shards is the single run, its ROM with it."""
    model, layout = intgold.load(), layout_of(tmp_path, ROM)
    arguments = dict(count=2, formats=["bin", "mif"], layout=layout, backend="c", compression="gz")
    write_set(model, tmp_path / "one", **arguments)
    for shard in (0, 1):
        write_set(model, tmp_path / f"s{shard}", shards=2, shard=shard, **arguments)
    merge_sets([tmp_path / "s0", tmp_path / "s1"], tmp_path / "all")
    path = "memory/weights.bin.gz"
    assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "all" / path).read_bytes()
    assert (tmp_path / "one/manifest.json").read_bytes() == (
        tmp_path / "all/manifest.json"
    ).read_bytes()


def test_several_files_into_one_memory(tmp_path):
    """$readmemh of each parameter's own file, by their addresses, makes the whole ROM."""
    tools.need("iverilog")
    model, layout = intgold.load(), layout_of(tmp_path, ROM)
    write_set(model, tmp_path / "set", count=1, formats=["hex", "memb"], layout=layout, backend="c")
    size = max(rom_by_plain_loops(model, tmp_path / "set")) + 1
    own = sorted((tmp_path / "set" / "parameters").iterdir())
    body = [f"for (i = 0; i < {size}; i = i + 1) begin a[i] = 0; b[i] = 0; end"]
    for path in own:
        load = "readmemh" if path.suffix == ".hex" else "readmemb"
        body.append(f'${load}("set/parameters/{path.name}", {"a" if load[-1] == "h" else "b"});')
    body += ['$readmemh("set/memory/weights.hex", c);', '$readmemb("set/memory/weights.memb", d);',
             f"for (i = 0; i < {size}; i = i + 1)",
             "if (a[i] !== c[i] || b[i] !== c[i] || c[i] !== d[i])",
             '  $display("differs at %0d", i);', '$display("done %h", c[12]);']  # fmt: skip
    (tmp_path / "tb.v").write_text(
        f"module tb;\nreg [15:0] a [0:{size - 1}], b [0:{size - 1}], c [0:{size - 1}], "
        f"d [0:{size - 1}];\ninteger i;\ninitial begin\n" + "\n".join(body) + "\nend\nendmodule\n"
    )
    subprocess.run(["iverilog", "-g2012", "-o", "tb", "tb.v"], cwd=tmp_path, check=True)
    out = subprocess.run(["./tb"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "differs" not in out and "WARNING" not in out and "done" in out


def test_addresses_of_parameters(tmp_path):
    """Written by default where several arrays share a memory; a layout may say yes or no to all."""
    model = intgold.load()
    for text, parameters, outputs in (
        (ROM, True, False),
        (ROM + "[files]\naddresses = false\n", False, False),
        (ROM + "[files]\naddresses = true\n", True, True),
        ("[output]\nword_bits = 16\n", False, False),
    ):  # fmt: skip
        layout = layout_of(tmp_path, text)
        assert "whole" not in text or layout_document(layout)["memory"]["weights"]["whole"] is True
        write_set(model, tmp_path / "set", count=1, ops=["fc"], formats=["hex"], layout=layout,
                  backend="c")  # fmt: skip
        for path, wanted in (("parameters/fc.weights", parameters), ("outputs/logits", outputs)):
            text = (tmp_path / "set" / f"{path}.hex").read_text()
            assert ("@" in text.replace("// ", "")) == wanted, path


# --- dumps ---------------------------------------------------------------------------------------


def ram_of(folder, plan, memory):
    """The memory's words by address, of every array in it, by the map."""
    content = {}
    for entry in plan.entries:
        block = plan.blocks[entry]
        if block.memory != memory or not entry.images:
            continue
        array = np.concatenate([*read_entry(folder, plan, entry)])
        words = block.packing.pack(array)
        for image, run in enumerate(words):
            for k, word in enumerate(run):
                content[block.address + image * block.frame + k] = word.tobytes()
    return content


def memory_file(name, size, banks=1, bank=0, base=0x8000):
    return WordFile(f"memory_{name}", "all of it", 32, 1, size // banks, "", (size // banks,),
                    base=0 if banks > 1 else base)  # fmt: skip


def write_ram(folder, form, content, size, banks=1, end=""):
    (folder / "memory").mkdir(parents=True, exist_ok=True)
    for bank in range(banks):
        file = memory_file("buffers", size, banks, bank)
        words = [content.get(a * banks + bank, b"\x5a\xa5\x01\x02") for a in range(size // banks)]
        array = np.frombuffer(b"".join(words), np.uint8).reshape(-1, 4)
        data = form.head(file) + form.body(file, array, 0) + form.tail(file)
        suffix = f".bank{bank}" if banks > 1 else ""
        (folder / "memory" / f"buffers{suffix}{form.suffix}{end}").write_bytes(data)


MEMORIES = ["", "size = 20000\nbanks = 4"]
DUMPED = [(MEMORIES[0], name) for name in WORDS]
DUMPED += [(MEMORIES[1], name) for name in ("bin", "hex", "coe", "mif", "ihex", "dec")]


@pytest.fixture(scope="module", params=MEMORIES)
def ram(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ram")
    layout = layout_of(folder, RAM.format(more=request.param))
    write_set(intgold.load(), folder / "set", count=2, ops=OPS, formats=["npy"], layout=layout,
              backend="c")  # fmt: skip
    plan, _ = read_manifest(folder / "set")
    content = ram_of(folder / "set", plan, "buffers")
    banks = dict(plan.layout.memories)["buffers"].banks
    ends = [b.address + b.frame + b.words for b in plan.blocks.values() if b.memory == "buffers"]
    size = 20000 if "size" in request.param else -(-max(ends) // banks) * banks
    return folder, plan, content, size, banks


@pytest.mark.parametrize(("ram", "name"), DUMPED, indirect=["ram"])
def test_a_dump_of_a_whole_memory(name, ram, tmp_path):
    """In every format: equal, whatever is in the words of no array; a wrong word is found there."""
    folder, plan, content, size, banks = ram
    form = FORMATS[name]
    write_ram(tmp_path, form, content, size, banks)
    report = verify(folder / "set", tmp_path)
    assert report.equal and report.comparisons[0].values > 5_000
    entry = next(e for e in plan.entries if e.path == "outputs/conv3")
    block = plan.blocks[entry]
    address = block.address + block.frame + 7
    word = bytearray(content[address])
    word[1] ^= 4
    write_ram(tmp_path, form, {**content, address: bytes(word)}, size, banks)
    report = verify(folder / "set", tmp_path)
    first = report.first
    assert not report.equal and (first.tensor, first.image) == ("conv3", 1)
    (spot,) = first.locations
    suffix = f".bank{address % banks}" if banks > 1 else ""
    assert (spot.file, spot.address) == (f"memory/buffers{suffix}{form.suffix}", address)
    number = int(spot.place.split()[1])
    data = (tmp_path / spot.file).read_bytes()
    if name == "bin":
        assert data[number : number + 4] == bytes(word)
    elif name in ("hex", "mem", "coe", "mif"):
        assert bytes(word)[::-1].hex() in data.decode().splitlines()[number - 1]


def test_a_cause_from_the_dump_of_a_memory(tmp_path, capsys):
    """A device whose maximum starts at 0, seen only through its RAM, is diagnosed."""
    layout = layout_of(tmp_path, RAM.format(more="").split('[array."outputs/conv3"]')[0])
    write_set(intgold.load(), tmp_path / "set", count=2, ops=["pool2"], formats=["npy"],
              layout=layout, backend="c")  # fmt: skip
    plan, _ = read_manifest(tmp_path / "set")
    (entry,) = [e for e in plan.entries if e.path == "outputs/pool2"]
    y = np.maximum(np.concatenate([*read_entry(tmp_path / "set", plan, entry)]), 0)
    (block,) = [b for b in plan.blocks.values() if b.memory == "buffers"]
    words = block.packing.pack(y).reshape(-1, 4)
    content = {block.address + i: w.tobytes() for i, w in enumerate(words)}
    write_ram(tmp_path / "dump", FORMATS["mem"], content, len(content))
    given = ["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "dump"), "--partial"]
    assert main(given) == 1
    out = capsys.readouterr().out
    assert "maximum_from_0" in out and "in the dump: memory/buffers.mem line 3, address 0x0" in out


@pytest.mark.parametrize("ram", MEMORIES[:1], indirect=True)
def test_what_a_dump_of_a_memory_lacks(ram, tmp_path, capsys):
    """Arrays of which no word is there are not in the dump; of which a word is missing, named."""
    folder, plan, content, *_ = ram
    entry = next(e for e in plan.entries if e.path == "outputs/conv3")
    block = plan.blocks[entry]
    inside = [a for a in sorted(content) if (a - block.address) % block.frame < block.words]
    assert len(inside) == 2 * block.words
    (tmp_path / "memory").mkdir()
    rows = [f"@{a:x} {content[a][::-1].hex()}\n" for a in inside]
    (tmp_path / "memory" / "buffers.hex").write_text("".join(rows))
    with pytest.raises(VectorError, match="2 of 3 arrays are not in the dump"):
        verify(folder / "set", tmp_path)
    report = verify(folder / "set", tmp_path, partial=True)
    compared = {c.tensor: c.values for c in report.comparisons if c.values}
    assert compared == {"conv3": 2 * np.prod(entry.shape)} and report.equal
    (tmp_path / "memory" / "buffers.hex").write_text("".join(rows[:-1]))
    with pytest.raises(VectorError, match=rf"conv3, .*address 0x{inside[-1]:x}\): missing"):
        verify(folder / "set", tmp_path, partial=True)
    everything = [
        f"@{a:x} {content[a][::-1].hex() if a in inside else 'xxxxxxxx'}\n"
        for a in range(max(content) + 1)
    ]
    (tmp_path / "memory" / "buffers.hex").write_text("".join(everything))
    assert verify(folder / "set", tmp_path, partial=True).equal
    everything[inside[3]] = f"@{inside[3]:x} 0000xxxx\n"
    (tmp_path / "memory" / "buffers.hex").write_text("".join(everything))
    with pytest.raises(
        VectorError,
        match=rf"line {inside[3] + 1}: outputs/conv3, image 0, h 0, w 0, c 12 "
        rf"\(word 3, address 0x{inside[3]:x}\): undefined",
    ):
        verify(folder / "set", tmp_path, partial=True)
    assert main(["verify", str(folder / "set"), "--dut", str(tmp_path), "--partial"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_files_of_a_memory_that_would_be_passed_over(ram, tmp_path):
    """Are refused by name: no such memory, a bank too few."""
    folder, _plan, content, size, banks = ram
    form = FORMATS["hex"]
    write_ram(tmp_path / "a", form, content, size, banks)
    (tmp_path / "a" / "memory" / "other.hex").write_text("00\n")
    with pytest.raises(VectorError, match="memory/other.hex: the layout has no such memory"):
        verify(folder / "set", tmp_path / "a")
    if banks > 1:
        write_ram(tmp_path / "c", form, content, size, banks)
        (tmp_path / "c" / "memory" / "buffers.bank2.hex").unlink()
        with pytest.raises(VectorError, match="buffers.bank2.hex: this bank is not in the dump"):
            verify(folder / "set", tmp_path / "c")


@pytest.mark.parametrize("form", ["hex", "bin", "mif", "ihex"])
def test_a_memory_beside_files_of_the_arrays(form, ram, tmp_path):
    """Both are read: equal where they agree; a wrong word of any array in either is an error."""
    folder, plan, content, size, banks = ram
    dump, form = tmp_path / "dump", FORMATS[form]
    shutil.copytree(folder / "set", dump)
    write_ram(dump, form, content, size, banks)
    assert verify(folder / "set", dump).equal
    results = [e for e in plan.entries if plan.blocks[e].memory == "buffers" and e.images]
    assert len(results) == 3
    for entry in results:
        block = plan.blocks[entry]
        for address in (block.address, block.address + block.frame + block.words - 1):
            word = bytearray(content[address])
            word[0] ^= 1
            write_ram(dump, form, {**content, address: bytes(word)}, size, banks)
            with pytest.raises(VectorError, match=f"say different things about {entry.path}"):
                verify(folder / "set", dump)
        write_ram(dump, form, content, size, banks)
        path = dump / f"{entry.path}.npy"
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(VectorError, match=f"say different things about {entry.path}"):
            verify(folder / "set", dump)
        path.write_bytes(data)


def test_a_wrong_memory_beside_a_right_file(tmp_path, capsys):
    """The command ends in one line with status 2, not in "all equal"."""
    layout = layout_of(tmp_path, RAM.format(more=""))
    write_set(intgold.load(), tmp_path / "set", count=1, ops=OPS, formats=["hex"], layout=layout,
              backend="c")  # fmt: skip
    plan, _ = read_manifest(tmp_path / "set")
    content = ram_of(tmp_path / "set", plan, "buffers")
    block = next(b for e, b in plan.blocks.items() if e.path == "outputs/conv3")
    content[block.address] = bytes(b ^ 1 for b in content[block.address])
    dump = tmp_path / "dump"
    (dump / "outputs").mkdir(parents=True)
    shutil.copy(tmp_path / "set" / "outputs" / "conv3.hex", dump / "outputs")
    write_ram(dump, FORMATS["hex"], content, max(content) + 1)
    assert main(["verify", str(tmp_path / "set"), "--dut", str(dump), "--partial"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "memory/buffers.hex and outputs/conv3.hex say different" in err


@pytest.mark.parametrize("banks", [1, 4])
def test_a_memory_of_parameters_and_results(banks, tmp_path):
    """A set with its ROM is a dump of itself in every format; a dump that goes on is compared."""
    text = ROM.replace("whole = true", f"whole = true\nbanks = {banks}")
    text += '[output]\nmemory = "weights"\n[accumulator]\nmemory = "weights"\n'
    write_set(intgold.load(), tmp_path / "set", count=1, ops=OPS, formats=list(FORMATS),
              layout=layout_of(tmp_path, text), backend="c")  # fmt: skip
    plan, _ = read_manifest(tmp_path / "set")
    roms = [f for f in rom_files(plan) if f.bank == 0]
    (first,) = [b.address for e, b in plan.blocks.items() if e.path == "outputs/pool2"]
    assert len(roms) == len(WORDS)
    assert verify(tmp_path / "set", tmp_path / "set").equal
    shutil.copytree(tmp_path / "set", tmp_path / "dump")
    (path,) = [f.path for f in roms if f.format is FORMATS["hex"]]
    with open(tmp_path / "dump" / path, "a") as stream:
        stream.write(f"@{first // banks:x} 1234\n")
    with pytest.raises(VectorError, match=path.replace(".", r"\.")):
        verify(tmp_path / "set", tmp_path / "dump")


@pytest.mark.parametrize("name", ["bin", "hex", "coe", "dec"])
def test_more_words_than_the_memory(name, ram, tmp_path):
    """Are refused: the file is of another memory."""
    folder, _, content, size, banks = ram
    write_ram(tmp_path, FORMATS[name], content, size + banks, banks)
    with pytest.raises(VectorError, match="beyond the|more bytes than"):
        verify(folder / "set", tmp_path)


def test_layouts_of_whole_memories_that_are_none(tmp_path):
    """Each wrong use is named."""
    model = intgold.load()
    for text, formats, message in (
        (ROM.replace("true", "1"), ["hex"], "memory.weights: whole 1 is neither true nor false"),
        (RAM.format(more="whole = true"), ["hex"], "memory buffers: whole, but no parameter"),
        (ROM, ["npy"], "memory weights: whole needs a format of words, not npy"),
    ):
        with pytest.raises(LayoutError, match=message):
            write_set(model, tmp_path / "set", count=1, formats=formats,
                      layout=layout_of(tmp_path, text), backend="c")  # fmt: skip
    assert not (tmp_path / "set").exists()
