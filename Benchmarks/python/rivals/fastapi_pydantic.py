"""The usual Python service: FastAPI, a pydantic model per reading, ONNX Runtime."""

import numpy as np
from fastapi import FastAPI
from network import SENSORS, Model
from pydantic import BaseModel

app = FastAPI()
model = Model()


class Reading(BaseModel):
    equipment_id: str
    temperature: float
    vibration: float
    pressure: float
    rotation_speed: float
    current: float
    operating_hours: float


class Batch(BaseModel):
    instances: list[Reading]


class Prediction(BaseModel):
    equipment_id: str
    prediction: int
    probability: float


def predictions(readings: list[Reading]) -> list[Prediction]:
    """Scores the readings as one batch."""
    rows = np.array(
        [[getattr(reading, name) for name in SENSORS] for reading in readings], np.float32
    )
    return [
        Prediction(equipment_id=reading.equipment_id, prediction=int(p >= 0.5), probability=p)
        for reading, p in zip(readings, model.probabilities(rows), strict=True)
    ]


@app.post("/predict")
async def predict(reading: Reading) -> Prediction:
    return predictions([reading])[0]


@app.post("/batch_predict")
async def batch_predict(batch: Batch) -> list[Prediction]:
    return predictions(batch.instances)
