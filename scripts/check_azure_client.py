# SPDX-License-Identifier: MIT
"""Checks what ml_pipeline/pipeline_definition.py would tell Azure, in the place of Azure.

Usage: check_azure_client.py, with an interpreter that has ml_pipeline/requirements.txt
"""

import sys
from unittest.mock import MagicMock

sys.path.insert(0, "ml_pipeline")
import pipeline_definition as subject


def want(found, wanted):
    if found != wanted:
        sys.exit(f"check_azure_client: {found}, not {wanted}")


def main():
    definition = subject.Definition("registry", "account", "v1")
    want(definition.problems(), [])
    client = MagicMock()
    client.models.list.return_value = [MagicMock(version="3"), MagicMock(version="12")]
    subject.run(client, definition, "drift")
    job = client.jobs.create_or_update.call_args[0][0]
    want(job._validate().passed, True)
    want(job.tags, {"reason": "drift"})
    inputs = job._to_dict()["jobs"]["training"]["inputs"]
    want(inputs["champion"]["path"], "azureml:predictive-maintenance:12")
    environment = client.environments.create_or_update.call_args[0][0]
    want(environment.image, "registry.azurecr.io/pdm-shell:v1")
    want(client.datastores.create_or_update.call_args[0][0].account_name, "account")
    subject.deploy(client, definition)
    deployment = client.online_deployments.begin_create_or_update.call_args[0][0]
    want(deployment.environment.image, "registry.azurecr.io/predictive-maintenance:v1")
    endpoint = client.online_endpoints.begin_create_or_update.call_args[0][0]
    want(endpoint.traffic, {"blue": 100})
    # A first run has no champion.
    client.models.list.return_value = []
    definition = subject.Definition("registry", "account", "v1")
    subject.run(client, definition)
    job = client.jobs.create_or_update.call_args[0][0]
    want(list(job._to_dict()["jobs"]["training"]["inputs"]), ["readings"])
    print("azure-ai-ml takes every file, the run, and the deployment")


if __name__ == "__main__":
    main()
