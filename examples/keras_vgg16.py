"""The Keras tutorial in a few lines: VGG16's top three classes, and where it looks for the first and for another.

    python examples/keras_vgg16.py PICTURE
    KERAS_BACKEND=jax python examples/keras_vgg16.py PICTURE --network Xception --target "tiger cat"

With ImageNet weights where Keras can fetch or find them; with random ones, whose maps mean nothing, where it cannot.
"""

import argparse

import seewhy as sw

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("picture")
parser.add_argument("--network", default="VGG16", help="a name of keras.applications, such as Xception")
parser.add_argument("--target", default="837", help="a class beside the first: its index or label (837: sunglasses)")
parser.add_argument("--random", action="store_true", help="do not try to fetch weights")
asked = parser.parse_args()

try:
    model = sw.load(f"keras:{asked.network}", weights=None if asked.random else "default")
except sw.InputError as error:
    print(f"{error}\n\nRandom weights instead:")
    model = sw.load(f"keras:{asked.network}", weights=None)

chosen = int(asked.target) if asked.target.isdigit() else asked.target
first, other = sw.explain(model, asked.picture, target=[sw.top(1), chosen])
for label, score, probability in first.top(3):
    print(f"{label:24} {score:8.2f}  {probability:6.1%}")
for why in (first, other):
    path = f"why-{why.label.replace(' ', '-')}.png"
    why.overlay(colormap="jet", opacity=0.45).save(path)
    print(f"{why.label} ({why.layer}, {why.where}) → {path}")
