"""`python -m mtcp_torch` checks the reference and writes every fixture; see README.md."""

from __future__ import annotations

import argparse
from pathlib import Path

GROUPS = ("models", "parts", "losses", "metrics", "schemes", "schedules")
FOLDER = Path(__file__).resolve().parent.parent / "fixtures"


def main() -> None:
    parser = argparse.ArgumentParser(prog="mtcp_torch", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check the reference itself")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to (default: %(default)s)")
    parser.add_argument("--full", action="store_true", help="also write complete gradients and weights (85 MB)")
    parser.add_argument("--only", choices=GROUPS, action="append")
    options = parser.parse_args()

    from .check import check
    from .fixtures.losses import write_losses
    from .fixtures.metric_cases import write_metric_cases
    from .fixtures.metrics import write_metrics
    from .fixtures.models import write_models
    from .fixtures.parts import write_parts
    from .fixtures.schedules import write_schedules
    from .fixtures.schemes import write_schemes
    from .fixtures.weighting import write_weighting

    if options.check or not options.only:
        check()
    if options.check:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = options.only or GROUPS
    if "models" in wanted:
        write_models(options.out, options.full)
    if "parts" in wanted:
        write_parts(options.out)
    if "losses" in wanted:
        write_losses(options.out)
    if "metrics" in wanted:
        write_metrics(options.out)
        write_metric_cases(options.out)
    if "schemes" in wanted:
        write_schemes(options.out)
        write_weighting(options.out)
    if "schedules" in wanted:
        write_schedules(options.out)


if __name__ == "__main__":
    main()
