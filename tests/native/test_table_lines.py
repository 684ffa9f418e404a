"""Tables that are straight lines: found often, and never where an entry is off the line."""

import subprocess

import tools
from compilers import ENGINE, ROOT


def test_lines_give_every_entry_of_their_table(tmp_path, full):
    """tests/c/table_lines_check.c: tables as engines round them, some with a wrong entry."""
    tools.need("gcc")
    program, tables = tmp_path / "table_lines_check", 1_000_000 if full else 10_000
    sources = [ROOT / "tests/c/table_lines_check.c", ENGINE / "ops/table_lines.c"]
    command = ["gcc", "-O2", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I", ENGINE]
    subprocess.run([*command, "-o", program, *sources], check=True)
    told = subprocess.run([program, str(tables)], check=True, capture_output=True, text=True).stdout
    straight, bent, damaged = ([int(n) for n in line.split()] for line in told.splitlines())
    for made, found, wrong in (straight, bent, damaged):
        assert made == tables and wrong == 0 and found <= tables, told
    assert straight[1] > 0.9 * tables and bent[1] > 0.8 * tables, told
    assert damaged[1] < 0.02 * tables, told
    tools.said.append(
        f"tables that are lines: {straight[1]:,} and, as the larger of two, {bent[1]:,} "
        f"of {tables:,} found, 0 entries differ"
    )
