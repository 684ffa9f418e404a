"""Tables that are straight lines: found often, and never where an entry is off the line."""

import subprocess

import tools
from compilers import ENGINE, ROOT


def test_a_line_gives_every_entry_of_its_table(tmp_path, full):
    """tests/c/table_line_check.c: tables as engines round them, some with a wrong entry."""
    tools.need("gcc")
    program, tables = tmp_path / "table_line_check", 1_000_000 if full else 10_000
    sources = [ROOT / "tests/c/table_line_check.c", ENGINE / "ops/table_line.c"]
    command = ["gcc", "-O2", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I", ENGINE]
    subprocess.run([*command, "-o", program, *sources], check=True)
    told = subprocess.run([program, str(tables)], check=True, capture_output=True, text=True).stdout
    (made, found, wrong), damaged = ([int(n) for n in line.split()] for line in told.splitlines())
    assert made == damaged[0] == tables and wrong == damaged[2] == 0, told
    assert found > 0.9 * tables and damaged[1] < 0.02 * tables, told
    tools.said.append(f"tables that are lines: {found:,} of {tables:,} found, 0 entries differ")
