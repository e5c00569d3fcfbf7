#!/bin/bash
# Fetches the readings and all bundles with their registry into /data, as the pod's identity.

set -euo pipefail

az login --service-principal --username "$AZURE_CLIENT_ID" --tenant "$AZURE_TENANT_ID" \
    --federated-token "$(cat "$AZURE_FEDERATED_TOKEN_FILE")" --output none
mkdir -p /data/models
az storage blob download --auth-mode login --account-name "$STORAGE_ACCOUNT" \
    --container-name raw --name "$READINGS" --file /data/readings.csv --output none
az storage blob download-batch --auth-mode login --account-name "$STORAGE_ACCOUNT" \
    --source models --pattern 'predictive-maintenance/*' --destination /data/models --output none
cp /data/models/predictive-maintenance/registry.json /data/registry.before 2>/dev/null || true
