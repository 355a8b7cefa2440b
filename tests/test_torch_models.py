"""Which PyTorch models are served, in which state, and that their maps are those of plain autograd."""

import copy
import gc
import pickle
import re
import threading
import weakref
from collections import OrderedDict, namedtuple
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

import seewhy as sw
from seewhy.methods.layered import guides
from tests.support.nets import Block, Net, Tokens, assert_same, by_hand, image

X = image()


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def same_weights_in_each_run():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def explained(model, x=X, target=2, layer="body.2", **options):
    return sw.explain(model, x, target=target, layer=layer, signed=True, **options)


def wanted(layer="body.2", target=2, x=X, **options):
    return by_hand(Net(**options), x, layer, target)


def variant(forward, base=Net, **attributes):
    """A class of nets with another forward."""
    return type("Variant", (base,), {"forward": forward, **attributes})


# states and surroundings


def frozen(model):
    return model.requires_grad_(False)


def half_frozen(model):
    model.stem.requires_grad_(False)
    return model


def in_training(model):
    return model.train()


def mixed_modes(model):
    model.train().body[1].eval()
    return model


def half_deep_copied(model):
    sw.explain(model, X)
    return copy.deepcopy(model)


@pytest.mark.parametrize("state", [frozen, half_frozen, in_training, mixed_modes, half_deep_copied])
@pytest.mark.parametrize("layer", ["stem.0", "body.2"])
def test_state_of_the_model(state, layer):
    assert_same(explained(state(Net()), layer=layer).map, wanted(layer))


@pytest.mark.parametrize("surrounding", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("target", [2, lambda scores: scores[2], sw.output(lambda scores: scores[:, 2])])
def test_inside_the_callers_grad_mode(surrounding, target):
    with surrounding():
        why = explained(Net(), target=target)
    assert_same(why.map, wanted())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["tensor", "tensor made inside", "array"])
def test_inference_mode_where_the_image_is_used_again(dtype, kind):
    def forward(self, x):
        features = self.features(x)
        return self.classify(features * F.interpolate(x.mean(1, keepdim=True), features.shape[2:]))

    model = variant(forward)().to(dtype)
    expected = by_hand(model, X.to(dtype), "body.2", 2)
    with torch.inference_mode():
        x = {"tensor": X, "tensor made inside": X * 1, "array": X.numpy()}[kind]
        assert_same(explained(model, x).map, expected)


def test_model_made_in_inference_mode():
    with torch.inference_mode():
        model = Net()
    assert_same(explained(model, layer="stem.0").map, wanted("stem.0"))
    assert all(parameter.is_inference() for parameter in model.parameters())


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.bfloat16, 0.05), (torch.float16, 0.01)])
def test_precision(dtype, tolerance):
    why = explained(Net().to(dtype))
    assert why.map.dtype == np.float32
    assert_same(why.map, wanted(), tolerance)


def test_small_half_precision_gradients_do_not_underflow():
    model = Net()
    model.head.weight.data *= 1e-4
    assert_same(explained(copy.deepcopy(model).half()).map, by_hand(model, X, "body.2", 2), 0.02)


@pytest.mark.parametrize("temperature", [0.01, 1e-3])
def test_large_half_precision_gradients_do_not_overflow(temperature):
    model = variant(lambda self, x: Net.forward(self, x) / temperature)()
    assert_same(explained(copy.deepcopy(model).half()).map, by_hand(model, X, "body.2", 2), 0.02)


def test_parameters_of_several_precisions():
    class Tempered(nn.Module):
        def __init__(self):
            super().__init__()
            self.temperature = nn.Parameter(torch.ones(()))
            self.net = Net().bfloat16()

        def forward(self, x):
            return self.net(x) / self.temperature

    assert_same(explained(Tempered(), layer="net.body.2").map, wanted(), 0.05)


def test_autocast_of_the_caller_rounds_the_model_alone():
    def loss(model):
        with torch.autocast("cpu", torch.bfloat16):
            return by_hand(model, X, "body.2", lambda scores: scores[0, 2])

    with torch.autocast("cpu", torch.bfloat16):
        why = explained(Net())
        assert torch.is_autocast_enabled("cpu")
    assert_same(why.map, loss(Net()), 1e-4)


def test_an_integer_parameter_comes_first():
    model = Net()
    quantised = nn.Module()
    quantised.register_parameter("codes", nn.Parameter(torch.ones(3, dtype=torch.int8), requires_grad=False))
    quantised.add_module("net", model)
    quantised.forward = lambda x: model(x) * quantised.codes[0]
    assert_same(explained(quantised, layer="net.body.2").map, wanted())


