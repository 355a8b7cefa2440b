"""A PyTorch model and the caller's surroundings are as they were: after success, and wherever something raises."""

import random
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import seewhy as sw
from tests.support.nets import Net, assert_same, image

X = image()


class Boom(Exception):
    """What the tests raise: nothing else may come out."""


class Restless(Net):
    """Counts, caches and draws by chance in its forward; flags, modes and hooks are mixed."""

    def __init__(self, broken=None):
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("cache", None, persistent=False)
        self.train()
        self.body[1].eval()
        self.stem[0].weight.requires_grad_(False)
        for number, parameter in enumerate(self.parameters()):
            parameter.grad = torch.full_like(parameter, number) if number % 3 else None
        self.stem.register_forward_hook(lambda part, inputs, output: None)
        self.body.register_forward_pre_hook(lambda part, inputs: None)
        self.head.register_full_backward_hook(lambda part, given, got: None)
        self.armed = True

    def forward(self, x):
        self.calls += 1
        self.mean = self.mean * 0.9 + x.detach().mean().to(self.mean.dtype)
        self.cache = x.detach()[0, 0]
        noise = torch.rand(()) + random.random() + np.random.rand()
        features = F.dropout(self.features(x), 0.1, training=True)
        return self.classify(features) + 0 * noise


def state(model):
    """Everything about a model and its surroundings that a caller could notice, as comparable values."""
    tensors, parts = model.state_dict(keep_vars=True), dict(model.named_modules())
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {
        "values": {name: (id(tensor), _bytes(tensor)) for name, tensor in tensors.items()},
        "gradients": {name: (id(gradient), _bytes(gradient)) for name, gradient in gradients.items()},
        "wanting": {name: parameter.requires_grad for name, parameter in model.named_parameters()},
        "training": {name: part.training for name, part in parts.items()},
        "attributes": {name: sorted(vars(part)) for name, part in parts.items()},
        "buffers": {name: {key: id(buffer) for key, buffer in part._buffers.items()} for name, part in parts.items()},
        "hooks": {
            name: {key: [id(hook) for hook in table.values()] for key, table in vars(part).items() if "hooks" in key}
            for name, part in parts.items()
        },
        "random": (_bytes(torch.get_rng_state()), str(np.random.get_state()), random.getstate()),
        "modes": (
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.is_autocast_enabled("cpu"),
            torch.get_autocast_dtype("cpu"),
            torch._C._len_torch_function_stack(),
            torch.utils._python_dispatch._len_torch_dispatch_stack(),
        ),
    }


def _bytes(tensor):
    return None if tensor is None else tensor.detach().numpy().tobytes()


@contextmanager
def left_alone(model):
    before = state(model)
    yield
    after = state(model)
    for what in before:
        assert after[what] == before[what], what


def test_the_check_itself_can_fail():
    changes = [
        lambda m: m(X[None]),
        lambda m: m.head.bias.data.add_(1),
        lambda m: setattr(m.head.bias, "requires_grad", False),
        lambda m: m.stem.eval(),
        lambda m: m.body.register_forward_hook(lambda *_: None),
        lambda m: setattr(m.stem, "note", 1),
        lambda m: m.zero_grad(),
        lambda m: torch.rand(()),
        lambda m: np.random.rand(),
        lambda m: random.random(),
    ]
    for change in changes:
        model = Restless()
        with pytest.raises(AssertionError), left_alone(model):
            change(model)


LAYERED = [entry.name for entry in sw.list_methods() if not entry.on_image and "head" not in entry.needs]
ON_IMAGE = [entry.name for entry in sw.list_methods() if entry.on_image]
SURROUNDINGS = {
    "none": nullcontext,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
}


@pytest.mark.parametrize("surrounding", SURROUNDINGS)
@pytest.mark.parametrize("layer", ["stem.0", "body.2", "all"])
def test_after_success(surrounding, layer):
    model = Restless()
    with SURROUNDINGS[surrounding](), left_alone(model):
        sw.explain(model, X, target=[2, sw.probability(1)], layer=layer)


