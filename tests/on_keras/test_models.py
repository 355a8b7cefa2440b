"""Keras models of all shapes: the same map as a plainer twin gives, names, scores before the end, and what is said."""

import keras
import numpy as np
import pytest
from keras import layers as L

import seewhy as sw
from tests import papers
from tests.on_keras import nets

IMAGE = nets.image()


def signed(model, image=IMAGE, **more):
    return sw.explain(model, image, **{"target": 1, "signed": True, **more})


def same(one, other, tolerance=1e-5):
    assert np.abs(other.map).max() > 0
    np.testing.assert_allclose(one.map, other.map, rtol=0, atol=tolerance * np.abs(other.map).max())


def test_a_nested_model_gives_the_map_of_its_layers_in_one_graph():
    model = nets.nested()
    why = signed(model)
    assert why.layer == "backbone/last"
    same(why, signed(nets.flattened(model)))


def test_layers_inside_a_backbone_are_reached_by_path_name_and_object():
    model = nets.nested()
    wanted = signed(model, layer="backbone/add")
    for asked in ("add", "nested/backbone/add", model.get_layer("backbone").get_layer("add")):
        found = signed(model, layer=asked)
        assert found.layer == "backbone/add"
        np.testing.assert_array_equal(found.map, wanted.map)


def test_a_name_that_two_layers_have_is_refused_with_both_paths():
    x = keras.Input((32, 32, 3))
    y = keras.ops.concatenate([nets.backbone(name="one")(x), nets.backbone(name="two")(x)])
    model = keras.Model(x, L.Dense(2)(L.GlobalAveragePooling2D()(y)))
    with pytest.raises(sw.InputError, match="'one/last' or 'two/last'"):
        sw.explain(model, IMAGE, layer="last")


def test_a_wrong_name_gets_the_nearest():
    with pytest.raises(sw.UnknownNameError, match="conv2"):
        sw.explain(nets.nested(), IMAGE, layer="cnv2")


def test_the_table_of_layers():
    table = sw.layers(nets.nested())
    by_name = {layer.name: layer for layer in table}
    assert by_name["backbone/last"].default
    assert by_name["backbone/conv1"].grid == (16, 16)
    assert by_name["backbone/conv1"].parameters == 3 * 3 * 3 * 6
    assert not by_name["head"].usable
    assert "→" in repr(table)


def test_all_layers_are_those_that_end_a_step():
    model = nets.nested()
    found = sw.explain(model, IMAGE, layer="all", target=1)
    assert [one.layer for one in found] == [f"backbone/{name}" for name in ("relu1", "conv2", "add", "last")]


def test_layers_that_do_nothing_in_inference_are_no_steps():
    plain = nets.nested()
    layers = [L.RandomFlip(), L.RandomZoom(0.1), L.Identity(), L.Activation("linear"), L.GaussianNoise(0.1)]
    model = keras.Sequential([keras.Input((32, 32, 3)), *layers, plain])
    assert [one.layer.rpartition("/")[2] for one in sw.explain(model, IMAGE, layer="all")] == [
        "relu1",
        "conv2",
        "add",
        "last",
    ]


def test_what_a_layer_raises_is_not_laid_on_the_picture():
    class Bad(L.Layer):
        def call(self, x):
            raise RuntimeError("boom")

        def compute_output_shape(self, shape):
            return shape

    x = keras.Input((32, 32, 3))
    model = keras.Model(x, L.Dense(2)(L.GlobalAveragePooling2D()(Bad()(L.Conv2D(4, 3)(x)))))
    with pytest.raises(RuntimeError, match="boom"):
        sw.explain(model, IMAGE)


def test_frozen_as_unfrozen():
    model = nets.nested()
    wanted = signed(model)
    model.trainable = False
    same(signed(model), wanted, 0)


def test_sequential_without_input_as_with_one():
    layers = [L.Conv2D(6, 3), L.ReLU(), L.GlobalAveragePooling2D(), L.Dense(3)]
    bare = keras.Sequential(layers)
    why = signed(bare)  # builds it
    nets.drawn(bare)
    same(signed(bare), signed(keras.Sequential([keras.Input((32, 32, 3)), *layers])))
    assert why.map.shape == (30, 30)


