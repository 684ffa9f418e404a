"""softmax_float32 in integers is the float32 arithmetic of a CPU (SPEC 5.17)."""

import subprocess

import tools
from compilers import ENGINE, ROOT


def test_c_is_float32_arithmetic(tmp_path, full):
    """tests/c/softmax_float32_check.c: random rows and tables, both forms; sums and products."""
    tools.need("gcc")
    program, rows = tmp_path / "softmax_float32_check", 10_000_000 if full else 300_000
    parts = ["ops/softmax_float32.c", "arithmetic/float32_value.c"]
    sources = [ROOT / "tests/c/softmax_float32_check.c", *(ENGINE / part for part in parts)]
    command = ["gcc", "-O2", "-std=c99", "-ffp-contract=off", "-Wall", "-Werror", "-I", ENGINE]
    subprocess.run([*command, "-o", program, *sources, "-lm"], check=True)
    told = subprocess.run([program, str(rows)], check=True, capture_output=True, text=True).stdout
    compared, differing, sums, wrong_sums = map(int, told.split())
    assert compared > 50 * rows and sums == 2 * rows and differing == wrong_sums == 0, told
    tools.said.append(f"softmax_float32: {compared:,} values of float32 hardware, 0 differ")
