"""Every option that takes a path says by its type whether it is read or written; and only the
known modules write.
"""

import ast

from intgold.cli import predict
from intgold.cli.paths import InputPath, OutputFolder, OutputFolderOrLines, OutputOf
from output_trials import (
    FILES,
    FOLDERS,
    PACKAGE,
    actions,
)

TEXTS = {
    ("locate", "what"), ("locate", "coordinate"), ("quantize", "name"), ("quantize", "calibration"),
    ("quantize", "activation"), ("quantize", "activation_of"), ("import", "contract"),
    ("import", "name"), ("import", "signature"),
    ("contracts", "first"), ("contracts", "second"), ("vectors", "format"),
    ("vectors", "images"), ("vectors", "ops"), ("vectors", "tensors"), ("vectors", "partials"),
    ("op-vectors", "op"), ("op-vectors", "form"), ("op-vectors", "format"),
    ("map", "partials"), ("signatures", "tile"),
    ("bench", "isa"), ("bench", "batch"), ("bench", "threads"), ("sweep", "calibration"),
    ("sweep", "activation"), ("sweep", "per_channel"), ("sweep", "weight_bits"),
    ("sweep", "weight_scales"), ("sweep", "multiplier_bits"), ("sweep", "form"),
    *((command, "isa") for command in ("predict", "vectors", "regress")),
}  # fmt: skip
"""Options of any text that are no path."""


def test_every_path_says_whether_it_is_written():
    """An option of free text is a path of one of the three types, or known to be no path; that of
    a file says what is written, and with which suffixes.
    """
    free = {(c, a.dest) for c, a in actions() if a.type is None}
    assert free == TEXTS
    files = [a.type for _, a in actions() if isinstance(a.type, OutputOf)]
    others = {a.type for _, a in actions() if not isinstance(a.type, OutputOf)}
    assert others == {
        None,
        int,
        float,
        predict._score,
        InputPath,
        OutputFolder,
        OutputFolderOrLines,
    }
    assert all(s[0] == "." and s == s.lower() for of in files for s in of.kind.known)
    assert all(of.kind.known for of in files)


def test_no_output_is_forgotten():
    """Every option whose path is written is tried below."""
    files = {(c, a.dest) for c, a in actions() if isinstance(a.type, OutputOf)}
    folders = {(c, a.dest) for c, a in actions() if a.type in (OutputFolder, OutputFolderOrLines)}
    assert files == set(FILES) and folders == set(FOLDERS)


_WRITES = {
    "write_text", "write_bytes", "mkdir", "makedirs", "rmtree", "unlink", "remove", "rmdir",
    "rename", "renames", "touch", "truncate", "symlink_to", "hardlink_to", "copytree", "copyfile",
    "copy2", "move", "savefig", "mkstemp", "mkdtemp", "TemporaryDirectory", "tofile",
}  # fmt: skip
_WRITERS = {
    "support/safe_files.py": "one whole file",
    "support/folder_replacement.py": "folders of one's own",
    "support/files_beside_others.py": "in a temporary folder, then by replacing",
    "vectors/sets/set_writer.py": "in a hidden folder",
    "vectors/op_vectors/sets.py": "in replacing_folder",
    "vectors/freeze.py": "in a temporary folder",
    "exporters/engine.py": "in replacing_folder",
    "images/mnist.py": "makes its folder, downloads into a temporary one",
    "study/quantisation/plots.py": "into memory",
    "study/engines/engine_answers.py": "in a temporary folder",
    "study/engines/real_engines.py": "in the temporary folder of engine_answers.py",
}


def test_nobody_writes_past_the_mechanism():
    """What makes, changes or deletes files is called in the few modules that are known for it."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _writes(node):
                found.add(path.relative_to(PACKAGE).as_posix())
    assert (
        found == set(_WRITERS)
        and {"support/safe_files.py", "support/folder_replacement.py"} <= found
    )


def _writes(call):
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("open", "fdopen"):
        modes = [a.value for a in call.args if isinstance(a, ast.Constant)]
        return any(isinstance(m, str) and set(m) & set("wax+") and len(m) < 4 for m in modes)
    return name in _WRITES and not (name == "remove" and _of_list(call))


def _of_list(call):
    return isinstance(call.func.value, ast.Name) and call.func.value.id != "os"


def test_every_writer_says_what_it_writes():
    """Whoever writes one file names its kind, but for those who know by digests what is theirs."""
    nameless, named = set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if getattr(getattr(node, "func", None), "id", "") in ("replacing", "write_zip"):
                kind = node.args[-1]
                known = len(node.args) == (2 if node.func.id == "replacing" else 3)
                assert known and not node.keywords, (path, node.lineno)
                none = isinstance(kind, ast.Constant) and kind.value is None
                (nameless if none else named).add(path.relative_to(PACKAGE).as_posix())
    assert (
        nameless == {"support/files_beside_others.py", "images/mnist.py", "vectors/freeze.py"}
        and len(named) > 9
    )
