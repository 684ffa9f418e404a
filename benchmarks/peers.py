"""The shipped network through other engines and through intgold, one core each, in turns.

`lut` is the network of README (SELU, GELU, 1,863,104 multiply-adds an image), `relu` its sibling
with ReLU in their place.  Each engine runs in a process of its own, pinned to one core and told
to use one thread.  Before anything is timed its answers are held against the float network:
where less than 95 % of the classes agree it does not count.  Every round asks each in turn; a
figure is the median of the rounds.  The environment of the others, out/peers/venv, is made of the
extra `bench` in pyproject.toml.

examples:
  python benchmarks/peers.py
  python benchmarks/peers.py --only XNNPACK intgold --rounds 15
  python benchmarks/peers.py --markdown --json out/peers/peers.json
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import peer_lib
from peers.network import Data, Layer, Network

import intgold
from intgold import native
from intgold.errors import DataError
from intgold.images.mnist import load_mnist
from intgold.quantize.shipped import load_network
from intgold.run.environment import cpu
from intgold.support.progress import Progress
from intgold.vectors.cases.stimulus import stimulus

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "out" / "peers"
NETWORKS = {"lut": "mnist", "relu": "mnist_relu"}
BATCHES = (1, 256)
AGREE = 0.95
SAMPLE_SECONDS = 0.1
IMAGES, CALIBRATION = 512, 512


@dataclass
class Peer:
    """An engine in one form, and what was found of it.

    Attributes
    ----------
    engine, variant : str
        A file in peers/ and what its `build` takes.
    distribution : str
        On PyPI.
    quality : dict
        (network, batch) -> share of images that agree, deviation of logits, form.
    us : dict
        (network, batch) -> median microseconds an image.
    reason : str
        Why it was not run.
    """

    name: str
    engine: str
    variant: str
    distribution: str = ""
    quality: dict[str, list] = field(default_factory=dict)
    us: dict[str, float] = field(default_factory=dict)
    spread: dict[str, list[float]] = field(default_factory=dict)
    reason: str = ""

    @property
    def ours(self) -> bool:
        """Whether it needs intgold, and so this environment."""
        return not self.distribution


LITERT, ORT, OPENVINO = "ai-edge-litert", "onnxruntime", "openvino"


def all_peers() -> list[Peer]:
    """Return every engine in every form."""
    found = [Peer("intgold C", "intgold_engine", "C"),
             Peer("intgold Python", "intgold_engine", "Python"),
             Peer("NumPy f32", "numpy_float", "f32")]  # fmt: skip
    for kernels in ("reference", "builtin", "XNNPACK"):
        found += [Peer(f"LiteRT {kernels} {t}", "litert", f"{kernels} {t}", LITERT)
                  for t in ("f32", "int8")]  # fmt: skip
    for name, engine, distribution, variants in (
        ("ONNX Runtime", "onnx_runtime", ORT, ("f32", "int8")),
        ("OpenVINO", "open_vino", OPENVINO, ("f32", "bf16", "int8")),
        ("ncnn", "ncnn_engine", "ncnn", ("f32", "int8")),
        ("ExecuTorch XNNPACK", "executorch_xnnpack", "executorch", ("f32", "int8")),
    ):
        found += [Peer(f"{name} {v}", engine, v, distribution) for v in variants]
    for label, variant in (("eager f32", "eager"), ("compile f32", "compile"),
                           ("compile bf16", "compile bf16"), ("pt2e int8", "int8"),
                           ("pt2e int8, bf16", "int8 bf16")):  # fmt: skip
        found.append(Peer(f"PyTorch {label}", "pytorch", variant, "torch"))
    return found


class Process:
    """A peer's process."""

    def __init__(self, peer: Peer, python: Path, core: int) -> None:
        log = (FOLDER / f"{peer.engine}.{peer.variant.replace(' ', '-')}.log").open("w")
        hidden = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # a kernel that is not the CPU's own
        environment = {n: v for n, v in os.environ.items() if n not in hidden}
        environment["PYTHONPATH"] = str(ROOT / "benchmarks")
        self._process = subprocess.Popen(
            [python, "-m", "peers.worker", peer.engine, peer.variant, FOLDER / "data.npz",
             str(core)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, text=True,
        )  # fmt: skip

    def ask(self, **what: object) -> dict:
        """Return the answer.

        Raises
        ------
        RuntimeError
            With the reason, where there is none.
        """
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):  # then it has no answer either
            print(json.dumps(what), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"its process ended with {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def environment() -> tuple[Path, dict[str, str]]:
    """Return the Python of the other engines and their versions; made once."""
    try:
        import tomllib
    except ImportError:  # Python 3.10: extra "layout"
        import tomli as tomllib

    with (ROOT / "pyproject.toml").open("rb") as file:
        pins = tomllib.load(file)["project"]["optional-dependencies"]["bench"]
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", FOLDER / "venv"], check=True)
    print(f"peers: installing {len(pins)} packages into {FOLDER}", file=sys.stderr, flush=True)
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if subprocess.run([*pip, *pins]).returncode:
        for pin in pins:  # those that can be had
            subprocess.run([*pip, pin])
    names = [pin.partition("==")[0] for pin in pins]
    code = (
        "import json; from importlib.metadata import distributions as d; "
        f"print(json.dumps({{x.name: x.version for x in d() if x.name.lower() in {names}}}))"
    )
    return python, json.loads(subprocess.check_output([python, "-c", code], text=True))


def data() -> tuple[Data, str]:
    """Return networks and images, and where the images are from."""
    source = "MNIST"
    try:
        calibration, images = load_mnist("train")[0], load_mnist("test")[0]
    except DataError:
        source = "built-in"
        made = stimulus(intgold.load(), "builtin", IMAGES + CALIBRATION, 0)["image"]
        made = made.view(np.uint8) ^ np.uint8(0x80)
        calibration, images = made[IMAGES:], made[:IMAGES]
    pixels = [np.float32(x[:n].reshape(-1, 28, 28, 1) / np.float32(255))
              for x, n in ((calibration, CALIBRATION), (images, IMAGES))]  # fmt: skip
    networks, logits = {}, {}
    for name, shipped in NETWORKS.items():
        float_network = load_network(shipped)
        layers = [Layer(x.name, x.kind, x.weights, x.bias) for x in float_network.layers]
        networks[name] = Network(name, tuple(layers))
        logits[name] = float_network.run(pixels[1])
    return Data(networks, *pixels, logits), source


def load(peers: list[Peer], python: Path, core: int) -> dict[str, Process]:
    """Return the processes of those that answer well; the others know why not."""
    processes = {}
    for peer in Progress(peers, unit="engine", label="prepare", show=True):
        process = Process(peer, Path(sys.executable) if peer.ours else python, core)
        try:
            for batch in BATCHES:
                for name, quality in process.ask(do="load", batch=batch).items():
                    peer.quality[f"{name} {batch}"] = quality
                    if quality[0] < AGREE:
                        raise RuntimeError(f"{quality[0]:.1%} of its answers agree ({name})")
            processes[peer.name] = process
        except RuntimeError as error:
            peer.reason = str(error)
            process.close()
    return processes


def measure(peers: list[Peer], processes: dict[str, Process], rounds: int) -> None:
    """Fill in the medians."""
    samples: dict[tuple[str, str], list[float]] = {}
    for _ in Progress(range(rounds), unit="round", label="peers", show=True):
        for batch in BATCHES:
            for network in NETWORKS:
                for name, process in processes.items():
                    asked = {"network": network, "batch": batch, "seconds": SAMPLE_SECONDS}
                    seconds = process.ask(do="time", **asked)["seconds"]
                    key = name, f"{network} {batch}"
                    samples.setdefault(key, []).append(1e6 * seconds / batch)
    by_name = {peer.name: peer for peer in peers}
    for (name, key), found in samples.items():
        by_name[name].us[key] = statistics.median(found)
        by_name[name].spread[key] = [min(found), max(found)]


COLUMNS = [f"{network} {batch}" for batch in BATCHES for network in NETWORKS]


def table(peers: list[Peer], markdown: bool) -> str:
    """Return the figures: microseconds an image, and how many times the best peer's."""
    best = {c: min((p.us[c] for p in peers if p.us and not p.ours), default=None) for c in COLUMNS}
    heads = ["us an image", *(f"{c.split()[0]}, batch {c.split()[1]}" for c in COLUMNS), "agree"]
    rows = []
    for peer in peers:
        if not peer.us:
            continue
        cells = [f"{peer.us[c]:.2f}" + (f" ({peer.us[c] / best[c]:.2f})" if best[c] else "")
                 for c in COLUMNS]  # fmt: skip
        agree = min(quality[0] for quality in peer.quality.values())
        rows.append([peer.name, *cells, f"{agree:.1%}"])
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    if markdown:
        lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w)
             for i, (c, w) in enumerate(zip(line, widths, strict=True)))
             for line in (heads, *rows)]  # fmt: skip
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def options_of() -> argparse.Namespace:
    """Return what the command line says; `only` as peers."""
    head, _, tail = (__doc__ or "").partition("examples:")
    parser = argparse.ArgumentParser(
        description=head, epilog="examples:" + tail,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[""],
                        help="engines whose name has one of these")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="default: 7")
    parser.add_argument("--markdown", action="store_true", help="a table for README")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    options = parser.parse_args()
    known = all_peers()
    for text in options.only:
        if not any(text.lower() in peer.name.lower() for peer in known):
            parser.error(f"--only: {text} is in none of {', '.join(p.name for p in known)}")
    options.only = [p for p in known if any(t.lower() in p.name.lower() for t in options.only)]
    if options.rounds < 1:
        parser.error(f"--rounds: {options.rounds} is less than 1")
    return options