@pytest.mark.parametrize("method", LAYERED + ON_IMAGE)
def test_after_every_method(method):
    model = Restless()
    with left_alone(model):
        sw.explain(model, image(16, 16), method=method)


def test_after_listing_layers():
    model = Restless()
    with left_alone(model):
        sw.layers(model, X)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_precision_stays(dtype):
    model = Net().to(dtype)
    sw.explain(model, X)
    assert {tensor.dtype for tensor in model.state_dict().values() if tensor.is_floating_point()} == {dtype}


def test_between_the_answers_of_a_stream_and_after_it_is_dropped():
    model = Restless()
    with left_alone(model):
        answers = sw.explain_many(model, [image(seed=seed) for seed in range(4)], batch_size=2)
        next(answers)
        assert model.training
        assert model.head.weight.requires_grad
        assert len(model.body._forward_hooks) == 0
        answers.close()


def test_a_mode_that_the_caller_changes_between_answers_stays():
    model = Net().train()
    for number, _ in enumerate(sw.explain_many(model, [X, X], batch_size=1)):
        assert model.training is (number == 0)
        model.eval()
    assert not model.training


# where something raises

NAMES = [name for name, _ in Net().named_modules()]


@contextmanager
def hooked_to_raise(part):
    def boom(*_):
        raise Boom

    handle = part.register_forward_hook(boom)
    yield
    handle.remove()


@contextmanager
def patched_to_raise(part):
    def boom(*_):
        raise Boom

    part.forward = boom
    yield
    del part.forward


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", [hooked_to_raise, patched_to_raise])
@pytest.mark.parametrize("known", [False, True])
def test_after_an_exception_in_a_layer(name, way, known):
    model = Restless()
    if known:  # its layers are known, so that it raises in the pass itself
        sw.explain(model, X)
    with way(model.get_submodule(name)), left_alone(model), pytest.raises(Boom):
        sw.explain(model, X, layer="stem.0" if known else None)
    assert sw.explain(model, X, layer="body.2", signed=True).map.any()


