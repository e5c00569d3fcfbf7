"""The service as such systems are usually begun: Flask and TensorFlow, and the same tuned.

`usual` calls `Model.predict` for every request; `tuned` a traced function, with one thread each, as
fits as many processes as there are cores.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import numpy as np
import tensorflow as tf
from flask import Flask, jsonify, request
from keras import Sequential, layers

SENSORS = (
    "temperature",
    "vibration",
    "pressure",
    "rotation_speed",
    "current",
    "operating_hours",
)
INPUTS = 30

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
model = Sequential([layers.Input((INPUTS,))])
for width in (128, 64, 32):
    model.add(layers.Dense(width, activation="relu"))
model.add(layers.Dense(1, activation="sigmoid"))


@tf.function(input_signature=[tf.TensorSpec((None, INPUTS), tf.float32)])
def traced(rows):
    """The network without what Keras does around it."""
    return model(rows, training=False)


def rows_of(reading):
    """Six sensors repeated to the network's width: no windows, no state, the least work."""
    row = np.array([[reading[name] for name in SENSORS]], np.float32)
    return np.tile(row, (1, INPUTS // len(SENSORS)))


def application(probability):
    """A service with `/predict` alone."""
    app = Flask(__name__)

    @app.post("/predict")
    def predict():
        reading = request.get_json()
        value = probability(rows_of(reading))
        return jsonify(
            equipment_id=reading["equipment_id"], prediction=int(value >= 0.5), probability=value
        )

    return app


usual = application(lambda rows: float(model.predict(rows, verbose=0)[0, 0]))
tuned = application(lambda rows: float(traced(tf.constant(rows)).numpy()[0, 0]))
