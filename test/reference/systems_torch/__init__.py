"""Fixtures of backbones and compared systems: other people's PyTorch modules, run on drawn weights."""
