"""The engine for a processor without an operating system, as docs/embedded.md says."""

import re
import subprocess

import pytest

import tools
from compilers import ENGINE, ROOT, sources

TARGETS = {
    "Cortex-M4": ["--target=arm-none-eabi", "-mcpu=cortex-m4"],
    "Cortex-M0": ["--target=arm-none-eabi", "-mcpu=cortex-m0"],
    "RV32IMC": ["--target=riscv32-unknown-elf", "-march=rv32imc", "-mabi=ilp32"],
}
STRING_H = """#include <stddef.h>
void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
"""
"""All of <string.h> that is needed."""
HELPERS = re.compile(
    r"memcpy|memset|__aeabi_(memclr4?|memcpy4?|u?l?i?divmod|u?idiv|lmul|l[al]s[lr]|llsl|llsr|lasr)|__u?divdi3"
)


@pytest.mark.parametrize("target", TARGETS)
def test_all_files_build_and_link_without_a_system(target, tmp_path):
    """Freestanding, every file of csrc/ with only that <string.h>: nothing else is missing, no byte
    is writable, and the code has the size of the page.
    """
    tools.need("clang")
    tools.need("nm")
    (tmp_path / "string.h").write_text(STRING_H)
    strict = ["-std=c99", "-Os", "-ffreestanding", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    command = ["clang", *TARGETS[target], *strict, "-nostdlibinc", "-I", tmp_path, "-I", ENGINE]
    subprocess.run([*command, "-c", *sources()], check=True, cwd=tmp_path)
    listed = subprocess.run(
        ["nm", *(f"{p.stem}.o" for p in sources())],
        check=True, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    rows = re.findall(r"^[ 0-9a-f]* (\w) (\w+)$", listed.stdout, re.M)
    defined = {name for kind, name in rows if kind == "T" or kind == "R"}
    missing = {name for kind, name in rows if kind == "U"} - defined
    assert "intgold_dispatch" in defined and "memcpy" in missing
    assert [name for name in missing if not HELPERS.fullmatch(name)] == []
    assert not {kind for kind, _ in rows} & set("BbDdC")
    page = (ROOT / "docs/embedded.md").read_text()
    (stated,) = re.findall(r"(\d+) to (\d+) kB of flash", page)
    low, high = map(int, stated)
    assert low - 3 < _flash(tmp_path) / 1000 < high + 3  # compilers differ a little
    (checks,) = re.findall(r"(\d+) kB of it are the checks", page)
    assert abs(_flash(tmp_path, *CHECKS) / 1000 - int(checks)) < 1.5


CHECKS = ("validate.o", "op_rules.o", "members.o", "prove.o")


def _flash(folder, *names):
    """Bytes of code and constants of objects of a folder, of all where none is named."""
    objects = [folder / name for name in names] or sorted(folder.glob("*.o"))
    listed = subprocess.run(["size", "-t", *objects], check=True, capture_output=True, text=True)
    text, data, bss = map(int, listed.stdout.splitlines()[-1].split()[:3])
    assert data == bss == 0
    return text
