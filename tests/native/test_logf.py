"""The logarithm of log_softmax_float32 is that of the C library (SPEC 5.27.1)."""

import platform
import subprocess

import numpy as np
import pytest

import slow_oracle
import tools
from compilers import ENGINE, ROOT
from intgold.golden import float32_values

_ONE, _LAST = 127 << 23, (127 + 24) << 23


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="logf of another C library")
def test_c_has_the_logarithm_of_the_c_library(tmp_path, full):
    """tests/c/logf_check.c: of every 13th float32 from 1 to 2^24; `--full`: of every one."""
    tools.need("gcc")
    program, step = tmp_path / "logf_check", 1 if full else 13
    sources = [ROOT / "tests/c/logf_check.c", ENGINE / "arithmetic/float32_value.c"]
    command = ["gcc", "-O2", "-std=c99", "-ffp-contract=off", "-Wall", "-Werror", "-I", ENGINE]
    subprocess.run([*command, "-o", program, *sources, "-lm"], check=True)
    told = subprocess.run([program, str(step)], check=True, capture_output=True, text=True).stdout
    compared, differing = map(int, told.split()[:2])
    assert compared == -(-(_LAST - _ONE) // step) + 1 and differing == 0, told
    tools.said.append(f"logf: {compared:,} float32 compared with the C library, {differing} differ")


def test_golden_has_the_logarithm_of_the_clause():
    """Of random values in every binade, of the ends of all intervals, and of a carry to 2^24."""
    rng = np.random.default_rng(3)
    starts = [
        _ONE + (k << 23) + (0x330000 + (i << 19)) % 2**23 for k in range(24) for i in range(16)
    ]
    near = [s + d for s in starts for d in (-1, 0, 1)]
    bits = np.array([_ONE, _LAST, *near, *rng.integers(_ONE, _LAST, 4000)], np.int64)
    significand, exponent = float32_values.unpacked(bits)
    carried = np.append(significand, 2**24), np.append(exponent, 149)
    made = [
        int(s) * 2 ** int(e + 58) for s, e in zip(*float32_values.log_float32(carried), strict=True)
    ]
    pairs = zip(*(part.tolist() for part in carried), strict=True)
    assert made == [slow_oracle.logf(s * 2**e) * 2**58 for s, e in pairs]
