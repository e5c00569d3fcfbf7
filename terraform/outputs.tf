# SPDX-License-Identifier: MIT

output "subscription_id" {
  description = "Subscription that everything is in."
  value       = data.azurerm_client_config.current.subscription_id
}

output "tenant_id" {
  description = "Entra tenant of the subscription."
  value       = data.azurerm_client_config.current.tenant_id
}

output "resource_group_name" {
  description = "Resource group of everything."
  value       = azurerm_resource_group.main.name
}

output "ml_workspace_name" {
  description = "Machine learning workspace."
  value       = azurerm_machine_learning_workspace.main.name
}

output "storage_account_name" {
  description = "Storage account with the containers raw, processed and models."
  value       = azurerm_storage_account.main.name
}

output "container_registry_name" {
  description = "Container registry, for `az acr login --name`."
  value       = azurerm_container_registry.main.name
}

output "container_registry_server" {
  description = "Host name of the container registry, which images are named with."
  value       = azurerm_container_registry.main.login_server
}

output "kubernetes_cluster_name" {
  description = "Kubernetes cluster, for `az aks get-credentials --name`."
  value       = azurerm_kubernetes_cluster.main.name
}

output "key_vault_name" {
  description = "Key vault."
  value       = azurerm_key_vault.main.name
}

output "service_client_id" {
  description = "Client id of the identity that the service's pods act as."
  value       = azurerm_user_assigned_identity.service.client_id
}

output "training_client_id" {
  description = "Client id of the identity that training in the cluster acts as."
  value       = azurerm_user_assigned_identity.training.client_id
}

output "pipeline_client_id" {
  description = "Client id that the GitHub workflow signs in with; null without github_repository."
  value       = one(azurerm_user_assigned_identity.pipeline[*].client_id)
}

output "application_insights_connection_string" {
  description = "Where telemetry goes."
  value       = azurerm_application_insights.main.connection_string
  sensitive   = true
}
