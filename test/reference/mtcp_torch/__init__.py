"""An independent PyTorch implementation of MT-CP, to compare the TypeScript one with number by number."""
