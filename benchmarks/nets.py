"""The networks of the benchmarks, the real data where it is at hand, and what both sides of a measurement share."""

from __future__ import annotations

import ast
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

import seewhy as sw

SIDE, SHORTER = 224, 256  # of the crop, and of the picture before it
MISSING = "no real pictures: set SEEWHY_REAL to the folder that holds mobilenet.py (looked in {})"


def ready_folder() -> Path | None:
    """The real folder, with memory kept for both sides of a comparison; None, and told, where it is missing."""
    folder = real_folder()
    if folder is None:
        print(missing(), file=sys.stderr)
        return None
    sw.keep_memory()
    return folder


def real_folder() -> Path | None:
    """Where real pictures and weights are: SEEWHY_REAL, else ../shared/real beside the repository."""
    folder = _looked_in()
    return folder if (folder / "mobilenet.py").exists() else None


def missing() -> str:
    return MISSING.format(_looked_in())


def _looked_in() -> Path:
    return Path(os.environ.get("SEEWHY_REAL") or Path(__file__).resolve().parents[2] / "shared" / "real")


def real() -> ModuleType:
    """The module mobilenet.py of the real folder: torch_model() and prepare(path)."""
    folder = real_folder()
    if folder is None:
        raise FileNotFoundError(missing())
    spec = importlib.util.spec_from_file_location("mobilenet", folder / "mobilenet.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mobilenet() -> nn.Module:
    """MobileNetV2 with ImageNet weights where they are at hand, else torchvision's with weights by chance."""
    if real_folder() is not None:
        model: nn.Module = real().torch_model()
        return model
    from torchvision.models import mobilenet_v2

    torch.manual_seed(0)
    return mobilenet_v2(weights=None).eval()


def resnet50() -> nn.Module:
    """torchvision's ResNet-50, else one of the same shape and names; weights by chance."""
    torch.manual_seed(0)
    try:
        from torchvision.models import resnet50 as build
    except (ImportError, RuntimeError):
        return ResNet50().eval()
    return build(weights=None).eval()


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, inner: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * inner
        self.conv1, self.bn1 = nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        change = stride != 1 or inputs != outputs
        project = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.downsample = project if change else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        y += x if self.downsample is None else self.downsample(x)
        out: torch.Tensor = self.relu(y)
        return out


class ResNet50(nn.Module):
    """He et al. 2015, arXiv:1512.03385, table 1, with the stride in the 3 × 3 convolution as torchvision has it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for number, (inner, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], start=1):
            parts = []
            for block in range(blocks):
                parts.append(Bottleneck(inputs, inner, 2 if block == 0 and number > 1 else 1))
                inputs = 4 * inner
            self.add_module(f"layer{number}", nn.Sequential(*parts))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(2048, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
        out: torch.Tensor = self.fc(self.avgpool(x).flatten(1))
        return out


# builder, last layer, residual blocks
NETS: dict[str, tuple[Any, str, list[str]]] = {
    "MobileNetV2": (mobilenet, "features.18", [f"features.{i}" for i in range(1, 18)]),
    "ResNet-50": (
        resnet50,
        "layer4.2",
        [f"layer{stage}.{i}" for stage, count in enumerate([3, 4, 6, 3], start=1) for i in range(count)],
    ),
}


@dataclass(frozen=True, eq=False)
class Network:
    """A network with real ImageNet weights, and what it eats.

    Args:
        name: as asked for on the command line.
        model: wrapped.
        shift, scale: it eats (pixel - shift) / scale.
        resample: how a picture becomes smaller before the crop.
        stages: prefixes of the parameters' names from the top down, for weights by chance: the classifier, the last
            convolution with its norm, the last three blocks.
    """

    name: str
    model: Any
    shift: float
    scale: float
    resample: Image.Resampling
    stages: tuple[tuple[str, ...], ...]

    def crop(self, picture: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """uint8 [224, 224, 3] of a picture: shorter side to 256, then the centre."""
        wide, high, left, top = geometry(picture.size)
        small = picture.convert("RGB").resize((wide, high), self.resample)
        return np.asarray(small.crop((left, top, left + SIDE, top + SIDE)))

    def image(self, pixels: Any) -> torch.Tensor:
        """float32 [3, height, width] of pixels [height, width, 3], 0 to 255."""
        scaled = (np.asarray(pixels, np.float32) - np.float32(self.shift)) / np.float32(self.scale)
        return torch.from_numpy(scaled).permute(2, 0, 1)

    def scores(self, images: list[torch.Tensor], batch: int = 16) -> torch.Tensor:
        """[images, classes], before the softmax."""
        with torch.no_grad():
            batches = [torch.stack(images[i : i + batch]) for i in range(0, len(images), batch)]
            return torch.cat([self.model.module(one) for one in batches])

    def maps(self, images: list[torch.Tensor], targets: list[Any], method: str) -> Iterator[Any]:
        """float [height, width] of each image, bilinear; for a list of classes as target a list of maps.

        `method` is a method's name, with options after a colon: 'layerguided:compete=True'.
        """
        name, _, told = method.partition(":")
        options = {key: ast.literal_eval(value) for key, value in (one.split("=") for one in told.split(",") if one)}
        for image, why in zip(
            images, sw.explain_many(self.model, images, targets=targets, method=name, **options), strict=True
        ):
            if not why:
                raise why.error
            shape = tuple(image.shape[1:])
            several = isinstance(why, sw.Explanations)
            grown = [one.upscaled(shape, order="bilinear") for one in (why if several else [why])]
            yield grown if several else grown[0]


def geometry(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Of a picture (width, height): width and height that it gets, left and top of the crop then."""
    scale = SHORTER / min(size)
    wide, high = round(size[0] * scale), round(size[1] * scale)
    return wide, high, (wide - SIDE) // 2, (high - SIDE) // 2


def network(name: str) -> Network:
    """One of NETWORKS; the first needs the real folder, the second the packages of `seewhy[demo]`."""
    if name == "mobilenetv2":
        model = sw.wrap(real().torch_model(), name="MobileNetV2")
        top = ("classifier.",), ("features.18.",), tuple(f"features.{i}." for i in (15, 16, 17))
        return Network(name, model, 127.5, 127.5, Image.Resampling.BILINEAR, top)
    top = ("_fc.",), ("_conv_head.", "_bn1."), tuple(f"_blocks.{i}." for i in (13, 14, 15))
    return Network(name, sw.load(f"demo:{name}"), 127.0, 128.0, Image.Resampling.BICUBIC, top)


NETWORKS = ("mobilenetv2", "efficientnet-lite0")


def machine(device: str) -> dict[str, Any]:
    """What the numbers were measured on."""
    cuda = device.startswith("cuda")
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name() if cuda else platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "platform": sys.platform,
    }


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, aligned; the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        padded = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *(line(row) for row in rows)])
