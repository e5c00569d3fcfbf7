# SPDX-License-Identifier: MIT
"""The network in Keras."""

import keras
import numpy as np
import tensorflow as tf

from trainers.common import network as shape
from trainers.common.features import Floats
from trainers.common.network import Layer


class KerasNetwork:
    """A compiled Keras model whose output is the logit."""

    def __init__(
        self, inputs: int, class_weights: tuple[float, float], batch_size: int, seed: int
    ) -> None:
        """Makes the network with weights of this seed."""
        keras.utils.set_random_seed(seed)
        self.name = f"keras {keras.__version__}, tensorflow {tf.__version__}"
        self.class_weight = dict(enumerate(class_weights))
        self.batch_size = batch_size
        layers: list[keras.layers.Layer] = [keras.Input((inputs,))]
        for size in shape.HIDDEN_SIZES:
            layers += [
                keras.layers.Dense(size, kernel_initializer="he_normal"),
                keras.layers.BatchNormalization(
                    epsilon=shape.NORMALIZATION_EPSILON, momentum=shape.NORMALIZATION_MOMENTUM
                ),
                keras.layers.ReLU(),
                keras.layers.Dropout(shape.DROPOUT),
            ]
        # The logit, not its sigmoid: the loss of large ones stays exact.
        self.model = keras.Sequential([*layers, keras.layers.Dense(1)])
        self.model.compile(
            optimizer=keras.optimizers.Adam(shape.LEARNING_RATE, epsilon=shape.ADAM_EPSILON),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
        )

    def train_epoch(self, rows: Floats, labels: Floats, learning_rate: float) -> float:
        """One pass over the rows in random order."""
        self.model.optimizer.learning_rate = learning_rate
        history = self.model.fit(
            rows,
            labels,
            batch_size=self.batch_size,
            class_weight=self.class_weight,
            shuffle=True,
            verbose=0,
        )
        return float(history.history["loss"][0])

    def logits(self, rows: Floats) -> Floats:
        """The log-odds of each row."""
        answers = self.model.predict(rows, batch_size=4096, verbose=0)
        return np.asarray(answers, np.float32).ravel()

    def layers(self) -> list[Layer]:
        """Copies of all tensors, in the order in which Keras lists them."""
        found: list[Layer] = []
        for layer in self.model.layers:
            tensors = layer.get_weights()
            if isinstance(layer, keras.layers.Dense):
                found.append(Layer(*tensors))
            elif isinstance(layer, keras.layers.BatchNormalization):
                found[-1] = Layer(found[-1].weight, found[-1].bias, *tensors)
        return found
