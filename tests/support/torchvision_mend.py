"""Lets torchvision's CUDA build import beside PyTorch's CPU build, in the test environment only.

The wheels of torchvision on package indexes look for compiled operators that need CUDA; the models and transforms that
the tests use need none of them. `make` puts this file on the environment's path with a `.pth` file, so that it holds in
subprocesses too.
"""

import sys


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(Finder)
            import torch

            for operator in ("nms", "qnms"):
                torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float t) -> Tensor")
        return None


sys.meta_path.insert(0, Finder)
