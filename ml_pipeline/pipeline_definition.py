# SPDX-License-Identifier: MIT
"""Takes the files of this folder to an Azure Machine Learning workspace.

Usage: pipeline_definition.py validate|run|schedule|deploy

  validate  loads every file and checks it, without Azure
  run       trains once: registers datastore, environment and components, submits pipeline.yaml
  schedule  lets the workspace train every week
  deploy    makes the endpoint, and a deployment of the newest registered model

All but validate read AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, AZURE_ML_WORKSPACE, ACR_NAME and
STORAGE_ACCOUNT, as scripts/azure-environment prints them, and TAG, the images' (latest), and sign
in as `az login` or the workflow did.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from azure.ai.ml import (
    Input,
    MLClient,
    load_component,
    load_datastore,
    load_environment,
    load_job,
    load_online_deployment,
    load_online_endpoint,
)
from azure.ai.ml.entities import PipelineJob
from azure.ai.ml.entities._load_functions import load_schedule
from azure.identity import DefaultAzureCredential

FOLDER = Path(__file__).parent
MODEL = "predictive-maintenance"
NEEDED = [
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_RESOURCE_GROUP",
    "AZURE_ML_WORKSPACE",
    "ACR_NAME",
    "STORAGE_ACCOUNT",
]


class Definition:
    """The files, with an installation's names in them."""

    def __init__(self, registry: str, account: str, tag: str) -> None:
        """Load every file; one that is wrong raises."""
        files = sorted(FOLDER.glob("components/*.yaml"))
        self.components = [load_component(path) for path in files]
        self.pipeline = load_component(FOLDER / "pipeline_components.yaml")
        self.job = load_job(FOLDER / "pipeline.yaml")
        self.schedule = load_schedule(FOLDER / "schedule.yaml")
        self.environment = load_environment(FOLDER / "environment.yaml")
        self.environment.image = f"{registry}.azurecr.io/pdm-shell:{tag}"
        self.datastore = load_datastore(FOLDER / "datastore.yaml")
        self.datastore.account_name = account
        self.endpoint = load_online_endpoint(FOLDER / "endpoint.yaml")
        self.deployment = load_online_deployment(FOLDER / "deployment.yaml")
        self.deployment.environment.image = f"{registry}.azurecr.io/{MODEL}:{tag}"

    def problems(self) -> list[str]:
        """Tell what azure-ai-ml finds wrong, without asking Azure."""
        parts = [*self.components, self.pipeline, self.job, self.schedule]
        results = [part._validate() for part in parts]
        return [str(result.error_messages) for result in results if not result.passed]


def connect() -> tuple[MLClient, Definition]:
    """Sign in to the workspace that the environment names."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        names = ", ".join(missing)
        sys.exit(f"pipeline_definition: {names} not set: see scripts/azure-environment")
    client = MLClient(DefaultAzureCredential(), *(os.environ[name] for name in NEEDED[:3]))
    tag = os.environ.get("TAG", "latest")
    return client, Definition(os.environ["ACR_NAME"], os.environ["STORAGE_ACCOUNT"], tag)


def register(client: MLClient, definition: Definition) -> None:
    """Make what a run needs in the workspace; what is there already is renewed."""
    client.datastores.create_or_update(definition.datastore)
    client.environments.create_or_update(definition.environment)


def give_champion(client: MLClient, job: PipelineJob) -> None:
    """Let the run measure itself against the newest registered model, where there is one."""
    models = list(client.models.list(name=MODEL))
    if not models:
        return
    newest = max(models, key=lambda model: int(model.version))
    path = f"azureml:{MODEL}:{newest.version}"
    job.jobs["training"].inputs.champion = Input(type="custom_model", path=path)


def run(client: MLClient, definition: Definition, reason: str = "") -> str:
    """Submit a training run; what it registers in the end is a model that passed the gate."""
    register(client, definition)
    give_champion(client, definition.job)
    if reason:
        definition.job.tags = {**(definition.job.tags or {}), "reason": reason[:256]}
    name: str = client.jobs.create_or_update(definition.job).name
    return name


def deploy(client: MLClient, definition: Definition) -> None:
    """Make endpoint and deployment, then send it all traffic."""
    client.online_endpoints.begin_create_or_update(definition.endpoint).result()
    client.online_deployments.begin_create_or_update(definition.deployment).result()
    definition.endpoint.traffic = {definition.deployment.name: 100}
    client.online_endpoints.begin_create_or_update(definition.endpoint).result()


def main() -> None:
    """Do what the first argument says."""
    command = sys.argv[1] if len(sys.argv) == 2 else "--help"
    if command == "validate":
        problems = Definition("registry", "account", "latest").problems()
        sys.exit("\n".join(problems) or 0)
    if command not in ("run", "schedule", "deploy"):
        print(__doc__)
        sys.exit(command != "--help")
    client, definition = connect()
    if command == "run":
        print(run(client, definition))
    elif command == "schedule":
        register(client, definition)
        client.schedules.begin_create_or_update(definition.schedule).result()
    else:
        deploy(client, definition)


if __name__ == "__main__":
    main()
