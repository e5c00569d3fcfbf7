# SPDX-License-Identifier: MIT
#
# What plants rely on: two nodes always, an API server with a promise, a quarter of a year of logs.
#
# To close the public addresses of storage, vault, workspace and registry as well, set private_endpoints_enabled and
# container_registry_sku = "Premium". Whoever deploys must then work from inside the network: GitHub's own runners cannot.

environment        = "prod"
node_count_min     = 2
node_count_max     = 5
cluster_sku_tier   = "Standard"
log_retention_days = 90
