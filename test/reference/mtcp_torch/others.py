"""`python -m mtcp_torch.others` holds the fixtures of gradient schemes against TorchJD's aggregators.

A reference that was written beside what it checks may share its assumptions. Here nothing of ours computes anything:
the gradients of `weighting.json` go through `torchjd` (pip install "torchjd==0.18.0" cvxpy ecos quadprog), whose
combination is compared with the stored one. Where the two define a scheme differently the difference is expected and
said. TorchJD averages where we sum (`factor`), and its solvers stop early (`tolerance`, `counts`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchjd import aggregation as jd
from torchjd.linalg import QuadprogProjector

Array = NDArray[np.float64]

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "weighting.json"


@dataclass
class Other:
    aggregator: Any
    tolerance: float
    factor: float = 1.0
    """What TorchJD's combination is multiplied by to be ours."""
    counts: Callable[[Array, Array], bool] = lambda gradients, combination: True
    """Whether TorchJD's own combination of a step is what it defines."""
    differs: str | None = None
    """How TorchJD defines the scheme otherwise: a difference is expected then."""


def is_bargain(gradients: Array, combination: Array) -> bool:
    """a_i (M a)_i = 1: TorchJD's sequence of convex problems, the authors', may stop before."""
    weights = np.linalg.lstsq(gradients.T, combination, rcond=None)[0]
    return bool(np.abs(weights * (gradients @ combination) - 1).max() < 1e-2)


def others(tasks: int) -> dict[str, Other]:
    exact = QuadprogProjector(reg_eps=1e-12, norm_eps=1e-12)
    return {
        "gradient_sum": Other(jd.Sum(), 1e-8),
        "mgda": Other(jd.MGDA(epsilon=1e-9, max_iters=5_000), 2e-2),
        "imtl_g": Other(jd.IMTLG(), 1e-6),
        "aligned_mtl": Other(jd.AlignedMTL(), 1e-6, tasks),
        "cagrad": Other(jd.CAGrad(c=0.5, norm_eps=1e-12), 5e-3, 1 / (1 + 0.5**2)),
        "cagrad 0.9": Other(jd.CAGrad(c=0.9, norm_eps=1e-12), 5e-3),
        "nash_mtl unclipped": Other(jd.NashMTL(n_tasks=tasks, max_norm=0.0), 1e-2, counts=is_bargain),
        "upgrad": Other(jd.UPGrad(projector=exact), 1e-5),
        "dualproj": Other(jd.DualProj(projector=exact), 1e-5),
        "config": Other(jd.ConFIG(), 1e-6),
        "fairgrad": Other(jd.FairGrad(alpha=2.0), 1e-2),
        "excess_mtl": Other(
            jd.ExcessMTL(robust_step_size=0.01),
            1e-6,
            tasks,
            differs="the first step's estimates count undivided, where the authors leave the weights alone",
        ),
    }


def main() -> None:
    course = json.loads(FIXTURE.read_text())
    torch.set_default_dtype(torch.float64)
    failed = False
    for name, other in others(len(course["tasks"])).items():
        gradients = np.array(course["gradients"])
        expected = np.array(course["gradientSchemes"][name]["combined"])
        found = np.array([other.aggregator(torch.tensor(g)).numpy() for g in gradients])
        counted = [i for i, g in enumerate(gradients) if other.counts(g, found[i])]
        distance = np.abs(found * other.factor - expected).max(1) / np.abs(expected).max(1)
        agrees = len(counted) > 0 and distance[counted].max() <= other.tolerance
        failed |= agrees == (other.differs is not None)
        verdict = "agrees" if agrees else f"differs: {other.differs or 'why?'}"
        print(f"{name:20} {len(counted)} of {len(found)} steps, largest {distance[counted].max():.1e}  {verdict}")
    raise SystemExit(int(failed))


if __name__ == "__main__":
    main()