@pytest.mark.filterwarnings("ignore")
def test_quantised_heads_are_told():
    quantised = torch.ao.quantization.quantize_dynamic(Net().eval(), {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(sw.EvidenceError):
        sw.explain(quantised, X)


def test_no_parameters():
    model = nn.Sequential(nn.AvgPool2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    why = sw.explain(model, X, target=1)
    assert why.layer == "0"
    assert_same(why.map, F.avg_pool2d(X, 4)[1].numpy() / 64)


# activations in place, shared and changed layers


@pytest.mark.parametrize("layer", ["stem.1", "body.0", "body.1"])
def test_an_activation_in_place_right_after_the_layer(layer):
    model = Net()
    model.stem[2], model.body[2] = nn.ReLU(inplace=True), nn.ReLU(inplace=True)
    assert_same(explained(model, layer=layer).map, wanted(layer))


@pytest.mark.parametrize("layer", ["stem", "body.0", "body.1"])
def test_a_residual_added_in_place(layer):
    def around(self, x, add):
        features = self.stem(x)
        added = add(self.body[1](self.body[0](features)), F.avg_pool2d(features, 2))
        return self.classify(added.relu())

    plain = variant(lambda self, x: around(self, x, torch.add))()
    in_place = variant(lambda self, x: around(self, x, torch.Tensor.add_))()
    assert_same(explained(in_place, layer=layer).map, by_hand(plain, X, layer, 2))


@pytest.mark.parametrize("layer", ["stem.0", "body.2"])
def test_a_model_that_changes_its_image_in_place(layer):
    model, plain = (
        variant(lambda self, x, sub=sub: Net.forward(self, sub(x, 0.5)))() for sub in (torch.Tensor.sub_, torch.sub)
    )
    x = image()
    for given in (x, x[None], x.numpy(), x.requires_grad_()):
        for _ in range(2):
            assert_same(explained(model, given, layer=layer).map, by_hand(plain, X, layer, 2))
    assert torch.equal(x, X)
    assert x.grad is None


@pytest.mark.parametrize("layer", ["stem.1", "stem"])
def test_preactivation_that_changes_its_shared_input_in_place(layer):
    def around(self, x, relu):
        features = self.stem[1](self.stem[0](x)) if layer == "stem.1" else self.stem(x)
        activated = relu(features - 0.5)
        features = relu(features)
        return self.classify(self.body(activated) + F.avg_pool2d(features, 2))

    plain = variant(lambda self, x: around(self, x, torch.relu))()
    in_place = variant(lambda self, x: around(self, x, torch.relu_))()
    assert_same(explained(in_place, layer=layer).map, by_hand(plain, X, layer, 2))


class Twice(nn.Module):
    """One convolution called twice, inside a checkpoint or not."""

    def __init__(self, again=None, calls=2):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(4)
            self.first, self.shared = nn.Conv2d(3, 6, 3, 2, 1), nn.Conv2d(6, 6, 3, 1, 1)
            self.head = nn.Linear(6, 4)
        self.again, self.calls = again, calls

    def repeated(self, x):
        for _ in range(self.calls if isinstance(self.calls, int) else self.calls(x)):
            x = self.shared(x).relu()
        return x

    def forward(self, x):
        x = self.first(x).relu()
        x = self.repeated(x) if self.again is None else checkpoint(self.repeated, x, use_reentrant=self.again)
        return self.head(x.mean((2, 3)))


@pytest.mark.parametrize("again", [None, False])
@pytest.mark.parametrize("layer", ["first", "shared"])
def test_of_repeated_calls_the_last(again, layer):
    assert_same(explained(Twice(again), layer=layer).map, by_hand(Twice(), X, layer, 2))


@pytest.mark.parametrize("darker_first", [False, True])
def test_calls_that_depend_on_the_image(darker_first):
    model = Twice(calls=lambda x: 3 if x.mean() > 0.3 else 1)
    for x in (X * 0.1, X) if darker_first else (X, X * 0.1):
        assert_same(explained(model, x, layer="shared").map, by_hand(model, x, "shared", 2))


@pytest.mark.parametrize("name", ["stem", "same"])
def test_a_tied_module_by_either_name(name):
    model = Net()
    model.same = model.stem
    assert_same(explained(model, layer=name).map, wanted("stem"))


def changed_by_a_hook(model):
    model.body.register_forward_hook(lambda part, inputs, output: output * 2)
    return model


def test_the_users_own_hook_that_changes_an_output():
    why = explained(changed_by_a_hook(Net()), layer="body")
    doubled = variant(lambda self, x: self.classify(self.doubled(self.features(x))))()
    doubled.doubled = nn.Sequential(nn.Identity(), nn.Conv2d(6, 6, 1, bias=False))
    doubled.doubled[1].weight.data = 2 * torch.eye(6)[:, :, None, None]
    assert_same(why.map, by_hand(doubled, X, "doubled", 2))


def test_the_users_own_backward_hook():
    model, seen = Net(), []
    model.head.register_full_backward_hook(lambda part, given, got: seen.append(got[0].norm().item()))
    assert_same(explained(model, target=[1, 2])[1].map, wanted())


def with_weight_norm(model):
    parametrizations.weight_norm(model.body[0])


def with_spectral_norm(model):
    parametrizations.spectral_norm(model.body[0])


def with_old_spectral_norm(model):
    nn.utils.spectral_norm(model.body[0])


def with_pruning(model):
    prune.l1_unstructured(model.body[0], "weight", 0.5)


@pytest.mark.parametrize("change", [with_weight_norm, with_spectral_norm, with_old_spectral_norm, with_pruning])
def test_weights_made_from_other_weights(change):
    model, plain = Net(), Net()
    change(model)
    model.eval()(X[None])
    plain.body[0].weight.data = model.body[0].weight.detach().clone()
    model.train()
    assert_same(explained(model, layer="stem").map, by_hand(plain, X, "stem", 2))


# wrapped and compiled


def parallel(model):
    return nn.DataParallel(model)


def compiled(model):
    return torch.compile(model, backend="eager")


def compiled_ahead(model):
    return torch.compile(model, backend="aot_eager")


def compiled_in_place(model):
    model.compile(backend="eager")
    return model


def compiled_inside(model):
    model.body = torch.compile(model.body, backend="eager")
    return model


def compiled_method(model):
    model.features = torch.compile(model.features, backend="eager", fullgraph=True)
    return model


@pytest.mark.parametrize(
    "wrapper", [parallel, compiled, compiled_ahead, compiled_in_place, compiled_inside, compiled_method]
)
@pytest.mark.parametrize("ran", [False, True])
@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # torch.compile's own
def test_wrapped_or_compiled(wrapper, ran):
    model = wrapper(Net().eval())
    before = model(X[None]) if ran else None
    assert_same(explained(model, layer=None).map, wanted())
    if ran:
        torch.testing.assert_close(model(X[None]), before)


def test_a_compiled_model_is_not_compiled_again():
    frames = []
    model = Net().eval()
    fast = torch.compile(model, backend=lambda graph, inputs: frames.append(graph) or graph.forward)
    fast(X[None])
    before = len(frames)
    assert before
    for way in (model, fast):
        explained(way)
    fast(X[None])
    assert len(frames) == before


@pytest.mark.parametrize("make", [torch.jit.script, lambda m: torch.jit.trace(m, X[None])])
@pytest.mark.filterwarnings("ignore")
def test_torchscript_is_told(make):
    with pytest.raises(sw.SeeWhyError, match=r"(?i)script|traced"):
        sw.explain(make(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(3600, 2)).eval()), X)


# where autograd is cut


class Checkpointed(Net):
    where, again = (), False

    def forward(self, x):
        for name, part in (("stem", self.stem), ("body", self.body), ("head", self.classify)):
            x = checkpoint(part, x, use_reentrant=self.again) if name in self.where else part(x)
        return x


@pytest.mark.parametrize("where", ["stem", "body", "head", "stem body head"])
@pytest.mark.parametrize("layer", ["stem.0", "stem.2", "body.0", "body.2"])
@pytest.mark.parametrize("target", [2, [0, 2]])
def test_checkpoints(where, layer, target):
    model = Checkpointed()
    model.where = where.split()
    why = explained(model, layer=layer, target=target)
    assert_same((why if target == 2 else why[1]).map, wanted(layer))


@pytest.mark.parametrize("where", ["stem", "body", "head"])
@pytest.mark.parametrize("layer", ["stem.0", "body.0", "body"])
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")
def test_reentrant_checkpoints_are_told(where, layer):
    model = Checkpointed()
    model.where, model.again = [where], True
    if where == "stem" and layer != "stem.0":  # the only checkpoint is behind us
        assert_same(explained(model, layer=layer).map, wanted(layer))
    else:
        with pytest.raises(sw.EvidenceError, match="checkpoint"):
            explained(model, layer=layer)


def test_a_checkpointed_transformer_has_the_default_of_the_plain_one():
    plain, saving = Tokens(), Tokens()
    saving.blocks = nn.ModuleList(Saving(block) for block in saving.blocks)
    one, other = explained(plain, layer=None), explained(saving, layer=None)
    assert (one.layer, other.layer) == ("blocks.1.norm1", "blocks.1.block.norm1")
    assert_same(other.map, one.map)


class Saving(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        return checkpoint(self.block, x, use_reentrant=False)


def no_grad_backbone(self, x):
    with torch.no_grad():
        features = self.features(x)
    return self.classify(features)


@torch.no_grad()
def no_grad_throughout(self, x):
    return self.classify(self.features(x))


@pytest.mark.parametrize("forward", [no_grad_backbone, no_grad_throughout])
@pytest.mark.parametrize("layer", [None, "stem.0", "body.2"])
def test_no_grad_inside_the_models_forward(forward, layer):
    assert_same(explained(variant(forward)(), layer=layer).map, wanted(layer or "body.2"))
    assert torch.is_grad_enabled()


def detached_after_the_stem(self, x):
    return self.classify(self.body(self.stem(x).detach()))


def test_detach_before_the_layer_changes_nothing():
    assert_same(explained(variant(detached_after_the_stem)()).map, wanted())


def test_detach_after_the_layer_is_told():
    with pytest.raises(sw.SeeWhyError, match="detach"):
        explained(variant(detached_after_the_stem)(), layer="stem.0")


def detached_before_the_head(self, x):
    return self.classify(self.features(x).detach())


def detached_scores(self, x):
    return Net.forward(self, x).detach()


def inference_inside(self, x):
    with torch.inference_mode():
        features = self.features(x)
    return self.classify(features.clone())


def through_numpy(self, x):
    return self.classify(torch.from_numpy(self.features(x).detach().numpy()))


@pytest.mark.parametrize("forward", [detached_before_the_head, detached_scores, inference_inside, through_numpy])
@pytest.mark.parametrize("layer", [None, "body.0"])
def test_cuts_are_told(forward, layer):
    with pytest.raises(sw.SeeWhyError):
        explained(variant(forward)(), layer=layer)


class Doubled(torch.autograd.Function):
    """An operation that vmap does not know, with a backward that leaves autograd's world."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return torch.from_numpy(gradient.numpy() * 2) if float(gradient.abs().sum()) > 0 else gradient


def test_several_targets_through_an_operation_without_a_batching_rule():
    model = variant(lambda self, x: self.classify(Doubled.apply(self.features(x))))()
    one, two = explained(model, target=[1, 2])
    assert_same(one.map, 2 * wanted(target=1))
    assert_same(two.map, 2 * wanted(target=2))


# outputs

Pair = namedtuple("Pair", "first second")

SHAPES = {
    "tensor": lambda y: y,
    "tuple": lambda y: (y, None),
    "list": lambda y: [y],
    "named tuple": lambda y: Pair(y, 3),
    "n, c, 1, 1": lambda y: y[:, :, None, None],
    "dict": lambda y: {"logits": y},
    "logits among others": lambda y: {"embedding": y * 2 + 1, "logits": y, "loss": y.sum()},
    "object": lambda y: SimpleNamespace(loss=None, logits=y),
    "loss, logits": lambda y: (y.sum(), y),
    "nested": lambda y: {"main": (y,), "ids": torch.arange(len(y))},
    "int keys": lambda y: OrderedDict({0: y}),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_where_the_scores_are(shape):
    why = explained(variant(lambda self, x: shape(Net.forward(self, x)))())
    np.testing.assert_allclose(why.scores, Net().eval()(X[None])[0].detach().numpy(), atol=1e-6)
    assert_same(why.map, wanted())


def test_outputs_of_inner_modules_with_keys_that_are_no_words():
    class Backbone(Net):
        def forward(self, x):
            return OrderedDict({0: self.features(x)})

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = Backbone()

        def forward(self, x):
            return self.backbone.classify(self.backbone(x)[0])

    assert_same(explained(Model(), layer="backbone").map, wanted("body"))


ONE = {
    "n, 1": lambda y: y,
    "n": lambda y: y[:, 0],
    "squeezed": lambda y: y.squeeze(),
    "n, 1, 1, 1": lambda y: y[..., None, None],
}


@pytest.mark.parametrize("shape", ONE.values(), ids=ONE)
def test_one_logit_has_two_classes(shape):
    model = variant(lambda self, x: shape(Net.forward(self, x)))(classes=1)
    zero, one = explained(model, target=[0, 1])
    expected = wanted(target=0, classes=1)
    assert_same(one.map, expected)
    assert_same(zero.map, -expected)
    assert one.score == -zero.score
    assert one.probability == pytest.approx(1 / (1 + np.exp(-one.score)), rel=1e-5)
    assert explained(model, target=None).index == int(one.score > 0)


def test_scores_squeezed_for_a_single_image():
    assert_same(explained(variant(lambda self, x: Net.forward(self, x).squeeze())()).map, wanted())


NOT_SCORES = {
    "boxes": lambda f: {"boxes": f.flatten(2), "labels": torch.ones(len(f), dtype=torch.long)},
    "mask": lambda f: {"out": f},
    "a list for each image": lambda f: [{"boxes": one.flatten(1)} for one in f],
    "nothing": lambda f: None,
}


@pytest.mark.parametrize("shape", NOT_SCORES.values(), ids=NOT_SCORES)
def test_outputs_without_scores_are_told(shape):
    with pytest.raises(sw.EvidenceError, match=r"looks like scores[\s\S]*output"):
        sw.explain(variant(lambda self, x: shape(self.features(x)))(), X)


def test_a_function_of_outputs_without_scores():
    model = variant(lambda self, x: {"boxes": self.features(x).flatten(2)})()

    def largest(outputs):
        return outputs["boxes"][:, 3].square().sum(1)

    expected = by_hand(model, X, "stem.2", lambda outputs: largest(outputs)[0])
    assert_same(explained(model, target=sw.output(largest), layer="stem.2").map, expected)
    single = explained(model, target=lambda one: one["boxes"][3].square().sum(), layer="stem.2")
    assert_same(single.map, expected)
    assert len(single.scores) == 0


@pytest.mark.parametrize("asked", ["aux", lambda out: out["aux"]])
def test_scores_that_the_user_points_at(asked):
    model = variant(lambda self, x: {"logits": self.classify(self.features(x)), "aux": self.stem(x).mean((2, 3))})()
    main, aux = sw.wrap(model), sw.wrap(model, outputs=asked)
    for first, second in ((main, aux), (aux, main)):  # what is remembered of one must not be used for the other
        model = copy.deepcopy(model)
        layers = [sw.explain(sw.wrap(model, outputs=one.outputs), X).layer for one in (first, second)]
        assert layers == (["body.2", "stem.2"] if first is main else ["stem.2", "body.2"])


def test_a_loss_beside_the_scores_is_none_of_them():
    why = explained(variant(lambda self, x: (Net.forward(self, x).sum(), Net.forward(self, x)))())
    assert not why.notes


@pytest.mark.parametrize("name", ["told", "labels", "prepare"])
def test_a_module_may_hold_anything_under_any_name(name):
    model = Net()
    setattr(model, name, {"labels": ["a"]})
    assert_same(explained(model).map, wanted())
    assert_same(explained(sw.wrap(model)).map, wanted())


def test_two_unnamed_candidates_for_scores_are_not_passed_over_in_silence():
    def forward(self, x):
        features = self.features(x)
        return features.mean((2, 3)), self.classify(features)

    why = sw.explain(variant(forward)(), X)
    assert len(why.scores) == 5 or why.notes


# softmax at the end

ENDS = {
    "softmax": (lambda y: y.softmax(1), "softmax"),
    "F.softmax": (lambda y: F.softmax(input=y, dim=-1), "softmax"),
    "nn.Softmax": (nn.Softmax(dim=1), "softmax"),
    "torch.special.softmax": (lambda y: torch.special.softmax(y, 1), "softmax"),
    "log_softmax": (lambda y: torch.log_softmax(y, 1), "log-softmax"),
    "nn.LogSoftmax": (nn.LogSoftmax(dim=1), "log-softmax"),
    "torch.special.log_softmax": (lambda y: torch.special.log_softmax(y, 1), "log-softmax"),
    "sigmoid": (lambda y: y.sigmoid(), "sigmoid"),
    "sigmoid_": (lambda y: y.sigmoid_(), "sigmoid"),
    "nn.Sigmoid": (nn.Sigmoid(), "sigmoid"),
    "expit": (lambda y: torch.special.expit(y), "sigmoid"),
    "clipped": (lambda y: y.sigmoid().clamp(1e-6, 1 - 1e-6), "sigmoid"),
    "in a dict": (lambda y: {"probs": y.softmax(1)}, "softmax"),
    "in float32": (lambda y: y.softmax(1).double(), "softmax"),
    "two heads": (lambda y: (y.softmax(1), (y * 2).softmax(1)), "softmax"),
}


@pytest.mark.parametrize(("end", "word"), ENDS.values(), ids=ENDS)
def test_the_scores_before_the_end_are_explained(end, word):
    model = variant(lambda self, x: self.end(Net.forward(self, x)))()
    model.end = end
    why, plain = explained(model), explained(Net())
    assert_same(why.map, plain.map)
    np.testing.assert_allclose(why.scores, plain.scores, atol=1e-6)
    assert any(f"ends in {word};" in note for note in why.notes)
    expected = 1 / (1 + np.exp(-plain.scores)) if word == "sigmoid" else plain.probabilities
    np.testing.assert_allclose(why.probabilities, expected, atol=1e-6)
    assert not plain.notes


def test_a_clipped_end_is_seen_also_where_it_is_clipped():
    model = variant(lambda self, x: (80 * Net.forward(self, x)).sigmoid().clamp(1e-6, 1 - 1e-6))().eval()
    why = explained(model, 5 * X)
    np.testing.assert_allclose(why.scores, 80 * Net().eval()(5 * X[None])[0].detach().numpy(), rtol=1e-4)
    assert np.abs(why.scores).max() > 15


def test_a_gate_is_not_taken_for_the_end():
    def forward(self, x):
        features = self.features(x)
        return self.classify(features) + 0 * features.mean((2, 3)).sigmoid()[:, :5]

    why = explained(variant(forward)())
    assert_same(why.map, wanted())
    assert not why.notes


HIDDEN = {
    "softmax": (lambda y: y.exp() / y.exp().sum(1, keepdim=True), torch.log),
    "log-softmax": (lambda y: y - y.logsumexp(1, keepdim=True), lambda y: y),
    "mean of two": (lambda y: (y.softmax(1) + (3 * y).softmax(1)) / 2, torch.log),
}


@pytest.mark.parametrize(("end", "log"), HIDDEN.values(), ids=HIDDEN)
def test_where_the_step_before_cannot_be_found_log_p_is_explained_and_said(end, log):
    model = variant(lambda self, x: end(Net.forward(self, x)))()
    why = explained(model)
    assert_same(why.map, by_hand(model, X, "body.2", lambda outputs: log(outputs)[0, 2]), 1e-4)
    assert any("log p" in note for note in why.notes)


SQUASHED = {
    "1 / (1 + exp(-z))": lambda y: 1 / (1 + (-y).exp()),
    "exp(z) / (1 + exp(z))": lambda y: y.exp() / (1 + y.exp()),
    "tanh": lambda y: 0.5 + 0.5 * (y / 2).tanh(),
    "hardsigmoid": F.hardsigmoid,
    "smoothed sigmoid": lambda y: 0.01 + 0.98 * y.sigmoid(),
}


@pytest.mark.parametrize("classes", [1, 5])
@pytest.mark.parametrize("end", SQUASHED.values(), ids=SQUASHED)
def test_sigmoids_that_cannot_be_seen_are_known_by_what_they_give(end, classes):
    model, target = variant(lambda self, x: end(Net.forward(self, x)))(classes=classes), classes // 2
    why = explained(model, target=target)
    p = model.eval()(X[None])[0].detach().numpy()
    np.testing.assert_allclose(why.probabilities, [1 - p[0], p[0]] if classes == 1 else p, atol=1e-5)
    sign = 1 if classes > 1 else -1
    assert_same(why.map, sign * by_hand(model, X, "body.2", lambda p: torch.logit(p)[0, target]), 1e-3)
    assert any("log(p / (1 - p))" in note for note in why.notes)
    batch = list(sw.explain_many(model, torch.stack([X, image(seed=2)]), target=target, layer="body.2", signed=True))
    np.testing.assert_allclose(batch[0].probabilities, why.probabilities, atol=1e-5)


def test_a_sigmoid_that_cannot_be_seen_is_followed_where_it_is_rounded_to_one():
    model = variant(lambda self, x: 1 / (1 + (-20 - Net.forward(self, x)).exp()))()
    why = explained(model)
    assert why.probability > 1 - 1e-6
    assert not why.empty


@pytest.mark.parametrize(
    "make", [lambda: Net(classes=1), lambda: OneOfTokens(), lambda: Pooled()], ids=["net", "tokens", "no head"]
)
def test_scores_between_0_and_1_by_chance_stay_scores(make):
    model = make().eval()
    if hasattr(model, "head"):
        with torch.no_grad():
            model.head.weight.mul_(0.1), model.head.bias.fill_(0.5)
    z = float(model(X[None]).detach().flatten()[0])
    assert 0 < z < 1
    why = sw.explain(model, X, target=1)
    assert why.scores[1] == pytest.approx(z, abs=1e-5)
    assert not any("log" in note for note in why.notes)


class OneOfTokens(Tokens):
    """Behind its norm the scores are of the same size for every image."""

    def __init__(self):
        super().__init__(pooled=True)
        self.head = nn.Linear(16, 1)


class Pooled(Net):
    def forward(self, x):
        return self.features(x).mean((1, 2, 3))[:, None]


def test_an_image_of_nan_says_nothing_about_the_end_of_the_model():
    model = variant(lambda self, x: Net.forward(self, x).sigmoid())()
    bad, good = sw.explain_many(model, [torch.full_like(X, float("nan")), X], batch_size=1)
    assert not bad
    assert any("ends in sigmoid" in note for note in good.notes)


# several inputs, other shapes of model


@pytest.mark.parametrize("swapped", [False, True])
def test_several_inputs(swapped):
    class Siamese(Net):
        def forward(self, one, other):
            return self.classify(self.features(one) - 0.5 * self.features(other))

    def call(model, images):
        fixed = torch.full_like(images, 0.3)
        return model(fixed, images) if swapped else model(images, fixed)

    model = Siamese()
    expected = by_hand(model, X, "body.2", 2, call)  # the last call: of the second image
    assert_same(explained(sw.wrap(model, call=call)).map, expected)


@pytest.mark.parametrize("error", [TypeError("f() missing 1 required positional argument: 'y'"), KeyError("x")])
def test_errors_of_the_models_own_pass_as_they_are(error):
    def forward(self, x):
        raise error

    with pytest.raises(type(error)) as caught:
        sw.explain(variant(forward)(), X)
    assert caught.value is error


def test_auxiliary_heads_and_side_branches():
    class UNet(Net):
        def __init__(self):
            super().__init__()
            self.up, self.mask = nn.Upsample(scale_factor=2), nn.Conv2d(12, 2, 1)

        def forward(self, x):
            fine = self.stem(x)
            deep = self.body(fine)
            return self.mask(torch.cat([fine, self.up(deep)], 1)), self.classify(deep)

    model = UNet()
    why = explained(model, layer=None)
    assert why.layer == "body.2"
    assert_same(why.map, wanted())
    with pytest.raises(sw.InputError, match="scores do not depend"):
        explained(model, layer="mask")


def test_no_layer_with_height_and_width_is_told():
    with pytest.raises(sw.EvidenceError, match="no layer of Sequential gives a map"):
        sw.explain(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4)), X)


def test_images_of_other_shapes_than_the_first_convolution():
    grey = variant(lambda self, x: Net.forward(self, x.repeat(1, 3, 1, 1)))()
    assert_same(explained(grey, X[:1]).map, wanted(x=X[:1].repeat(3, 1, 1)))
    folded = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert_same(explained(folded, layer="1").map, by_hand(folded, X, "1", 2))


def test_a_convolution_without_known_channels():
    lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert sw.explain(lazy, X, signed=True).layer == "0"


def test_the_wrong_number_of_channels_is_told():
    model = Net()
    assert sw.layers(model, X)
    for wrong in (lambda: sw.explain(model, torch.rand(4, 32, 32)), lambda: sw.layers(model, torch.rand(4, 32, 32))):
        with pytest.raises(sw.InputError, match=r"\[4, 32, 32\]|\[1, 4, 32, 32\]"):
            wrong()
    with pytest.raises(sw.InputError, match="permute"):
        sw.explain(Net(), torch.rand(32, 32, 3))


@pytest.mark.parametrize("shape", [(32, 48), (40, 24), (33, 47)])
def test_pictures_that_are_not_square(shape):
    x = image(*shape)
    assert_same(explained(Net(), x, layer=None).map, wanted(x=x))


def test_strides_that_differ():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, (4, 1), 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    why = explained(model, layer=None)
    assert why.map.shape == (8, 32)
    assert_same(why.map, by_hand(model, X, "1", 2))


# what is remembered of a model


def pyramid():
    net = Net()
    net.tail = nn.Conv2d(6, 6, 3, 8, 1)
    net.classify = lambda features: net.head(net.tail(features).mean((2, 3)))
    return net


@pytest.mark.parametrize("small_first", [False, True])
def test_the_size_of_the_image_changes(small_first):
    model = pyramid()  # the tail gives 1 × 1 at 32 pixels and 2 × 2 at 64
    sizes = {32: "body.2", 64: "tail"}
    for side in sorted(sizes, reverse=not small_first):
        assert explained(model, image(side, side), layer=None).layer == sizes[side]


def test_a_transformer_at_another_size():
    model, fresh = Tokens(), Tokens()
    explained(model, image(32, 32), layer=None)
    x = image(24, 48)
    why = explained(model, x, layer=None)
    assert why.map.shape == (3, 6)
    assert_same(why.map, explained(fresh, x, layer=None).map)


def test_a_model_edited_between_calls():
    model = Net()
    explained(model)
    model.body = nn.Sequential(nn.Conv2d(6, 6, 1), nn.Sigmoid())
    assert explained(model, layer=None).layer == "body.1"
    assert_same(explained(model, layer="body.1").map, by_hand(model, X, "body.1", 2))


def test_a_layer_replaced_by_one_of_the_same_class():
    model = Tokens()
    assert explained(model, layer=None).map.shape == (4, 4)
    model.patches = nn.Conv2d(3, 16, 4, 4)
    assert explained(model, layer=None).map.shape == (8, 8)


def test_a_pooling_changed_in_place():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1), nn.Flatten())
    with pytest.raises(sw.InputError, match="after the pooling"):
        explained(model, layer="1")
    model[1].output_size = 2
    assert explained(model, layer="1").map.shape == (2, 2)


def test_a_told_grid_is_forgotten_with_its_wrapper():
    model = Tokens()
    assert explained(sw.wrap(model, grid=(2, 8)), layer=None).map.shape == (2, 8)
    assert explained(model, layer=None).map.shape == (4, 4)


def test_the_model_is_remembered_weakly():
    model = Net()
    gone = weakref.ref(model)
    sw.explain(sw.wrap(model, call=lambda model, x: model(x), outputs=lambda y: y), X, layer="all")
    why = sw.explain(model, X)
    del model
    gc.collect()
    assert gone() is None
    assert why.map.any()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_of_an_explained_model(copied):
    model = sw.wrap(Net(), labels=list("abcde"))
    explained(model)
    assert_same(explained(copied(model)).map, wanted())
    assert_same(explained(copied(model.module)).map, wanted())


@pytest.mark.parametrize("wrong", [{"layer": "bodi.2"}, {"layer": 99}, {"target": 5}, {"layer": "head"}])
def test_errors_survive_pickling(wrong):
    with pytest.raises(sw.SeeWhyError) as caught:
        explained(Net(), **wrong)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (caught.type, str(caught.value))


def in_threads(*jobs):
    errors = []

    def guarded(job):
        try:
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_two_threads_explain_one_model():
    model, expected = Net(), wanted()

    def job():
        for _ in range(10):
            assert_same(explained(model).map, expected)

    in_threads(job, job)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_two_threads_explain_models_that_share_a_part():
    one, other = Net(), Net(seed=7)
    other.stem, other.body = one.stem, one.body
    jobs = []
    for model in (one, other):
        expected = by_hand(model, X, "body.2", 2)

        def job(model=model, expected=expected):
            for _ in range(20):
                assert_same(explained(model).map, expected)

        jobs.append(job)
    in_threads(*jobs)
    assert all(parameter.requires_grad for parameter in one.parameters())


# the layer that is asked for


@pytest.mark.parametrize("asked", ["body.2", lambda m: m.body[2], -1, np.int64(-1), 7])
def test_one_layer_in_every_way_of_asking(asked):
    model = Net()
    layer = asked(model) if callable(asked) else asked
    assert explained(model, layer=layer).layer in ("body.2", "body")
    assert_same(explained(model, layer=layer).map, wanted())


def test_several_layers():
    model = Net()
    asked = ["stem.0", model.body[0], -1]
    for why, name in zip(explained(model, layer=asked), ["stem.0", "body.0", "body.2"], strict=True):
        assert_same(why.map, wanted(name))
    every = explained(model, layer="all")
    assert [why.layer for why in every] == [layer.name for layer in sw.layers(model, X) if layer.block]
    assert {"stem.0", "body.2"} <= {why.layer for why in every}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("bodi.2", "did you mean 'body.2'"),
        ("unused", "it never ran"),
        ("head", "no height and width"),
        ("pooled", "1 × 1"),
        ("", "no layer is called ''"),
        (99, r"layer 99 of \d+ usable layers"),
        (-99, r"layer -99 of \d+ usable layers"),
        (nn.ReLU(), "no part of"),
        ([], "empty list"),
        (["body.2", "nowhere"], "no layer is called 'nowhere'"),
    ],
)
def test_layers_that_cannot_be_taken_are_told(asked, words):
    model = variant(lambda self, x: self.head(self.pooled(self.features(x)).flatten(1)))()
    model.unused, model.pooled = nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1)
    with pytest.raises(sw.InputError, match=words):
        sw.explain(model, X, layer=asked)


# invariances


def test_a_constant_on_all_logits_changes_no_map():
    shifted = Net()
    shifted.head.bias.data += 100
    assert_same(explained(shifted).map, wanted())


@pytest.mark.parametrize("scale", [0.01, 3.0, -2.0])
def test_the_map_scales_with_the_logits(scale):
    scaled = Net()
    scaled.head.weight.data *= scale
    assert_same(explained(scaled).map, scale * wanted())


@pytest.mark.parametrize("method", ["gradcam", "hirescam"])
def test_batch_mates_and_batch_size_change_no_map(method):
    images = [image(seed=seed) for seed in range(5)]
    alone = [explained(Net(), x, method=method) for x in images]
    for size in (1, 2, 5):
        options = {"target": 2, "layer": "body.2", "signed": True, "method": method}
        together = list(sw.explain_many(Net(), images[::-1], batch_size=size, **options))[::-1]
        for one, other in zip(alone, together, strict=True):
            assert_same(other.map, one.map)


@pytest.mark.parametrize("others", [["stem.0"], ["body.0", "stem.2"], ["body.2", "body.1"]])
def test_other_layers_of_the_pass_change_no_map(others):
    for order in ([*others, "body.0"], ["body.0", *others]):
        why = explained(Net(), layer=order)[order.index("body.0")]
        assert_same(why.map, wanted("body.0"))


def test_targets_together_and_alone():
    targets = [0, sw.versus(1, 2), sw.against(3), sw.probability(4), lambda scores: scores[1] - scores[2]]
    together = explained(Net(), target=targets)
    for target, why in zip(targets, together, strict=True):
        assert_same(why.map, explained(Net(), target=target).map)
    assert_same(together[4].map, together[1].map)


def test_more_targets_than_one_backward_pass_takes(monkeypatch):
    from seewhy.models.torch import runs

    monkeypatch.setattr(runs, "_GRADIENT_ROOM", 6 * 8 * 8 * 2)
    for target, why in enumerate(explained(Net(), target=[0, 1, 2, 3, 4])):
        assert_same(why.map, wanted(target=target))


def test_dropout_that_never_rests_gives_the_same_map_twice():
    model = variant(lambda self, x: self.classify(F.dropout(self.features(x), 0.5, training=True)))()
    one, two = explained(model), explained(model)
    assert one.map.any()
    np.testing.assert_array_equal(one.map, two.map)


def test_attention_of_multihead_modules():
    model = Tokens(pooled=True)
    why = explained(model, layer="blocks.0")
    seen = []
    model.blocks[0].register_forward_hook(lambda part, inputs, output: seen.append(output) or output.retain_grad())
    model(X[None])[0, 2].backward()
    A, g = seen[0][0, 1:].detach(), seen[0].grad[0, 1:]
    assert_same(why.map, (A @ g.mean(0)).reshape(4, 4).numpy())
    assert isinstance(model.blocks[0], Block)


# the layer that is found, in architectures that people use


def revived(model):
    """Some libraries start heads and the ends of blocks at zero, through which nothing comes back."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1 and not parameter.any():
                nn.init.normal_(parameter, std=0.1)
    return model


def defaults(make, side, expected):
    torch.manual_seed(0)
    model = revived(make())
    why = sw.explain(model, image(side, side), signed=True)
    assert why.layer in expected
    assert min(why.map.shape) > 1
    assert why.map.any()


TORCHVISION = {
    "resnet18": (64, {}, ["layer4.1", "layer4"]),
    "mobilenet_v2": (64, {}, ["features.18", "features.18.2"]),
    "mobilenet_v3_small": (64, {}, ["features.12"]),
    "vgg11": (64, {}, ["features.19"]),
    "densenet121": (64, {}, ["features.norm5", "features"]),
    "efficientnet_b0": (64, {}, ["features.8"]),
    "convnext_tiny": (64, {}, ["features.7.2", "features.7"]),
    "swin_t": (64, {}, ["permute", "norm", "features.7.1"]),
    "googlenet": (64, {"init_weights": False}, ["inception5b"]),
}


SLOW = ("vgg11",)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in TORCHVISION]
)
def test_default_layer_of_torchvision(name):
    models = pytest.importorskip("torchvision.models")
    side, options, expected = TORCHVISION[name]
    classes = 10
    defaults(lambda: getattr(models, name)(weights=None, num_classes=classes, **options), side, expected)


def test_default_layer_of_torchvisions_vit():
    models = pytest.importorskip("torchvision.models")
    make = lambda: models.VisionTransformer(64, 16, 2, 2, 32, 64, num_classes=5)  # noqa: E731
    defaults(make, 64, ["encoder.layers.encoder_layer_1.ln_1"])


SMALL = {"img_size": 64, "depth": 2}
TIMM = {
    "class token": ("vit_tiny_patch16_224", SMALL, 64, ["blocks.1.norm1"]),
    "patches of 8 pixels": ("vit_tiny_patch16_224", {**SMALL, "patch_size": 8}, 64, ["blocks.1.norm1"]),
    "mean of tokens": ("vit_tiny_patch16_224", {**SMALL, "global_pool": "avg"}, 64, ["norm", "fc_norm", "blocks.1"]),
    "attention pooling": ("vit_base_patch16_siglip_224", {**SMALL, "embed_dim": 96, "num_heads": 2}, 64, ["norm"]),
    "registers": ("vit_small_patch14_reg4_dinov2", {"img_size": 70, "depth": 2}, 70, ["blocks.1.norm1"]),
    "distilled": ("deit_tiny_distilled_patch16_224", SMALL, 64, ["blocks.1.norm1"]),
    "swin": ("swin_tiny_patch4_window7_224", {"img_size": 64, "window_size": 4, "depths": (1, 1)}, 64, ["norm"]),
    "mixer": ("mixer_s32_224", {"img_size": 64}, 64, ["norm", "blocks.7"]),
    "convnext": ("convnext_atto", {}, 64, ["norm_pre", "stages.3"]),
    "resnet": ("resnet10t", {}, 64, ["layer4.0", "layer4"]),
    "space to depth": ("tresnet_m", {}, 64, ["body.layer4.2", "body.layer4", "body"]),
    "positions in attention": (
        "coat_lite_tiny",
        {"img_size": 64},
        64,
        ["serial_blocks4.1.norm1", "serial_blocks4.1.cpe"],
    ),
}


@pytest.mark.parametrize("kind", TIMM)
def test_default_layer_of_timm(kind):
    timm = pytest.importorskip("timm")
    name, options, side, expected = TIMM[kind]
    defaults(lambda: timm.create_model(name, pretrained=False, num_classes=5, **options), side, expected)


@pytest.mark.parametrize(
    ("name", "known"),
    [("resnet10t.c3_in1k", True), ("convnext_atto.d2_in1k", True), ("vit_tiny_patch16_224.augreg_in21k", False)],
)
def test_imagenets_labels_are_for_weights_from_imagenet(name, known):
    timm = pytest.importorskip("timm")
    model = timm.create_model(name, pretrained=False, num_classes=1000)
    assert (sw.wrap(model).labels is not None) is known


def test_what_goes_wrong_in_timm_is_not_kept_quiet():
    timm = pytest.importorskip("timm")
    model = timm.create_model("resnet10t", pretrained=False)
    model.pretrained_cfg = {**model.pretrained_cfg, "crop_pct": "all"}
    with pytest.raises(TypeError):
        sw.wrap(model)


TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 64,
    "patch_size": 8,
    "num_labels": 5,
}
STAGES = {"depths": [1, 1], "num_labels": 5}
WINDOWS = {**STAGES, "image_size": 64, "patch_size": 4, "embed_dim": 16, "num_heads": [2, 2], "window_size": 4}
TRANSFORMERS = {
    "ViT": (TINY, [r"vit\.(encoder\.layer|layers)\.1\.layernorm_before"]),
    "Dinov2": (TINY, ["dinov2", r"dinov2\.layernorm"]),
    "Beit": (TINY, [r"beit\.encoder", r"beit\.(encoder\.layer|layers)\.1", r"beit\.layernorm"]),
    "Swin": (WINDOWS, [r"swin\.layernorm"]),
    "Swinv2": (WINDOWS, [r"swinv2\.layernorm"]),
    "ResNet": ({**STAGES, "embedding_size": 8, "hidden_sizes": [8, 16], "layer_type": "basic"}, [r"resnet\.encoder.*"]),
    "ConvNext": ({**STAGES, "hidden_sizes": [8, 16], "num_stages": 2}, [r"convnext\.encoder.*"]),
    "MobileNetV2": ({"num_labels": 5}, [r"mobilenet_v2\.conv_1x1.*"]),
}


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_default_layer_of_transformers(kind):
    transformers = pytest.importorskip("transformers")
    options, expected = TRANSFORMERS[kind]
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**options)
    model = revived(getattr(transformers, f"{kind}ForImageClassification")(config))
    why = sw.explain(model, image(64, 64), signed=True)
    assert any(re.fullmatch(pattern, why.layer) for pattern in expected), why.layer
    assert min(why.map.shape) > 1
    assert why.map.any()


class PaddedInside(nn.Conv2d):
    """A convolution that pads its input itself, as ports of TensorFlow's networks have it."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 3)
        self.pad = nn.ZeroPad2d(1)

    def forward(self, x):
        return super().forward(self.pad(x))


def test_layer_guided_maps_count_a_convolution_with_its_norm_and_activation_once():
    first, second = [PaddedInside(3, 4), nn.BatchNorm2d(4), nn.ReLU()], [nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()]
    model = nn.Sequential(*first, *second, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()
    assert guides(sw.layers(model, image())) == ["2", "4"]


def test_identities_are_no_blocks_of_their_own():
    identities = [nn.Identity(), nn.Dropout2d(0.5), nn.Identity()]
    trunk = [nn.Conv2d(3, 4, 3), nn.ReLU(), *identities, nn.Conv2d(4, 4, 3), nn.Dropout(0)]
    model = nn.Sequential(*trunk, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()
    x = torch.rand(3, 12, 12)
    assert [one.name for one in sw.layers(model, x) if one.block] == ["0", "1", "5"]
    assert [one.layer for one in sw.explain(model, x, layer="all")] == ["0", "1", "5"]
    assert sw.explain(model, x, layer="3").layer == "3"  # asked for by name they are there
