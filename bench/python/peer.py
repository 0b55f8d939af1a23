"""PyTorch's side of a benchmark: holds one piece and times it on demand.

    python bench/python/peer.py swin_stage --sizes '{"heads": 8}'

After a line that says what was built, it answers each line of standard input with a line of JSON:

    {"run": 5}             -> {"seconds": [...], "peakRss": bytes}    five steps, each timed; the peak is the
                              process's own since its start, so ask for `outputs` after the runs
    {"outputs": "x.safetensors"} -> {"outputs": "x.safetensors", "checksums": {name: [sum, norm]}}
                              what the latest step computed; a path of null writes no file. The first step
                              starts from the drawn parameters: run 1 and compare, then run the rest
    {"quit": true}         ends it, as does the end of the input

so that a driver can alternate between two programs in one session. An error is answered by {"error": text}.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

# The reference's packages lie beside its fixtures.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "reference"))

from piece import Piece  # noqa: E402
from pieces import PIECES, build  # noqa: E402

KILOBYTE = 1 if sys.platform == "darwin" else 1024
"""Unit of ru_maxrss."""


def peak_rss() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE


def run(piece: Piece, count: int) -> dict[str, Any]:
    on_gpu = torch.get_default_device().type == "cuda"
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        piece.step()
        if on_gpu:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    device = torch.cuda.max_memory_allocated() if on_gpu else None
    return {"seconds": seconds, "peakRss": peak_rss(), "deviceBytes": device}


def choose_precision(piece: Piece, precision: str) -> None:
    """How products and convolutions round. cuDNN would use TF32 without being asked."""
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    if precision == "bfloat16":
        step, kind = piece.step, torch.get_default_device().type

        def step_in_bfloat16() -> None:
            with torch.autocast(kind, dtype=torch.bfloat16):
                step()

        piece.step = step_in_bfloat16


def outputs(piece: Piece, path: str | None) -> dict[str, Any]:
    tensors = {name: tensor.contiguous() for name, tensor in piece.outputs().items()}
    if path is not None:
        save_file(tensors, path)
    sums = {name: [t.double().sum().item(), t.double().norm().item()] for name, t in tensors.items()}
    return {"outputs": path, "checksums": sums}


def compiler() -> str | None:
    found = map(shutil.which, filter(None, (os.environ.get("CXX"), "g++", "clang++", "cl")))
    return next(filter(None, found), None)


def answer(piece: Piece, command: dict[str, Any]) -> dict[str, Any]:
    if "run" in command:
        return run(piece, int(command["run"]))
    if "outputs" in command:
        return outputs(piece, command["outputs"])
    raise ValueError(f"unknown command {sorted(command)}; known are run, outputs and quit")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("piece", nargs="?", choices=PIECES)
    parser.add_argument("--sizes", type=json.loads, default={}, help="JSON, over the piece's defaults")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true", help="maps in memory as NHWC")
    parser.add_argument("--fused", action="store_true", help="PyTorch's fused AdamW instead of its default")
    parser.add_argument("--list", action="store_true", help="print every piece with its default sizes")
    parser.add_argument("--compile", action="store_true", help="forward and backward through torch.compile")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, ...")
    parser.add_argument("--precision", choices=("float32", "tf32", "bfloat16"), default="float32")
    options = parser.parse_args()
    if options.list or options.piece is None:
        for name, kind in PIECES.items():
            print(f"{name}: {(kind.__doc__ or '').splitlines()[0]} {json.dumps(kind.defaults)}")
        return

    torch.set_num_threads(options.threads)
    if options.compile and not compiler():
        print(json.dumps({"error": "torch.compile wants a C++ compiler, and there is none (CXX, g++, clang++, cl)"}))
        return
    torch.set_default_device(options.device)
    piece, sizes = build(options.piece, options.sizes, options.channels_last, options.fused)
    if options.compile:
        # Whole networks call their module, pieces their forward.
        piece.module.compile()
        piece.forward = torch.compile(piece.forward)
    choose_precision(piece, options.precision)
    ready = {"piece": options.piece, "sizes": sizes, "threads": options.threads, "torch": torch.__version__}
    print(json.dumps(ready | {"peakRss": peak_rss(), "drawn": piece.drawn}), flush=True)
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            command = json.loads(line)
            if command.get("quit"):
                break
            result = answer(piece, command)
        except (ValueError, OSError, RuntimeError) as error:
            result = {"error": str(error)}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
