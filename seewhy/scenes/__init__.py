"""Pictures made by rule, with known truth: the demo's, the tests' and the benchmarks' data.

    from seewhy import scenes

    train = scenes.make(1200, seed=0, plants=scenes.Plant("logo anywhere", on="disc", rate=0.5))
    test = scenes.make(600, seed=1, plants=train.rules.plants)
    scenes.reliance(predict, test, train.rules.plants[0])     # did the model learn the shortcut?
    test.write("photos")                                      # folders of PNG files, masks, a manifest

The classes are shapes of any colour, place, size and rotation on textured ground. `KINDS` lists what can be planted.
"""

from seewhy.scenes.making import Plant, Rules, Scene, scene
from seewhy.scenes.markers import KINDS, Kind
from seewhy.scenes.moving import Reliance, reliance
from seewhy.scenes.series import Scenes, make
from seewhy.scenes.shapes import SHAPES
from seewhy.scenes.writing import write

__all__ = [
    "KINDS",
    "SHAPES",
    "Kind",
    "Plant",
    "Reliance",
    "Rules",
    "Scene",
    "Scenes",
    "make",
    "reliance",
    "scene",
    "write",
]