def main() -> None:
    """Print the table."""
    options = options_of()
    peers, core = options.only, max(os.sched_getaffinity(0))
    FOLDER.mkdir(parents=True, exist_ok=True)
    python, versions = environment()
    peer_lib.build()
    given, source = data()
    given.save(FOLDER / "data.npz")
    processes = load(peers, python, core)
    try:
        measure(peers, processes, options.rounds)
    finally:
        for process in processes.values():
            process.close()
    about = {
        "CPU": f"{cpu()}, core {core}, intgold {native.isa_name()}, Linux {platform.release()}",
        "rounds": f"{options.rounds}, medians; in brackets times the best engine beside intgold",
        "images": f"{source}: {IMAGES} compared with float, {CALIBRATION} to calibrate",
        "versions": ", ".join(f"{n} {v}" for n, v in
                              {"intgold": intgold.__version__, "numpy": np.__version__,
                               **versions}.items()),
    }  # fmt: skip
    missing = [f"{peer.name}: not run: {peer.reason}" for peer in peers if peer.reason]
    print(table(peers, options.markdown), "", *(f"{k}: {v}" for k, v in about.items()), sep="\n")
    print(*missing, sep="\n")
    if options.json:
        found = {"about": about, "peers": [asdict(peer) for peer in peers]}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
