# SPDX-License-Identifier: MIT
"""Runs the components of ml_pipeline/ and the deployed server here, without Azure.

Usage: check_ml_pipeline.py BIN FOLDER
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

SOURCE = Path("ml_pipeline")
READING = {
    "equipment_id": "EQ001", "temperature": 85.5, "vibration": 2.3, "pressure": 95.0,
    "rotation_speed": 1350, "current": 22.5, "operating_hours": 1500, "history": [],
}  # fmt: skip


def fail(message):
    sys.exit(f"check_ml_pipeline: {message}")


def load(name):
    return yaml.safe_load((SOURCE / name).read_text())


def command_of(component, inputs, outputs):
    """The command as Azure writes it: optional parts go where their input is not given."""
    text = component["command"]
    for part in re.findall(r"\$\[\[.*?\]\]", text):
        names = re.findall(r"\$\{\{inputs\.(\w+)\}\}", part)
        given = all(inputs.get(name) is not None for name in names)
        text = text.replace(part, part[3:-2] if given else "")
    values = {f"inputs.{name}": value for name, value in inputs.items()}
    values |= {f"outputs.{name}": value for name, value in outputs.items()}
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(values[match[1]]), text)


def resolve(reference, inputs, made):
    """What `${{parent...}}` stands for."""
    path = re.fullmatch(r"\$\{\{parent\.(.*)\}\}", str(reference))
    if not path:
        return reference
    parts = path[1].split(".")
    return inputs[parts[1]] if parts[0] == "inputs" else made[parts[1]][parts[3]]


def train(binary, folder, readings, champion=None):
    """Runs the pipeline component; gives the folder that the gate handed on."""
    pipeline = load("pipeline_components.yaml")
    inputs = {name: one.get("default") for name, one in pipeline["inputs"].items()}
    # Few epochs on few machines: the gate is tried, not the model.
    inputs |= {"readings": readings, "champion": champion, "epochs": 3}
    inputs["calibration_error_max"] = 0.1
    if champion:
        # A model of the same data is no better.
        inputs["margin"] = -1
    made = {}
    for name, step in pipeline["jobs"].items():
        component = yaml.safe_load((SOURCE / step["component"]).read_text())
        given = {key: one.get("default") for key, one in component["inputs"].items()}
        given |= {key: resolve(one, inputs, made) for key, one in step["inputs"].items()}
        made[name] = {key: folder / name / key for key in component["outputs"]}
        for path in made[name].values():
            path.mkdir(parents=True)
        command = command_of(component, given, made[name]).replace("/app/pdm", f"{binary}/pdm")
        run = subprocess.run(
            ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
        )
        if run.returncode != 0:
            fail(f"{name}: {command}\n{run.stdout}{run.stderr}")
    if not (made["evaluate"]["evaluation"] / "evaluation.json").exists():
        fail("no evaluation")
    return made["gate"]["promoted"]


def ask(url, body=None, fields=None):
    data = None if body is None else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", **(fields or {})}
    request = urllib.request.Request(url, data=data, headers=fields)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def want(status, answer, what):
    if answer[0] != status:
        fail(f"{what}: {answer[0]}, not {status}: {answer[1][:300]}")
    return answer[1]


def wait_for(pattern, process, path):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(pattern, path.read_text())
        if found:
            return found[1]
        time.sleep(0.02)
    fail(f"did not start: {path.read_text()}")


def serve(binary, folder, promoted):
    """The server as Azure starts it: the model's folder and what the deployment sets."""
    deployment = load("deployment.yaml")
    routes = deployment["environment"]["inference_config"]
    # The image names its own model; Azure mounts the registered one, a folder, and names where.
    mount = folder / "azureml-models/predictive-maintenance/2"
    shutil.copytree(promoted, mount / promoted.name)
    environment = os.environ | deployment["environment_variables"] | {
        "MODEL_DIR": "/nowhere", "AZUREML_MODEL_DIR": str(mount), "PDM_PORT": "0",
    }  # fmt: skip
    log = folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen([f"{binary}/inference-server"], env=environment, stderr=output)
    try:
        port = wait_for(r'"listening".*?"port": ?(\d+)', server, log)
        base = f"http://127.0.0.1:{port}"
        for kind in ("liveness_route", "readiness_route"):
            want(200, ask(base + routes[kind]["path"]), kind)
        score = base + routes["scoring_route"]["path"]
        answer = json.loads(want(200, ask(score, {"instances": [READING]}), "score"))
        version = next(promoted.iterdir()).name
        if answer["count"] != 1 or answer["model_version"] != version:
            fail(f"score: {answer}")
        bare = {key: value for key, value in READING.items() if key != "history"}
        want(422, ask(score, {"instances": [bare]}), "a reading without history")
    finally:
        server.terminate()
        server.wait(20)


def trigger(folder):
    """The webhook: refuses whom it does not know, starts one run, refuses a second."""
    log = folder / "trigger.log"
    environment = os.environ | {"DRY_RUN": "1", "RETRAIN_TOKEN": "secret"}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, SOURCE / "retrain_trigger.py", "--listen", "127.0.0.1:0"],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        address = wait_for(r"listening on (\S+)", process, log)
        url = f"http://{address}/retrain"
        token = {"Authorization": "Bearer secret"}
        reason = {"reason": "drift", "features": 12}
        want(401, ask(url, reason), "no token")
        want(401, ask(url, reason, {"Authorization": "Bearer wrong"}), "a wrong token")
        want(404, ask(url + "/x", reason, token), "another path")
        want(413, ask(url, "x" * 70_000, token), "a large body")
        want(202, ask(url, reason, token), "the first run")
        want(409, ask(url, reason, token), "a run beside it")
        if 'would submit: {"reason":"drift","features":12}' not in log.read_text():
            fail(f"the reason is lost: {log.read_text()}")
    finally:
        process.terminate()
        process.wait(20)


def main():
    binary, folder = (Path(argument).resolve() for argument in sys.argv[1:3])
    readings = folder / "readings.csv"
    generate = ["--machines", "40", "--days", "30", "--seed", "7", "--output", readings]
    subprocess.run([binary / "pdm", "generate", *generate], check=True, stdout=subprocess.DEVNULL)
    first = train(binary, folder / "first", readings)
    print("the pipeline ran: preprocess, features, train, evaluate, gate")
    # Registered, it is found in a folder as Azure mounts it.
    second = train(binary, folder / "second", readings, champion=first)
    print("and against the first model as champion")
    serve(binary, folder, second)
    print("the server answers at the routes of the deployment, with the model that Azure mounts")
    trigger(folder)
    print("the trigger takes a webhook, once")


if __name__ == "__main__":
    main()
