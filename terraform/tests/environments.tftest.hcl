# SPDX-License-Identifier: MIT
#
# What each environment is made of. Run against mocked providers: no account, no cloud.

mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = {
      subscription_id = "11111111-1111-1111-1111-111111111111"
      tenant_id       = "22222222-2222-2222-2222-222222222222"
      object_id       = "33333333-3333-3333-3333-333333333333"
    }
  }

  mock_data "azurerm_user_assigned_identity" {
    defaults = { principal_id = "44444444-4444-4444-4444-444444444444" }
  }

  mock_resource "azurerm_resource_group" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked" }
  }
  mock_resource "azurerm_log_analytics_workspace" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.OperationalInsights/workspaces/mocked" }
  }
  mock_resource "azurerm_application_insights" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.Insights/components/mocked" }
  }
  mock_resource "azurerm_key_vault" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.KeyVault/vaults/mocked" }
  }
  mock_resource "azurerm_container_registry" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.ContainerRegistry/registries/mocked" }
  }
  mock_resource "azurerm_storage_account" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.Storage/storageAccounts/mocked" }
  }
  mock_resource "azurerm_storage_container" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.Storage/storageAccounts/mocked/blobServices/default/containers/mocked" }
  }
  mock_resource "azurerm_machine_learning_workspace" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.MachineLearningServices/workspaces/mocked" }
  }
  mock_resource "azurerm_kubernetes_cluster" {
    defaults = {
      id              = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.ContainerService/managedClusters/mocked"
      oidc_issuer_url = "https://issuer.invalid/"
    }
  }
  mock_resource "azurerm_virtual_network" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.Network/virtualNetworks/mocked" }
  }
  mock_resource "azurerm_subnet" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.Network/virtualNetworks/mocked/subnets/mocked" }
  }
  mock_resource "azurerm_network_security_group" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.Network/networkSecurityGroups/mocked" }
  }
  mock_resource "azurerm_private_dns_zone" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.Network/privateDnsZones/mocked" }
  }
  mock_resource "azurerm_monitor_data_collection_rule" {
    defaults = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.Insights/dataCollectionRules/mocked" }
  }
  mock_resource "azurerm_user_assigned_identity" {
    defaults = {
      id           = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/mocked/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mocked"
      principal_id = "55555555-5555-5555-5555-555555555555"
    }
  }
}

run "defaults_are_a_dev_environment_of_the_specified_sizes" {
  assert {
    condition     = output.resource_group_name == "rg-predm-dev" && output.ml_workspace_name == "mlw-predm-dev"
    error_message = "named ${output.resource_group_name} and ${output.ml_workspace_name}"
  }
  assert {
    condition     = output.subscription_id == "11111111-1111-1111-1111-111111111111"
    error_message = "subscription_id is that of the account"
  }
  assert {
    condition = alltrue([
      azurerm_storage_account.main.account_tier == "Standard",
      azurerm_storage_account.main.account_replication_type == "LRS",
      azurerm_container_registry.main.sku == "Standard",
      azurerm_key_vault.main.sku_name == "standard",
      azurerm_machine_learning_workspace.main.sku_name == "Standard",
      azurerm_kubernetes_cluster.main.default_node_pool[0].vm_size == "Standard_DS2_v2",
      azurerm_application_insights.main.application_type == "web",
      azurerm_log_analytics_workspace.main.sku == "PerGB2018",
    ])
    error_message = "a size differs from the specified one"
  }
  assert {
    condition = (
      azurerm_kubernetes_cluster.main.default_node_pool[0].auto_scaling_enabled
      && azurerm_kubernetes_cluster.main.default_node_pool[0].min_count == 1
      && azurerm_kubernetes_cluster.main.default_node_pool[0].max_count == 5
    )
    error_message = "dev scales from one node to five"
  }
  assert {
    condition     = toset(keys(azurerm_storage_container.main)) == toset(["raw", "processed", "models"])
    error_message = "the containers are raw, processed and models"
  }
  assert {
    condition     = length(azurerm_private_endpoint.main) == 0 && length(azurerm_kubernetes_cluster_node_pool.spot) == 0
    error_message = "private endpoints and spot nodes are off unless asked for"
  }
  assert {
    condition     = output.pipeline_client_id == null && length(azurerm_role_assignment.pipeline) == 0
    error_message = "without github_repository there is no identity for it"
  }
}

run "names_fit_the_limits_of_azure_at_their_longest" {
  variables {
    project_name = "predmain"
    environment  = "prod"
  }

  assert {
    condition     = length(azurerm_key_vault.main.name) <= 24 && length(azurerm_storage_account.main.name) <= 24
    error_message = "${azurerm_key_vault.main.name}, ${azurerm_storage_account.main.name}"
  }
  assert {
    condition     = can(regex("^[a-z0-9]+$", azurerm_storage_account.main.name))
    error_message = azurerm_storage_account.main.name
  }
}

run "prod_keeps_two_nodes_and_is_guarded" {
  variables {
    environment        = "prod"
    node_count_min     = 2
    cluster_sku_tier   = "Standard"
    log_retention_days = 90
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster.main.default_node_pool[0].min_count == 2
      && azurerm_kubernetes_cluster.main.default_node_pool[0].max_count == 5
    )
    error_message = "prod scales from two nodes to five"
  }
  assert {
    condition     = azurerm_key_vault.main.purge_protection_enabled && azurerm_key_vault.main.soft_delete_retention_days == 90
    error_message = "prod's secrets can be brought back for 90 days"
  }
}

