# SPDX-License-Identifier: MIT
#
# Who may do what. Nobody holds a password: nodes, service, workspace and pipeline act as identities.

locals {
  operators = toset(
    length(var.operator_object_ids) > 0
    ? var.operator_object_ids
    : [data.azurerm_client_config.current.object_id]
  )

  # role name -> scope, for each operator
  operator_roles = {
    "Azure Kubernetes Service RBAC Cluster Admin" = azurerm_kubernetes_cluster.main.id
    "Key Vault Administrator"                     = azurerm_key_vault.main.id
    "Storage Blob Data Contributor"               = azurerm_storage_account.main.id
  }
}

# The cluster: nodes pull images, the control plane puts load balancers into the subnet.

# The nodes' own identity, which AKS makes beside them under this name.
data "azurerm_user_assigned_identity" "nodes" {
  name                = "${azurerm_kubernetes_cluster.main.name}-agentpool"
  resource_group_name = azurerm_kubernetes_cluster.main.node_resource_group
}

resource "azurerm_role_assignment" "nodes_pull_images" {
  scope                            = azurerm_container_registry.main.id
  role_definition_name             = "AcrPull"
  principal_id                     = data.azurerm_user_assigned_identity.nodes.principal_id
  principal_type                   = "ServicePrincipal"
  skip_service_principal_aad_check = true
}

resource "azurerm_role_assignment" "cluster_network" {
  scope                            = azurerm_subnet.nodes.id
  role_definition_name             = "Network Contributor"
  principal_id                     = azurerm_kubernetes_cluster.main.identity[0].principal_id
  principal_type                   = "ServicePrincipal"
  skip_service_principal_aad_check = true
}

# The service in its pod: reads bundles and its own secrets, by workload identity.

resource "azurerm_user_assigned_identity" "service" {
  name                = "id-${local.name}-service"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags
}

resource "azurerm_federated_identity_credential" "service" {
  name                = "kubernetes"
  resource_group_name = azurerm_resource_group.main.name
  parent_id           = azurerm_user_assigned_identity.service.id
  issuer              = azurerm_kubernetes_cluster.main.oidc_issuer_url
  subject             = "system:serviceaccount:${var.kubernetes_namespace}:predictive-maintenance"
  audience            = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_assignment" "service_reads_models" {
  scope                = azurerm_storage_container.main["models"].id
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = azurerm_user_assigned_identity.service.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "service_reads_secrets" {
  scope                = azurerm_key_vault.main.id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.service.principal_id
  principal_type       = "ServicePrincipal"
}

# Training in the cluster: reads readings, writes bundles.

resource "azurerm_user_assigned_identity" "training" {
  name                = "id-${local.name}-training"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags
}

resource "azurerm_federated_identity_credential" "training" {
  name                = "kubernetes"
  resource_group_name = azurerm_resource_group.main.name
  parent_id           = azurerm_user_assigned_identity.training.id
  issuer              = azurerm_kubernetes_cluster.main.oidc_issuer_url
  subject             = "system:serviceaccount:${var.kubernetes_namespace}:predictive-maintenance-training"
  audience            = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_assignment" "training" {
  for_each = {
    "Storage Blob Data Reader"      = azurerm_storage_container.main["raw"].id
    "Storage Blob Data Contributor" = azurerm_storage_container.main["models"].id
  }

  scope                = each.value
  role_definition_name = each.key
  principal_id         = azurerm_user_assigned_identity.training.principal_id
  principal_type       = "ServicePrincipal"
}

# The workspace gets its rights on vault, storage and registry from Azure when it is made with them; reading data by
# identity rather than by key is one more.

resource "azurerm_role_assignment" "workspace_data" {
  scope                            = azurerm_storage_account.main.id
  role_definition_name             = "Storage Blob Data Contributor"
  principal_id                     = azurerm_machine_learning_workspace.main.identity[0].principal_id
  principal_type                   = "ServicePrincipal"
  skip_service_principal_aad_check = true
}

# People.

resource "azurerm_role_assignment" "operator" {
  for_each = {
    for pair in setproduct(local.operators, keys(local.operator_roles)) :
    "${pair[0]} ${pair[1]}" => { principal = pair[0], role = pair[1] }
  }

  scope                = local.operator_roles[each.value.role]
  role_definition_name = each.value.role
  principal_id         = each.value.principal
}

# The pipeline: a GitHub workflow that runs in the environment named as this one, without a secret.

resource "azurerm_user_assigned_identity" "pipeline" {
  count = var.github_repository == null ? 0 : 1

  name                = "id-${local.name}-pipeline"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags
}

resource "azurerm_federated_identity_credential" "pipeline" {
  count = length(azurerm_user_assigned_identity.pipeline)

  name                = "github"
  resource_group_name = azurerm_resource_group.main.name
  parent_id           = azurerm_user_assigned_identity.pipeline[0].id
  issuer              = "https://token.actions.githubusercontent.com"
  subject             = "repo:${var.github_repository}:environment:${var.environment}"
  audience            = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_assignment" "pipeline" {
  for_each = var.github_repository == null ? {} : {
    "AcrPush"                                    = azurerm_container_registry.main.id
    "Azure Kubernetes Service Cluster User Role" = azurerm_kubernetes_cluster.main.id
    "AzureML Data Scientist"                     = azurerm_machine_learning_workspace.main.id
    "Reader"                                     = azurerm_container_registry.main.id
    "Storage Blob Data Contributor"              = azurerm_storage_container.main["models"].id

    # Everything within the namespace, custom resources too, and nothing outside it.
    "Azure Kubernetes Service RBAC Cluster Admin" = "${azurerm_kubernetes_cluster.main.id}/namespaces/${var.kubernetes_namespace}"
  }

  scope                = each.value
  role_definition_name = each.key
  principal_id         = azurerm_user_assigned_identity.pipeline[0].principal_id
  principal_type       = "ServicePrincipal"
}
