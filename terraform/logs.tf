# SPDX-License-Identifier: MIT
#
# What goes to the log workspace.

# What was done to secrets, blobs and the cluster goes to the log workspace.

resource "azurerm_monitor_diagnostic_setting" "audit" {
  for_each = {
    vault = { id = azurerm_key_vault.main.id, categories = ["AuditEvent"] }
    blobs = {
      id         = "${azurerm_storage_account.main.id}/blobServices/default"
      categories = ["StorageRead", "StorageWrite", "StorageDelete"]
    }
    cluster = { id = azurerm_kubernetes_cluster.main.id, categories = ["kube-audit-admin", "guard"] }
  }

  name                       = "audit"
  target_resource_id         = each.value.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.main.id

  dynamic "enabled_log" {
    for_each = toset(each.value.categories)

    content {
      category = enabled_log.value
    }
  }
}

# Logs and figures of the pods, which the cluster's agent sends where this rule says.

resource "azurerm_monitor_data_collection_rule" "containers" {
  name                = "dcr-${local.name}-containers"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags

  destinations {
    log_analytics {
      name                  = "workspace"
      workspace_resource_id = azurerm_log_analytics_workspace.main.id
    }
  }

  data_sources {
    extension {
      name           = "ContainerInsightsExtension"
      extension_name = "ContainerInsights"
      streams        = ["Microsoft-ContainerInsights-Group-Default"]
      extension_json = jsonencode({
        dataCollectionSettings = {
          interval               = "1m"
          namespaceFilteringMode = "Off"
          enableContainerLogV2   = true
        }
      })
    }
  }

  data_flow {
    streams      = ["Microsoft-ContainerInsights-Group-Default"]
    destinations = ["workspace"]
  }
}

resource "azurerm_monitor_data_collection_rule_association" "containers" {
  name                    = "ContainerInsightsExtension"
  target_resource_id      = azurerm_kubernetes_cluster.main.id
  data_collection_rule_id = azurerm_monitor_data_collection_rule.containers.id
}
