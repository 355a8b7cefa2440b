"""What an independent study of the same pictures and networks found, by its own code: the benchmarks' check.

MobileNetV2 is the one of the real folder, EfficientNet-Lite0 the one of `seewhy[demo]`. That study chose layer-guided
Grad-CAM on the pets, before its numbers on ILSVRC were seen.
"""

from __future__ import annotations

GUIDED, COMPETING = "layerguided", "layerguided:compete=True"
METHODS = ("gradcam", "hirescam", "gradcam++", "layercam", GUIDED, COMPETING)
M, E = "mobilenetv2", "efficientnet-lite0"
Rows = dict[str, tuple[float, ...]]

COLUMNS = {
    "ilsvrc": ("peak in a box", "within 15 px", "share inside", "AUC", "AP", "box .5", "small: peak", "small: AP"),
    "pets": ("peak on head", "peak on animal", "share inside", "AUC", "AP", "box .5", "box .7"),
}
ALLOWED = {  # how far a number may be from the study's; a picture is .008 or .006, a small one .043
    "ilsvrc": (0.01, 0.01, 0.005, 0.005, 0.005, 0.025, 0.05, 0.01),
    "pets": (0.02, 0.02, 0.01, 0.01, 0.01, 0.025, 0.025),
}
_GRADCAM_M = (0.842, 0.925, 0.734, 0.845, 0.801, 0.717, 0.348, 0.449)
_GRADCAM_E = (0.917, 0.958, 0.776, 0.871, 0.848, 0.725, 0.652, 0.574)
LOCALISATION: dict[tuple[str, str], Rows] = {
    (M, "ilsvrc"): {
        "gradcam": _GRADCAM_M,
        "hirescam": _GRADCAM_M,
        "gradcam++": (0.817, 0.917, 0.716, 0.845, 0.789, 0.675, 0.348, 0.441),
        "layercam": (0.825, 0.917, 0.716, 0.845, 0.790, 0.683, 0.391, 0.442),
        GUIDED: (0.942, 0.975, 0.797, 0.884, 0.864, 0.708, 0.826, 0.663),
        COMPETING: (0.958, 0.983, 0.788, 0.852, 0.826, 0.667, 0.826, 0.566),
    },
    (E, "ilsvrc"): {
        "gradcam": _GRADCAM_E,
        "hirescam": _GRADCAM_E,
        "gradcam++": (0.900, 0.950, 0.757, 0.867, 0.838, 0.708, 0.609, 0.555),
        "layercam": (0.900, 0.950, 0.757, 0.867, 0.839, 0.708, 0.609, 0.556),
        GUIDED: (0.950, 0.975, 0.839, 0.891, 0.880, 0.725, 0.826, 0.689),
        COMPETING: (0.967, 0.975, 0.836, 0.876, 0.868, 0.708, 0.870, 0.666),
    },
    (M, "pets"): {
        "gradcam": (0.624, 0.657, 0.554, 0.832, 0.790, 0.955, 0.781),
        "layercam": (0.534, 0.640, 0.525, 0.822, 0.777, 0.944, 0.809),
        GUIDED: (0.910, 0.966, 0.651, 0.880, 0.877, 0.949, 0.809),
        COMPETING: (0.843, 0.831, 0.617, 0.841, 0.816, 0.949, 0.787),
    },
    (E, "pets"): {
        "gradcam": (0.792, 0.888, 0.623, 0.895, 0.880, 0.961, 0.826),
        "layercam": (0.770, 0.910, 0.599, 0.899, 0.885, 0.972, 0.820),
        GUIDED: (0.944, 1.000, 0.725, 0.920, 0.914, 0.978, 0.848),
        COMPETING: (0.876, 0.927, 0.695, 0.892, 0.877, 0.961, 0.820),
    },
}

# Deletion, insertion, ROAD-like, on 50 ILSVRC pictures that the network gets right.
FAITHFULNESS: dict[str, Rows] = {
    M: {
        "gradcam": (0.173, 0.502, 0.335),
        "layercam": (0.192, 0.487, 0.298),
        GUIDED: (0.145, 0.532, 0.394),
        COMPETING: (0.144, 0.521, 0.385),
        "chance": (0.203, 0.238, -0.001),
    },
    E: {
        "gradcam": (0.200, 0.563, 0.338),
        "layercam": (0.212, 0.553, 0.316),
        GUIDED: (0.199, 0.591, 0.368),
        COMPETING: (0.183, 0.611, 0.404),
        "chance": (0.287, 0.309, 0.005),
    },
}

# Spearman with the original map: weights by chance in the classifier, the last convolution too, three blocks too, all.
RANDOMISED: dict[str, Rows] = {
    M: {
        "gradcam": (0.14, 0.09, 0.02, -0.10),
        "layercam": (0.97, 0.82, 0.52, 0.42),
        GUIDED: (0.22, 0.23, 0.05, -0.04),
        COMPETING: (0.16, 0.12, 0.01, -0.05),
    },
    E: {
        "gradcam": (0.41, 0.34, -0.01, 0.12),
        "layercam": (0.97, 0.89, 0.20, 0.16),
        GUIDED: (0.52, 0.43, 0.02, 0.16),
        COMPETING: (0.43, 0.36, 0.00, 0.14),
    },
}

# Cat beside dog: share in the right half, both peaks right, AUC of the half; 2 × 2 grid: share, peak; correlation of
# the maps of two classes of one picture: first and second, first and any.
DISCRIMINATION: dict[str, Rows] = {
    M: {
        "gradcam": (0.802, 0.911, 0.867, 0.771, 0.992, 0.81, 0.34),
        "layercam": (0.605, 0.656, 0.700, 0.396, 0.817, 0.95, 0.93),
        GUIDED: (0.851, 0.956, 0.857, 0.851, 0.983, 0.80, 0.42),
        COMPETING: (0.876, 0.967, 0.871, 0.881, 1.000, 0.62, 0.28),
    },
    E: {
        "gradcam": (0.853, 0.978, 0.889, 0.817, 1.000, 0.84, 0.18),
        "layercam": (0.634, 0.811, 0.709, 0.449, 0.838, 0.95, 0.93),
        GUIDED: (0.896, 0.956, 0.872, 0.889, 0.988, 0.85, 0.27),
        COMPETING: (0.914, 0.978, 0.882, 0.909, 0.988, 0.68, 0.15),
    },
}