def test_a_subclassed_model_and_the_last_call_of_a_shared_layer():
    model = nets.Subclassed()
    model(IMAGE[None])
    nets.drawn(model)
    why = signed(model)
    assert why.layer.startswith("re_lu")
    x = nets.by_loops([model.norm], np.maximum(keras.ops.convert_to_numpy(model.a(IMAGE[None]))[0], 0))
    y = np.maximum(keras.ops.convert_to_numpy(model.b(x[None].astype("float32")))[0], 0)
    y = np.maximum(y * 1.5 - 0.1, 0)
    weights = keras.ops.convert_to_numpy(model.out.kernel.value)[:, 1]
    wanted = y @ weights / (y.shape[0] * y.shape[1])
    np.testing.assert_allclose(why.map, wanted, rtol=0, atol=2e-5 * np.abs(wanted).max())


# scores before the end


def ended(end):
    """The same weights with scores at the end and with `end` behind them."""
    layers = [L.Conv2D(6, 3), L.ReLU(), L.GlobalAveragePooling2D()]
    if isinstance(end, str):
        head, tail = L.Dense(4, activation=end), []
    else:
        head, tail = L.Dense(4), [end]
    model = nets.sequential(*layers, head, *tail, side=(32, 32, 3))
    plain = L.Dense(4)
    twin = keras.Sequential([keras.Input((32, 32, 3)), *layers, plain])
    plain.set_weights(head.get_weights())
    return model, twin