@pytest.mark.parametrize("error", [Boom, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("surrounding", SURROUNDINGS)
def test_after_an_exception_in_the_users_target(error, surrounding):
    def target(scores):
        raise error

    model = Restless()
    with SURROUNDINGS[surrounding](), left_alone(model):
        for asked in (target, sw.output(target)):
            with pytest.raises(error):
                sw.explain(model, X, target=asked)


def boom(*_):
    raise Boom


@pytest.mark.parametrize("told", [{"call": boom}, {"outputs": boom}, {"prepare": boom}])
def test_after_an_exception_in_what_was_told(told):
    model = Restless()
    picture = X if "prepare" not in told else np.zeros((8, 8, 3), np.uint8)
    with left_alone(model), pytest.raises((Boom, sw.InputError)) as caught:
        sw.explain(sw.wrap(model, **told), picture)
    assert Boom in (caught.type, type(caught.value.__cause__))


class RaisesBackwards(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise Boom


@pytest.mark.parametrize("method", ["gradcam", "guided_backprop"])
@pytest.mark.parametrize("target", [2, [1, 2], lambda scores: scores[2]])
def test_after_an_exception_in_the_backward_pass(target, method):
    class Model(Restless):
        def classify(self, features):
            return self.head(RaisesBackwards.apply(features).mean((2, 3)))

    model = Model()
    with left_alone(model), pytest.raises(Boom):
        sw.explain(model, X, target=target, layer="body.2" if method == "gradcam" else None, method=method)


class RaisesLater(Restless):
    """Raises at its n-th forward: in the survey, in the pass, in a trial."""

    def __init__(self, last):
        super().__init__()
        self.seen, self.last = [0], last

    def forward(self, x):
        self.seen[0] += 1
        if self.seen[0] > self.last:
            raise Boom
        return super().forward(x)


@pytest.mark.parametrize("method", LAYERED + ON_IMAGE)
@pytest.mark.parametrize("last", [0, 1, 2, 3])
def test_after_an_exception_in_the_nth_pass(method, last):
    model = RaisesLater(last)
    with left_alone(model):
        try:
            sw.explain(model, X, method=method)
        except Boom:
            assert model.seen[0] > last
        else:
            assert model.seen[0] <= last


@pytest.mark.parametrize("wrong", [{"target": 99}, {"layer": "nowhere"}, {"layer": "head"}, {"target": sw.top(9)}])
def test_after_a_question_that_cannot_be_answered(wrong):
    model = Restless()
    with left_alone(model), pytest.raises(sw.InputError):
        sw.explain(model, X, **wrong)


def test_after_an_image_of_the_wrong_shape():
    model, wrong = Restless(), torch.rand(4, 32, 32)
    with left_alone(model), pytest.raises(sw.InputError):
        sw.explain(model, wrong)


def test_an_exception_of_the_model_that_is_not_about_shapes_comes_out_as_it_is():
    class Model(Net):
        def forward(self, x):
            raise RuntimeError("the licence server is down")

    with pytest.raises(RuntimeError, match=r"^the licence server is down$"):
        sw.explain(Model(), X)


# single traps


@pytest.mark.parametrize("change", ["add_", "data", "numpy", "reassigned", "deleted", "new"])
def test_buffers_changed_in_the_forward(change):
    class Model(Net):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.arange(4.0))

        def forward(self, x):
            if change == "add_":
                self.count.add_(1)
            elif change == "data":
                self.count.data.add_(1)
            elif change == "numpy":
                self.count.numpy()[:] += 1
            elif change == "reassigned":
                self.count = self.count + 1
            elif change == "deleted" and "count" in self._buffers:
                del self.count
            elif change == "new" and "other" not in self._buffers:
                self.register_buffer("other", torch.zeros(2))
            return super().forward(x)

    model = Model()
    buffer = model.count
    with left_alone(model):
        sw.explain(model, X)
    assert model.count is buffer
    assert model.count.tolist() == [0, 1, 2, 3]


def test_the_models_own_train_and_eval_are_not_called():
    class Merging(Net):
        def train(self, mode=True):
            raise Boom

    model = Merging()
    with left_alone(model):
        sw.explain(model, X)


def test_gradients_do_not_pile_up():
    model = Net()
    model(X[None]).sum().backward()
    with left_alone(model):
        sw.explain(model, X, layer="all")


def test_a_graph_that_the_caller_holds_can_still_run_backwards():
    model, x = Net(), X[None].clone().requires_grad_()
    fresh = torch.autograd.grad(model.eval()(x)[0, 1], [x, *model.parameters()])
    scores = model(x)
    sw.explain(model, X, layer="all", target=[0, 1])
    scores[0, 1].backward()
    for tensor, gradient in zip([x, *model.parameters()], fresh, strict=True):
        torch.testing.assert_close(tensor.grad, gradient)


def test_training_goes_on_as_if_nothing_had_been_asked():
    losses = []
    for asks in (False, True):
        torch.manual_seed(3)
        model = Net()
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        batch = torch.rand(4, 3, 32, 32)
        for _ in range(4):
            optimiser.zero_grad()
            loss = F.cross_entropy(F.dropout(model(batch), 0.2), torch.arange(4))
            loss.backward()
            if asks:
                sw.explain(model, X, target=1)
            optimiser.step()
        losses.append((loss.item(), model.head.weight.detach().clone()))
    assert losses[0][0] == losses[1][0]
    assert torch.equal(losses[0][1], losses[1][1])


def test_weights_tied_to_two_names_stay_tied():
    model = Net()
    model.same = model.stem
    model.twin = nn.Linear(6, 5)
    model.twin.weight = model.head.weight
    with torch.inference_mode():
        sw.explain(model, X)
    assert model.same is model.stem
    assert model.twin.weight is model.head.weight


def test_parameters_made_in_inference_mode_come_back():
    with torch.inference_mode():
        model = Net()
    before = {name: id(tensor) for name, tensor in model.state_dict(keep_vars=True).items()}
    why = sw.explain(model, X, signed=True)
    assert {name: id(tensor) for name, tensor in model.state_dict(keep_vars=True).items()} == before
    assert_same(why.map, sw.explain(Net(), X, signed=True).map)
