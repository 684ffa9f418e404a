"""Readers that are not ours: Icarus, Verilator, gcc, srec_cat and objcopy take what is written."""

import io
import subprocess

import numpy as np
import pytest

import intgold
import tools
from intgold.vectors.formats import FORMATS
from intgold.vectors.memory.layout import Layout
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.sv_package import read_package
from word_files import some_words, word_file, written

WIDTHS = (8, 36, 128, 1024)
LOADED = [(name, bits, gap) for name in ("hex", "memb", "mem") for bits in WIDTHS for gap in (0, 5)]


def run(*command, cwd):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


def weighted(values, modulus):
    """An order-sensitive checksum: h = 31*h + word."""
    total = 0
    for value in values:
        total = (31 * total + value) % modulus
    return total


def write_bench(folder):
    """One module that loads every file, prints a checksum, and writes what it holds."""
    lines, wanted = ["module tb;"], []
    body = []
    for i, (name, bits, gap) in enumerate(LOADED):
        form, file = FORMATS[name], word_file(None, bits, gap, addresses=True, comments="images")
        words = some_words(file, i)
        (folder / f"{i}.txt").write_bytes(written(form, file, words))
        lines.append(f"  reg [{bits - 1}:0] m{i} [0:{file.end - 1}]; reg [{bits - 1}:0] h{i};")
        load = "readmemb" if name == "memb" else "readmemh"
        save = load.replace("read", "write")
        body.append(f'    ${load}("{i}.txt", m{i}); h{i} = 0;')
        at = [file.address_of(w) for w in range(file.words)]
        for run_start in at[:: file.run]:
            body.append(
                f"    for (i = {run_start}; i < {run_start + file.run}; i = i + 1) "
                f"h{i} = (h{i} << 5) - h{i} + m{i}[i];"
            )
        body.append(f'    $display("%0d %h", {i}, h{i});')
        if not gap:
            body.append(f'    ${save}("{i}.out", m{i}, {at[0]}, {at[-1]});')
        integers = [int.from_bytes(w.tobytes(), "little") for w in words]
        wanted.append((i, weighted(integers, 2**bits)))
    text = [*lines, "  integer i;", "  initial begin", *body, "    $finish;", "  end", "endmodule"]
    (folder / "tb.v").write_text("\n".join(text) + "\n")
    return wanted


