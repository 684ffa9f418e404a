"""A TFLite file in LiteRT's default interpreter, for imported.py: runs with LiteRT's own Python.

    python benchmarks/litert_worker.py MODEL

Reads a line of JSON, answers with one:

    {"do": "output", "image": FILE, "to": FILE}   -> {}, the output for the image
    {"do": "time", "n": 100}                      -> {"seconds": of n calls of invoke()}

One thread; the default delegate is XNNPACK.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main() -> None:
    """Answer until the input ends."""
    interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
    interpreter.allocate_tensors()
    x, y = (
        d[0]["index"] for d in (interpreter.get_input_details(), interpreter.get_output_details())
    )
    invoke = interpreter.invoke
    for line in sys.stdin:
        asked, answer = json.loads(line), {}
        if asked["do"] == "output":
            interpreter.set_tensor(x, np.load(asked["image"]))
            invoke()
            np.save(asked["to"], interpreter.get_tensor(y))
        else:
            calls = range(asked["n"])
            started = time.process_time()
            for _ in calls:
                invoke()
            answer = {"seconds": time.process_time() - started}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