ENDS = {
    "softmax in the layer": lambda: "softmax",
    "Softmax": L.Softmax,
    "Activation": lambda: L.Activation("softmax"),
    "log-softmax": lambda: "log_softmax",
    "sigmoid": lambda: "sigmoid",
    "float32 behind mixed precision": lambda: L.Activation("softmax", dtype="float32"),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_is_explained_is_the_score_before_the_end(end):
    model, twin = ended(ENDS[end]())
    why, wanted = signed(model), signed(twin)
    np.testing.assert_allclose(why.scores, wanted.scores, rtol=1e-5, atol=1e-6)
    same(why, wanted)
    assert "the score before it" in " ".join(why.notes)
    assert not wanted.notes


def test_a_softmax_inside_call_is_found_too():
    model = nets.Subclassed("softmax")
    model(IMAGE[None])
    nets.drawn(model)
    twin = nets.Subclassed()
    twin(IMAGE[None])
    twin.set_weights(model.get_weights())
    same(signed(model), signed(twin))


def test_probabilities_made_by_hand_are_explained_as_log_p():
    layers = [L.Conv2D(6, 3), L.ReLU(), L.GlobalAveragePooling2D(), L.Dense(4)]

    class Handmade(L.Layer):
        def call(self, x):
            raised = keras.ops.exp(x)
            return raised / keras.ops.sum(raised, -1, keepdims=True)

    model = nets.sequential(*layers, Handmade(), side=(32, 32, 3))
    twin = keras.Sequential([keras.Input((32, 32, 3)), *layers])
    why = signed(model)
    assert "log p is explained" in " ".join(why.notes)
    scores = signed(twin).scores
    p = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(why.scores, np.log(p), rtol=1e-4, atol=1e-5)
    maps = np.stack([signed(twin, target=c).map for c in range(4)])
    wanted = maps[1] - np.tensordot(p, maps, 1)  # d log p = dy_1 - sum p dy
    np.testing.assert_allclose(why.map, wanted, rtol=0, atol=2e-5 * np.abs(maps).max())


class HandmadeSigmoid(L.Layer):
    def call(self, x):
        return 1 / (1 + keras.ops.exp(-x))


@pytest.mark.parametrize("outputs", [1, 4])
def test_a_sigmoid_made_by_hand_is_explained_as_log_odds(outputs):
    layers = [L.Conv2D(6, 3), L.ReLU(), L.GlobalAveragePooling2D(), L.Dense(outputs, kernel_initializer="zeros")]
    model = nets.sequential(*layers, HandmadeSigmoid(), side=(32, 32, 3))
    layers[-1].kernel.assign(0.3 * layers[-1].kernel.value)
    twin = keras.Sequential([keras.Input((32, 32, 3)), *layers, L.Activation("sigmoid")])
    why, wanted = signed(model), signed(twin)
    assert "log(p / (1 - p))" in " ".join(why.notes)
    np.testing.assert_allclose(why.probabilities, wanted.probabilities, rtol=1e-4, atol=1e-5)
    same(why, wanted, 1e-3)


@pytest.mark.parametrize("norm", [[], [L.LayerNormalization()]], ids=["plain", "whatever the brightness"])
def test_scores_that_lie_between_0_and_1_by_chance_stay_scores(norm):
    layers = [L.Conv2D(6, 3), L.ReLU(), L.GlobalAveragePooling2D(), *norm]
    model = nets.sequential(*layers, L.Dense(2, name="head"), side=(32, 32, 3))
    head = model.get_layer("head")
    head.kernel.assign(1e-3 * head.kernel.value)
    head.bias.assign(np.array([0.4, 0.7]))
    assert signed(model).score == pytest.approx(0.7, abs=0.05)


def test_one_logit_has_two_sides():
    model = nets.sequential(
        L.Conv2D(6, 3), L.ReLU(), L.GlobalAveragePooling2D(), L.Dense(1, activation="sigmoid"), side=(32, 32, 3)
    )
    yes, no = signed(model), signed(model, target=0)
    np.testing.assert_allclose(yes.map, -no.map)
    probability = float(keras.ops.convert_to_numpy(model(IMAGE[None]))[0, 0])
    assert yes.probability == pytest.approx(probability, abs=1e-5)


# inputs and outputs


def two_heads(**more):
    x = keras.Input((32, 32, 3))
    y = L.ReLU(name="last")(L.Conv2D(6, 3)(x))
    pool = L.GlobalAveragePooling2D()(y)
    kind, size = L.Dense(4, name="kind")(pool), L.Dense(1, name="size")(pool)
    return nets.drawn(keras.Model(x, {"kind": kind, "size": size} if more.get("names") else [kind, size]))


def test_several_outputs_as_list_and_dictionary():
    model = two_heads()
    why = signed(model)
    assert len(why.scores) == 4
    assert "outputs=" in " ".join(why.notes)
    same(signed(sw.wrap(model, outputs="kind")), why)
    assert len(signed(sw.wrap(model, outputs="size")).scores) == 2  # one logit has two sides
    named = two_heads(names=True)
    assert len(signed(sw.wrap(named, outputs="kind")).scores) == 4


def test_a_function_of_the_outputs():
    model = two_heads()
    why = signed(sw.wrap(model, outputs=0), target=sw.output(lambda outputs: outputs[0][:, 1] * 2))
    wanted = signed(sw.wrap(model, outputs=0))
    np.testing.assert_allclose(why.map, 2 * wanted.map, rtol=1e-4, atol=1e-7)


def test_several_inputs_through_wrap():
    x, age = keras.Input((32, 32, 3)), keras.Input((1,))
    y = L.GlobalAveragePooling2D()(L.ReLU(name="last")(L.Conv2D(6, 3)(x)))
    model = nets.drawn(keras.Model([x, age], L.Dense(3)(L.Concatenate()([y, age]))))

    def call(model, images):
        return model([images, keras.ops.ones((keras.ops.shape(images)[0], 1))], training=False)

    why = signed(sw.wrap(model, call=call))
    assert why.layer == "last"
    wanted = model.predict([IMAGE[None], np.ones((1, 1))], verbose=0)[0]
    np.testing.assert_allclose(why.scores, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_gives_nearly_the_map_of_float32(policy):
    wanted = signed(nets.nested())
    keras.config.set_dtype_policy(policy)
    try:
        model = nets.nested()
        found = signed(model)
    finally:
        keras.config.set_dtype_policy("float32")
    assert found.map.dtype == np.float32
    distance = np.linalg.norm(found.map - wanted.map) / np.linalg.norm(wanted.map)
    assert distance < (0.05 if policy == "mixed_bfloat16" else 0.015)


def test_augmentation_and_dropout_rest_while_explained():
    layers = [L.RandomFlip(), L.RandomRotation(0.3), L.Conv2D(6, 3), L.ReLU(name="last"), L.SpatialDropout2D(0.5)]
    model = nets.sequential(*layers, L.GlobalAveragePooling2D(), L.Dense(3), side=(32, 32, 3))
    same(signed(model), signed(model), 0)


def test_channels_first_where_the_backend_can():
    if keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow on the CPU has no channels-first convolutions")
    layers = [L.Conv2D(6, 3, data_format="channels_first"), L.ReLU(name="last")]
    layers += [L.GlobalAveragePooling2D(data_format="channels_first"), L.Dense(3)]
    model = nets.sequential(*layers, side=(3, 32, 32))
    twin = nets.pooled(L.Conv2D(6, 3), L.ReLU(), side=(32, 32, 3))
    twin.set_weights(model.get_weights())
    same(signed(model, np.ascontiguousarray(IMAGE.transpose(2, 0, 1))), signed(twin))


def test_images_of_any_framework():
    model = nets.nested()
    wanted = signed(model)
    for image in (
        keras.ops.convert_to_tensor(IMAGE),
        keras.ops.convert_to_tensor(IMAGE[None]),
        IMAGE.astype("float64"),
    ):
        np.testing.assert_array_equal(signed(model, image).map, wanted.map)


def test_pictures_are_prepared_as_told():
    from PIL import Image

    picture = Image.fromarray((nets.image(40, 50) * 255).astype(np.uint8))
    model = nets.nested()
    with pytest.raises(sw.InputError, match="preparation is not known"):
        sw.explain(model, picture)
    why = sw.explain(sw.wrap(model, prepare="0..255@32"), picture, target=1)
    assert why.box[2] - why.box[0] == pytest.approx(why.box[3] - why.box[1], abs=1.5)
    assert why.overlay().size == (50, 40)


def test_mirrored_copies_are_turned_back():
    model = nets.nested()
    wanted = (signed(model).map + signed(model, np.ascontiguousarray(IMAGE[:, ::-1])).map[:, ::-1]) / 2
    found = signed(model, augment="flip").map
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


class Aside(keras.Model):
    """Keeps what it computed, counts its calls, and returns a dictionary that is not in the order of its keys."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.pool = L.Conv2D(6, 3), L.ReLU(name="last"), L.GlobalAveragePooling2D()
        self.one, self.two = L.Dense(3), L.Dense(3)
        self.last, self.calls = None, 0

    def call(self, x):
        self.calls += 1
        self.last = self.relu(self.conv(x))
        pooled = self.pool(self.last)
        return {"logits": self.one(pooled), "a": self.two(pooled), "loss": keras.ops.mean(pooled)}


def aside():
    model = Aside()
    model(IMAGE[None])
    return nets.drawn(model)


def test_a_dictionary_in_its_own_order_with_a_number_beside_the_scores():
    model = aside()
    given = {key: keras.ops.convert_to_numpy(value) for key, value in model(IMAGE[None]).items()}
    why = signed(model)
    np.testing.assert_allclose(why.scores, given["logits"][0], rtol=1e-4)
    for key in ("logits", "a"):
        asked = signed(model, target=sw.output(lambda outputs, key=key: outputs[key][:, 1]))
        assert asked.score == pytest.approx(float(given[key][0, 1]), rel=1e-4)
    same(signed(model, target=sw.output(lambda outputs: outputs["logits"][:, 1])), why, 1e-4)
    several = list(sw.explain_many(model, [IMAGE] * 5, batch_size=3, target=1, signed=True))
    same(several[4], why, 1e-4)


def test_what_a_call_puts_into_attributes_is_taken_back():
    model = aside()
    kept, calls = model.last, model.calls
    sw.explain(model, IMAGE)
    assert model.last is kept
    assert model.calls == calls


def test_where_the_gradient_is_stopped_no_map_is_taken():
    class Stop(L.Layer):
        def call(self, x):
            return keras.ops.stop_gradient(x)

    x = keras.Input((32, 32, 3))
    a = L.ReLU(name="a")(L.Conv2D(4, 3, name="c")(x))
    b = L.ReLU(name="b")(L.Conv2D(4, 3)(a))
    pooled = L.Concatenate()([L.GlobalAveragePooling2D()(a), L.GlobalAveragePooling2D()(Stop()(b))])
    model = nets.drawn(keras.Model(x, L.Dense(2)(pooled)))
    with pytest.raises(sw.InputError, match="no gradient"):
        sw.explain(model, IMAGE, layer="b")


def test_a_nan_image_does_not_change_what_is_said_of_its_neighbours():
    layers = [L.Conv2D(6, 3), L.ReLU(), L.GlobalAveragePooling2D(), L.Dense(4), L.Softmax()]
    model = nets.sequential(*layers, side=(32, 32, 3))
    bad = np.full_like(IMAGE, np.nan)
    for order in ([bad, IMAGE], [IMAGE, bad]):
        fresh = keras.Sequential([keras.Input((32, 32, 3)), *layers])
        found = [why for why in sw.explain_many(fresh, order, target=1, signed=True) if why]
        assert len(found) == 1
        same(found[0], signed(model), 1e-4)


def test_two_inputs_without_call_say_what_to_write():
    x, age = keras.Input((32, 32, 3)), keras.Input((1,))
    y = L.GlobalAveragePooling2D()(L.Conv2D(6, 3)(x))
    with pytest.raises(sw.InputError, match="call="):
        sw.explain(keras.Model([x, age], L.Dense(3)(L.Concatenate()([y, age]))), IMAGE)


def test_layer_guided_maps_take_the_blocks_of_a_graph():
    from seewhy.methods.layered import guides

    assert guides(sw.layers(nets.nested())) == [f"backbone/{name}" for name in ("relu1", "conv2", "add", "last")]


# many pictures


def test_many_pictures_do_not_compile_anew():
    model = nets.nested()
    wrapped = sw.wrap(model)
    pictures = [nets.image(seed=n) for n in range(21)]
    maps = [why.map for why in sw.explain_many(wrapped, pictures, batch_size=8, target=1, signed=True)]
    engines = wrapped._known.engines
    assert len(engines) == 1
    traces = next(iter(engines.values())).traces
    if keras.backend.backend() == "torch":
        assert traces == {}  # nothing is compiled
    else:
        assert traces == {"forward": 1, "pull": 1}  # the smaller last batch included
    for n in (0, 20):
        np.testing.assert_allclose(maps[n], signed(model, pictures[n]).map, rtol=1e-4, atol=1e-6)


def test_a_tf_data_set_of_batches():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("a set of TensorFlow's")
    import tensorflow as tf

    images = np.stack([nets.image(seed=n) for n in range(5)])
    model = nets.nested()
    data = tf.data.Dataset.from_tensor_slices((images, np.arange(5))).batch(2)
    found = list(sw.explain_many(model, data, target=1, signed=True))
    assert len(found) == 5
    same(found[4], signed(model, images[4]), 1e-4)


# wrong input


def test_channels_first_given_where_they_come_last():
    with pytest.raises(sw.InputError, match="transpose"):
        sw.explain(nets.nested(), IMAGE.transpose(2, 0, 1))


def test_wrong_channels_and_no_batch():
    with pytest.raises(sw.InputError, match="3 channels"):
        sw.explain(nets.nested(), nets.image(channels=4))
    with pytest.raises(sw.InputError, match="explain_many"):
        sw.explain(nets.nested(), np.stack([IMAGE, IMAGE]))


def test_a_model_without_scores_says_so():
    x = keras.Input((32, 32, 3))
    with pytest.raises(sw.EvidenceError, match="scores"):
        sw.explain(keras.Model(x, L.Conv2D(4, 3)(x)), IMAGE)


def test_nan_is_told():
    model = nets.nested()
    model.get_layer("head").bias.assign(np.full(5, np.nan))
    with pytest.raises(sw.EvidenceError, match="NaN"):
        sw.explain(model, IMAGE)


# the guided rule


@pytest.mark.parametrize("second", ["relu", "relu6", "layer", "ops", "silu"])
def test_every_spelling_of_relu_is_guided(second):
    spelled = {"layer": lambda: L.ReLU(), "ops": lambda: L.Lambda(lambda y: keras.ops.relu(y))}
    make = spelled.get(second, lambda: L.Activation(second))
    model = nets.pooled(L.Conv2D(6, 3, activation="relu"), L.Conv2D(8, 3), make())
    model.layers[1].set_weights([0.1 * weight for weight in model.layers[1].get_weights()])  # below the 6 of relu6
    image = nets.image(10, 9)
    why = sw.explain(model, image, method="guided_backprop", target=1)
    last = {"silu": lambda y: y / (1 + np.exp(-y))}.get(second, papers.relu)
    first, middle, *_ = model.layers
    steps = [
        lambda x: nets.by_loops([first], x),
        papers.relu,
        lambda x: nets.by_loops([middle], x),
        last,
        lambda y: nets.by_loops(model.layers[-2:], y)[1],
    ]
    wanted = papers.guided_backprop(steps, image.astype(float))
    np.testing.assert_allclose(why.map, wanted, rtol=0, atol=2e-5 * wanted.max())
    assert [note for note in why.notes if "SiLU" in note] == list(why.notes)
    assert bool(why.notes) == (second == "silu")


@pytest.mark.parametrize("method", ["guided_backprop", "guided_gradcam"])
def test_without_any_relu_the_guided_rule_says_so(method):
    model = nets.pooled(L.Conv2D(6, 3, activation="gelu"))
    for _ in range(2):  # compiled, and compiled before
        with pytest.raises(sw.EvidenceError, match=r"no ReLU runs; it has GELU[\s\S]*integrated_gradients"):
            sw.explain(model, nets.image(10, 9), method=method)