@pytest.mark.parametrize("simulator", ["iverilog", "verilator"])
def test_simulators_load_and_write(simulator, tmp_path):
    """Every word arrives, with addresses, gaps and comments; what $writemem writes is read."""
    tools.need(simulator)
    wanted = write_bench(tmp_path)
    if simulator == "iverilog":
        run("iverilog", "-g2012", "-o", "tb", "tb.v", cwd=tmp_path)
        out = run("./tb", cwd=tmp_path)
    else:
        run("verilator", "--binary", "-Wno-fatal", "-O0", "--CFLAGS", "-O0", "tb.v", "--top-module",
            "tb", "-Mdir", "made", cwd=tmp_path)  # fmt: skip
        out = run("made/Vtb", cwd=tmp_path)
    found = [tuple(line.split()) for line in out.splitlines() if line[:1].isdigit()]
    assert [(int(i), int(h, 16)) for i, h in found if len(h) > 1] == wanted
    written_back = 0
    for i, (name, bits, gap) in enumerate(LOADED):
        if not gap:
            file = word_file(None, bits)
            data = (tmp_path / f"{i}.out").read_bytes()
            parts = list(FORMATS[name].read("out", file, io.BytesIO(data)))
            assert np.array_equal(np.concatenate(parts), some_words(file, i)), (name, bits)
            written_back += 1
    assert written_back == 12


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_headers_compile(compiler, tmp_path):
    """Strictly, as C99 and as C++; every byte of every array is the word's."""
    tools.need(compiler)
    lines, wanted = [], b""
    for bits in (8, 16, 18, 32, 36, 64, 72, 1024):
        for sign in (True, False) if bits in (8, 16, 32) else (False,):
            file = word_file(None, bits)
            name = f"a{bits}{'s' * sign}"
            file = type(file)(**{**vars(file), "name": name, "signed": sign})
            words = some_words(file, bits)
            (tmp_path / f"{name}.h").write_bytes(written(FORMATS["c"], file, words))
            lines.append((name, file))
            wide = next((b // 8 for b in (8, 16, 32, 64) if bits <= b), file.word_bytes)
            full = np.zeros((file.words, wide), np.uint8)
            full[:, : file.word_bytes] = words
            wanted += full.tobytes()
    source = "".join(f'#include "{name}.h"\n' for name, _ in lines) + "#include <stdio.h>\n"
    source += "int main(void) {\n"
    for name, _ in lines:
        u = name.upper()
        source += f"  static const int shape_{name}[{u}_RANK] = {u}_SHAPE;\n"
        source += f"  if (sizeof {name} / sizeof {name}[0] != {u}_WORDS) return 1;\n"
        source += f"  if (shape_{name}[0] * shape_{name}[1] != {u}_COUNT * {u}_RUN) return 1;\n"
        source += f"  if (((uintptr_t){name} & 63) != 0 || {u}_ADDRESS != 3) return 1;\n"
        source += f"  fwrite({name}, 1, sizeof {name}, stdout);\n"
    (tmp_path / "main.c").write_text(source + "  return 0;\n}\n")
    standard = "-std=c99" if compiler == "gcc" else "-std=c++11"
    run(compiler, standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "main.c", "-o", "main",
        cwd=tmp_path)  # fmt: skip
    out = subprocess.run([tmp_path / "main"], check=True, capture_output=True).stdout
    assert out == wanted


@pytest.mark.parametrize("bits", WIDTHS)
def test_intel_hex_by_other_tools(bits, tmp_path):
    """srec_cat and objcopy give the bytes of bin; what they write is read."""
    tools.need("srec_cat"), tools.need("objcopy")
    form, file = FORMATS["ihex"], word_file(None, bits, base=0x1FF80)
    words = some_words(file)
    (tmp_path / "a.ihex").write_bytes(written(form, file, words))
    start = file.base + file.address * file.word_bytes
    run("srec_cat", "a.ihex", "-intel", "-offset", f"-{start}", "-o", "a.bin", "-binary",
        cwd=tmp_path)  # fmt: skip
    run("objcopy", "-I", "ihex", "-O", "binary", "a.ihex", "b.bin", cwd=tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes() == words.tobytes()
    run(
        "srec_cat",
        "a.bin",
        "-binary",
        "-offset",
        str(start),
        "-o",
        "c.ihex",
        "-intel",
        cwd=tmp_path,
    )
    run("objcopy", "-I", "binary", "-O", "ihex", f"--change-addresses={start}", "a.bin", "d.ihex",
        cwd=tmp_path)  # fmt: skip
    for name in ("c.ihex", "d.ihex"):
        data = (tmp_path / name).read_bytes()
        assert np.array_equal(np.concatenate([*form.read(name, file, io.BytesIO(data))]), words)


def test_mif_by_srec_cat(tmp_path):
    """srec_cat reads our MIF, and we read its own (eight bits, from address 0)."""
    tools.need("srec_cat")
    plain = word_file(None, 8)
    file = type(plain)(**{**vars(plain), "address": 0, "base": 0})
    words = some_words(file)
    (tmp_path / "a.mif").write_bytes(written(FORMATS["mif"], file, words))
    run("srec_cat", "a.mif", "-mif", "-o", "a.bin", "-binary", cwd=tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == words.tobytes()
    run("srec_cat", "a.bin", "-binary", "-o", "b.mif", "-mif", "8", cwd=tmp_path)
    data = (tmp_path / "b.mif").read_bytes()
    parts = [*FORMATS["mif"].read("b.mif", file, io.BytesIO(data))]
    assert np.array_equal(np.concatenate(parts), words)


PRINTED = [("h", "hex"), ("x", "hex"), ("0h", "hex"), ("b", "memb"), ("d", "dec"), ("0d", "dec")]


@pytest.mark.parametrize("simulator", ["iverilog", "verilator"])
def test_what_simulators_print_is_read(simulator, tmp_path):
    """$fdisplay of signed and unsigned registers and of integers, $writememh of a part."""
    tools.need(simulator)
    file = word_file(None, 8)
    words = some_words(file)
    (tmp_path / "a.hex").write_bytes(written(FORMATS["hex"], file, words))
    body, wanted = ['$readmemh("a.hex", m);'], []
    for how, name in PRINTED:
        for register in ("s", "u", "i"):
            if (how, register) == ("b", "i"):
                continue  # 32 digits of an integer: as sign-extended as the others
            path = f"{how}_{register}.{name}"
            body += [f'f = $fopen("{path}", "w");', "for (k = 0; k < 28; k = k + 1) begin",
                     f'  s = m[k]; u = m[k]; i = s; $fdisplay(f, "%{how}", {register});',
                     "end", "$fclose(f);"]  # fmt: skip
            wanted.append((path, name))
    body.append('$writememh("part.hex", m, 0, 27);')
    wanted.append(("part.hex", "hex"))
    declared = "reg [7:0] m [0:63]; reg signed [7:0] s; reg [7:0] u; integer i, k, f;"
    text = "\n".join(
        ["module tb;", declared, "initial begin", *body, "$finish;", "end", "endmodule"]
    )
    (tmp_path / "tb.v").write_text(text + "\n")
    if simulator == "iverilog":
        run("iverilog", "-g2012", "-o", "tb", "tb.v", cwd=tmp_path)
        run("./tb", cwd=tmp_path)
    else:
        run("verilator", "--binary", "-Wno-fatal", "-O0", "--CFLAGS", "-O0", "tb.v", "--top-module",
            "tb", "-Mdir", "made", cwd=tmp_path)  # fmt: skip
        run("made/Vtb", cwd=tmp_path)
    texts = set()
    for path, name in wanted:
        data = (tmp_path / path).read_bytes()
        parts = [*FORMATS[name].read(path, file, io.BytesIO(data))]
        assert np.array_equal(np.concatenate(parts), words), (path, data[:40])
        texts.add(data)
    assert len(texts) >= 8, "the forms must differ"


def test_what_srecord_and_binutils_print_is_read(tmp_path):
    """Verilog, Lattice, Xilinx, Intel and C files of one binary file."""
    tools.need("srec_cat"), tools.need("objcopy")
    plain = word_file(None, 8)
    # Its coefficients go no further than 24 bytes ("a hole in the data").
    file = type(plain)(**{**vars(plain), "address": 0, "base": 0, "run": 5, "step": 5})
    words = some_words(file)
    (tmp_path / "a.bin").write_bytes(words.tobytes())
    given = ["srec_cat", "a.bin", "-binary", "-o"]
    wanted = {"a.vmem": "hex", "a.lattice": "mem", "a.coe": "coe", "a.mif": "mif", "a.hex": "ihex",
              "a.c": "c", "a.v": "hex"}  # fmt: skip
    run(*given, "a.vmem", "-vmem", "8", cwd=tmp_path)
    run(*given, "a.lattice", "-mem", "8", cwd=tmp_path)
    run(*given, "a.coe", "-coe", "8", cwd=tmp_path)
    run(*given, "a.mif", "-mif", "8", cwd=tmp_path)
    run(*given, "a.hex", "-intel", cwd=tmp_path)
    run(*given, "a.c", "-c-array", "outputs_x", cwd=tmp_path)
    run("objcopy", "-I", "binary", "-O", "verilog", "a.bin", "a.v", cwd=tmp_path)
    for path, name in wanted.items():
        data = (tmp_path / path).read_bytes()
        parts = [*FORMATS[name].read(path, file, io.BytesIO(data))]
        assert np.array_equal(np.concatenate(parts), words), data


@pytest.mark.parametrize("form", ["%.18e", "%d", "%6d", "%.1f", "%+d", "%g"])
@pytest.mark.parametrize("mark", [" ", ",", ";", "\t", ", "])
@pytest.mark.parametrize("title", ["", "an array"])
def test_what_numpy_savetxt_writes_is_read(form, mark, title, tmp_path):
    """By image, by value; of 8 and of 32 bits."""
    for bits in (8, 32):
        file = word_file(None, bits)
        words = some_words(file, bits)
        if form == "%g" and bits == 32:  # six digits: no longer the values
            continue
        array = words.copy().view(f"<i{bits // 8}")
        for shape in ((4, 7), (28, 1)):
            np.savetxt(tmp_path / "a", array.reshape(shape), form, delimiter=mark, header=title)
            data = (tmp_path / "a").read_bytes()
            for name in ("dec", "csv"):
                parts = [*FORMATS[name].read("a", file, io.BytesIO(data))]
                assert np.array_equal(np.concatenate(parts), words), data[:60]


def test_decimal_text_by_numpy():
    """What is written is read by numpy.loadtxt and numpy.genfromtxt."""
    for bits in (8, 16, 32):
        for name, mark in (("dec", None), ("csv", ",")):
            file = word_file(None, bits, comments="images")
            words = some_words(file, bits)
            text = written(FORMATS[name], file, words).decode()
            wanted = words.copy().view(f"<i{bits // 8}").reshape(4, 7)
            for load in (np.loadtxt, np.genfromtxt):
                found = load(io.StringIO(text), np.int64, delimiter=mark)
                assert np.array_equal(found.reshape(4, 7), wanted)
                assert name == "dec" or found.shape == (4, 7)


@pytest.mark.parametrize("simulator", ["iverilog", "verilator"])
def test_the_package_elaborates(simulator, tmp_path):
    """A set's package and map in a simulator: fields, arrays and files are the model's."""
    tools.need(simulator)
    model = intgold.load()
    wide = Layout(rules=(("output", (("word_bits", 64),)),))
    write_set(model, tmp_path / "set", count=1, formats=["sv", "hex"], layout=wide, backend="c")
    text = (tmp_path / "set" / "vectors_pkg.sv").read_text()
    told = read_package(text)
    conv = model.ops[0]
    multipliers = [int(m) for m in conv["requantize"].multiplier]
    assert told["PARAMETERS_CONV1_REQUANTIZE_MULTIPLIER"] == multipliers
    assert told["CONV1_PAD_TOP"] == conv["padding"][0] and told["IMAGES"] == 1
    assert told["OUTPUTS_CONV1_FILE"] == "outputs/conv1.hex"
    (tmp_path / "set" / "tb.sv").write_text(
        """module tb;
  import vectors_pkg::*;
  import memory_map_pkg::*;
  logic [OUTPUTS_CONV1_WORD_BITS-1:0] y [0:OUTPUTS_CONV1_WORDS-1];
  integer i, sum;
  initial begin
    for (i = 0; i < PARAMETERS_CONV1_REQUANTIZE_MULTIPLIER_DIM_O; i = i + 1)
      $display("m %0d", PARAMETERS_CONV1_REQUANTIZE_MULTIPLIER[i*32 +: 32]);
    $readmemh(OUTPUTS_CONV1_FILE, y);
    sum = 0;
    for (i = 0; i < OUTPUTS_CONV1_WORDS; i = i + 1) sum = sum * 31 + y[i][15:8];
    $display("s %0d", sum);
    $display("a %0d %0d", MAP_OUTPUTS_CONV1_ADDRESS, OUTPUTS_CONV1_ADDRESS);
    $finish;
  end
endmodule
"""
    )
    files = ["vectors_pkg.sv", "memory_map_pkg.sv", "tb.sv"]
    folder = tmp_path / "set"
    if simulator == "iverilog":
        run("iverilog", "-g2012", "-o", "tb", *files, cwd=folder)
        out = run("./tb", cwd=folder)
    else:
        (folder / "use_it.sv").write_text(
            "module use_it;\n  import vectors_pkg::*;\n  import memory_map_pkg::*;\n"
            '  initial $display("%0d %0d", IMAGES, MAP_OUTPUTS_CONV1_FRAME);\nendmodule\n'
        )
        run("verilator", "--lint-only", "-Wall", *files[:2], "use_it.sv", cwd=folder)
        run("verilator", "--binary", "-Wno-fatal", "-O0", "--CFLAGS", "-O0", *files, "--top-module",
            "tb", "-Mdir", "made", cwd=folder)  # fmt: skip
        out = run("made/Vtb", cwd=folder)
    lines = [line.split() for line in out.splitlines()]
    assert [int(w[1]) for w in lines if w[:1] == ["m"]] == multipliers
    assert [w[1:] for w in lines if w[:1] == ["a"]] == [["0", "0"]]
    y = model.run(intgold.vectors.cases.stimulus.stimulus(model, "builtin", 1), trace=True).tensors
    total = weighted([int(v) & 255 for v in y["conv1"].reshape(-1, 8)[:, 1]], 2**32)
    assert [int(w[1]) % 2**32 for w in lines if w[:1] == ["s"]] == [total]


def test_the_c_table_of_a_set(tmp_path):
    """vectors.c with every header of a set: names, sizes, and every byte of the accumulators."""
    tools.need("gcc")
    model = intgold.load()
    one = Layout(rules=(("parameter", (("alignment", 4),)),))
    write_set(model, tmp_path / "set", count=2, formats=["c"], backend="c", ops=["conv1", "fc"],
              layout=one)  # fmt: skip
    (tmp_path / "set" / "main.c").write_text(
        '#include "vectors.h"\n#include "memory_map.h"\n'
        '#include "parameters/conv1.bias.h"\n#include <stdio.h>\n#include <string.h>\n'
        "int main(void) {\n  for (size_t i = 0; i < golden_vector_count; ++i)\n"
        '    if (strncmp(golden_vectors[i].name, "accumulators/", 13) == 0)\n'
        "      fwrite(golden_vectors[i].data, golden_vectors[i].element_bytes,\n"
        "             golden_vectors[i].words, stdout);\n"
        "  return MAP_PARAMETERS_CONV1_BIAS_ADDRESS != PARAMETERS_CONV1_BIAS_ADDRESS ||\n"
        "         parameters_conv1_bias[0] == 0;\n}\n"
    )
    run("gcc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "main.c", "vectors.c", "-o",
        "main", cwd=tmp_path / "set")  # fmt: skip
    out = subprocess.run([tmp_path / "set" / "main"], check=True, capture_output=True).stdout
    x = intgold.vectors.cases.stimulus.stimulus(model, "builtin", 2)
    accumulators = model.run(x, trace=True).accumulators
    assert out == accumulators["conv1"].tobytes() + accumulators["logits"].tobytes()