run "identities_take_the_place_of_passwords" {
  assert {
    condition = (
      azurerm_kubernetes_cluster.main.identity[0].type == "SystemAssigned"
      && azurerm_machine_learning_workspace.main.identity[0].type == "SystemAssigned"
    )
    error_message = "cluster and workspace have identities of their own"
  }
  assert {
    condition     = !azurerm_container_registry.main.admin_enabled && azurerm_kubernetes_cluster.main.local_account_disabled
    error_message = "neither registry nor cluster has an account with a password"
  }
  assert {
    condition = (
      azurerm_role_assignment.nodes_pull_images.role_definition_name == "AcrPull"
      && azurerm_role_assignment.nodes_pull_images.principal_id == "44444444-4444-4444-4444-444444444444"
      && azurerm_role_assignment.nodes_pull_images.scope == azurerm_container_registry.main.id
    )
    error_message = "the nodes may pull from the registry"
  }
  assert {
    condition     = azurerm_federated_identity_credential.service.subject == "system:serviceaccount:predictive-maintenance:predictive-maintenance"
    error_message = "the service account of k8s/base acts as the service's identity"
  }
  assert {
    condition     = azurerm_federated_identity_credential.training.subject == "system:serviceaccount:predictive-maintenance:predictive-maintenance-training"
    error_message = "training has an identity of its own"
  }
  assert {
    condition     = toset(keys(azurerm_role_assignment.training)) == toset(["Storage Blob Data Reader", "Storage Blob Data Contributor"])
    error_message = "training reads readings and writes bundles, and no more"
  }
  assert {
    condition     = length(azurerm_role_assignment.operator) == 3
    error_message = "whoever applies administers cluster, secrets and data"
  }
}

run "what_is_current_in_models_is_never_archived" {
  assert {
    condition = alltrue([
      for rule in azurerm_storage_management_policy.main.rule :
      rule.actions[0].base_blob[0].tier_to_archive_after_days_since_modification_greater_than == 30
      if contains(rule.filters[0].prefix_match, "raw/")
    ])
    error_message = "raw and processed are archived after 30 days"
  }
  assert {
    condition = alltrue([
      for rule in azurerm_storage_management_policy.main.rule :
      rule.actions[0].version[0].change_tier_to_archive_after_days_since_creation == 30
      if contains(rule.filters[0].prefix_match, "models/")
    ])
    error_message = "replaced models are archived after 30 days"
  }
  assert {
    condition = alltrue([
      for rule in azurerm_storage_management_policy.main.rule :
      coalesce(rule.actions[0].base_blob[0].tier_to_archive_after_days_since_modification_greater_than, -1) == -1
      if contains(rule.filters[0].prefix_match, "models/")
    ])
    error_message = "current models stay readable"
  }
}

run "private_endpoints_close_the_public_addresses" {
  variables {
    private_endpoints_enabled       = true
    container_registry_sku          = "Premium"
    api_server_authorized_ip_ranges = ["203.0.113.0/24"]
  }

  assert {
    condition     = toset(keys(azurerm_private_endpoint.main)) == toset(["blob", "vault", "workspace", "registry"])
    error_message = join(" ", keys(azurerm_private_endpoint.main))
  }
  assert {
    condition = !anytrue([
      azurerm_storage_account.main.public_network_access_enabled,
      azurerm_key_vault.main.public_network_access_enabled,
      azurerm_machine_learning_workspace.main.public_network_access_enabled,
      azurerm_container_registry.main.public_network_access_enabled,
    ])
    error_message = "a public address is open"
  }
  assert {
    condition = (
      azurerm_kubernetes_cluster.main.private_cluster_enabled
      && length(azurerm_kubernetes_cluster.main.api_server_access_profile) == 0
    )
    error_message = "a private API server has no list of public ranges"
  }
}

run "a_standard_registry_stays_public_among_private_endpoints" {
  variables {
    private_endpoints_enabled = true
  }

  assert {
    condition     = azurerm_container_registry.main.public_network_access_enabled && length(azurerm_private_endpoint.main) == 3
    error_message = "only a Premium registry can be private"
  }
}

run "spot_nodes_are_tainted" {
  variables {
    spot_nodes_enabled  = true
    spot_node_count_max = 2
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.spot[0].priority == "Spot"
      && azurerm_kubernetes_cluster_node_pool.spot[0].min_count == 0
      && azurerm_kubernetes_cluster_node_pool.spot[0].max_count == 2
      && length(azurerm_kubernetes_cluster_node_pool.spot[0].node_taints) == 1
    )
    error_message = "spot nodes come when needed, and only for what tolerates them"
  }
}

run "the_pipeline_signs_in_without_a_secret" {
  variables {
    github_repository = "owner/name"
    environment       = "prod"
  }

  assert {
    condition     = azurerm_federated_identity_credential.pipeline[0].subject == "repo:owner/name:environment:prod"
    error_message = "only workflows in the environment prod of owner/name"
  }
  assert {
    condition     = endswith(azurerm_role_assignment.pipeline["Azure Kubernetes Service RBAC Cluster Admin"].scope, "/namespaces/predictive-maintenance")
    error_message = "the pipeline's rights in the cluster end at its namespace"
  }
}
