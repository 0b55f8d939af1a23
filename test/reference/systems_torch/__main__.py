"""`python -m systems_torch` writes fixtures of backbones; with `--authors FOLDER` also those of compared systems."""

from __future__ import annotations

import argparse
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "systems"


def main() -> None:
    parser = argparse.ArgumentParser(prog="systems_torch", description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to (default: %(default)s)")
    parser.add_argument("--authors", type=Path, help="folder with checkouts of the repositories in authors.py")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    from .auxiliary import write_auxiliary
    from .backbones import write_backbones
    from .checkpoints import write_checkpoints
    from .newer_backbones import write_newer_backbones
    from .optimizers import write_optimizers
    from .sluice import write_sluice

    write_auxiliary(options.out)
    write_checkpoints(options.out)
    write_optimizers(options.out)
    write_backbones(options.out)
    write_newer_backbones(options.out)
    write_sluice(options.out)
    if options.authors:
        from .emanet import write_emanet
        from .mamba import write_mamba
        from .mtcp import write_mtcp
        from .names import write_names
        from .prompted import write_prompted
        from .relational import write_relational
        from .sharing import write_sharing
        from .transformers import write_transformers
        from .vandenhende import write_vandenhende

        write_names(options.out, options.authors)
        write_mtcp(options.out, options.authors)
        write_vandenhende(options.out, options.authors)
        write_transformers(options.out, options.authors)
        write_relational(options.out, options.authors)
        write_prompted(options.out, options.authors)
        write_sharing(options.out, options.authors)
        write_mamba(options.out, options.authors)
        write_emanet(options.out, options.authors)


if __name__ == "__main__":
    main()
