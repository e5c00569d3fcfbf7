# SPDX-License-Identifier: MIT
#
# A place to try things: smallest and cheapest, may be deleted.

environment         = "dev"
node_count_min      = 1
node_count_max      = 5
cluster_sku_tier    = "Free"
log_retention_days  = 30
spot_nodes_enabled  = true
spot_node_count_max = 2
