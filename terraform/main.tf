# SPDX-License-Identifier: MIT
#
# The eight resources of the system. Who may do what: access.tf. Addresses: network.tf.

data "azurerm_client_config" "current" {}

locals {
  name = "${var.project_name}-${var.environment}"

  # Some names are unique in all of Azure. This suffix is the same on each run and differs between subscriptions.
  suffix = substr(sha1("${data.azurerm_client_config.current.subscription_id}/${local.name}"), 0, 6)

  # A private API server takes no list, and a list is never empty.
  has_authorized_ip_ranges = length(var.api_server_authorized_ip_ranges) > 0 && !var.private_endpoints_enabled
  authorized_ip_ranges     = local.has_authorized_ip_ranges ? var.api_server_authorized_ip_ranges : null

  tags = merge(var.tags, {
    project     = var.project_name
    environment = var.environment
    managed-by  = "terraform"
  })
}

resource "azurerm_resource_group" "main" {
  name     = "rg-${local.name}"
  location = var.location
  tags     = local.tags
}

resource "azurerm_log_analytics_workspace" "main" {
  name                = "log-${local.name}"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  sku                 = "PerGB2018"
  retention_in_days   = var.log_retention_days
  tags                = local.tags
}

resource "azurerm_application_insights" "main" {
  name                = "appi-${local.name}"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  workspace_id        = azurerm_log_analytics_workspace.main.id
  application_type    = "web"
  retention_in_days   = var.log_retention_days
  tags                = local.tags
}

resource "azurerm_key_vault" "main" {
  # checkov:skip=CKV_AZURE_109:private_endpoints_enabled closes the public address
  # checkov:skip=CKV_AZURE_189:private_endpoints_enabled closes the public address

  name                          = "kv-${local.name}-${local.suffix}"
  location                      = azurerm_resource_group.main.location
  resource_group_name           = azurerm_resource_group.main.name
  tenant_id                     = data.azurerm_client_config.current.tenant_id
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  soft_delete_retention_days    = var.environment == "prod" ? 90 : 7
  public_network_access_enabled = !var.private_endpoints_enabled
  tags                          = local.tags

  network_acls {
    bypass         = "AzureServices"
    default_action = var.private_endpoints_enabled ? "Deny" : "Allow"
  }
}

resource "azurerm_container_registry" "main" {
  # checkov:skip=CKV_AZURE_139:private_endpoints_enabled with a Premium registry closes the public address
  # checkov:skip=CKV_AZURE_164:a feature of the Premium edition; this system is specified with Standard
  # checkov:skip=CKV_AZURE_165:a feature of the Premium edition; this system is specified with Standard
  # checkov:skip=CKV_AZURE_166:a feature of the Premium edition; this system is specified with Standard
  # checkov:skip=CKV_AZURE_167:a feature of the Premium edition; this system is specified with Standard
  # checkov:skip=CKV_AZURE_233:a feature of the Premium edition; this system is specified with Standard
  # checkov:skip=CKV_AZURE_237:a feature of the Premium edition; this system is specified with Standard

  name                          = "acr${var.project_name}${var.environment}${local.suffix}"
  location                      = azurerm_resource_group.main.location
  resource_group_name           = azurerm_resource_group.main.name
  sku                           = var.container_registry_sku
  admin_enabled                 = false
  public_network_access_enabled = !local.registry_is_private
  tags                          = local.tags
}

resource "azurerm_storage_account" "main" {
  # checkov:skip=CKV_AZURE_33:there are no queues in this account
  # checkov:skip=CKV_AZURE_35:private_endpoints_enabled closes the public address
  # checkov:skip=CKV_AZURE_43:the name is put together from validated parts; the check does not follow it
  # checkov:skip=CKV_AZURE_59:private_endpoints_enabled closes the public address
  # checkov:skip=CKV_AZURE_206:this system is specified with LRS; raw data can be loaded again, bundles trained again
  # checkov:skip=CKV2_AZURE_1:encrypted with keys of the platform; no rule here asks for keys of the customer
  # checkov:skip=CKV2_AZURE_40:the workspace's own datastores sign in with the account key

  name                     = "st${var.project_name}${var.environment}${local.suffix}"
  location                 = azurerm_resource_group.main.location
  resource_group_name      = azurerm_resource_group.main.name
  account_kind             = "StorageV2"
  account_tier             = "Standard"
  account_replication_type = "LRS"
  access_tier              = "Hot"

  min_tls_version                 = "TLS1_2"
  https_traffic_only_enabled      = true
  allow_nested_items_to_be_public = false
  default_to_oauth_authentication = true
  local_user_enabled              = false
  shared_access_key_enabled       = true
  public_network_access_enabled   = !var.private_endpoints_enabled
  tags                            = local.tags

  blob_properties {
    versioning_enabled = true

    delete_retention_policy {
      days = 7
    }

    container_delete_retention_policy {
      days = 7
    }
  }

  sas_policy {
    expiration_period = "01.00:00:00"
    expiration_action = "Log"
  }

  network_rules {
    bypass         = ["AzureServices"]
    default_action = var.private_endpoints_enabled ? "Deny" : "Allow"
  }
}

resource "azurerm_storage_container" "main" {
  # checkov:skip=CKV2_AZURE_21:logged by the diagnostic setting in logs.tf; the check knows an older way only

  for_each = toset(["raw", "processed", "models"])

  name                  = each.key
  storage_account_id    = azurerm_storage_account.main.id
  container_access_type = "private"
}

resource "azurerm_storage_management_policy" "main" {
  storage_account_id = azurerm_storage_account.main.id

  rule {
    name    = "archiveData"
    enabled = true

    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["raw/", "processed/"]
    }

    actions {
      base_blob {
        tier_to_archive_after_days_since_modification_greater_than = var.archive_after_days
      }

      version {
        change_tier_to_archive_after_days_since_creation = var.archive_after_days
      }
    }
  }

  # A blob in the archive cannot be read, and a pod that starts reads its bundle, however old. So what is current
  # stays readable at a lower price, and only what was replaced or deleted is archived.
  rule {
    name    = "archiveReplacedModels"
    enabled = true

    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["models/"]
    }

    actions {
      base_blob {
        tier_to_cool_after_days_since_modification_greater_than = var.archive_after_days
      }

      version {
        change_tier_to_archive_after_days_since_creation = var.archive_after_days
      }
    }
  }
}

resource "azurerm_machine_learning_workspace" "main" {
  # checkov:skip=CKV2_AZURE_49:private_endpoints_enabled closes the public address
  # checkov:skip=CKV2_AZURE_50:private_endpoints_enabled closes the public address

  name                          = "mlw-${local.name}"
  location                      = azurerm_resource_group.main.location
  resource_group_name           = azurerm_resource_group.main.name
  application_insights_id       = azurerm_application_insights.main.id
  key_vault_id                  = azurerm_key_vault.main.id
  storage_account_id            = azurerm_storage_account.main.id
  container_registry_id         = azurerm_container_registry.main.id
  sku_name                      = var.ml_workspace_sku
  public_network_access_enabled = !var.private_endpoints_enabled
  tags                          = local.tags

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_kubernetes_cluster" "main" {
  # checkov:skip=CKV_AZURE_115:private_endpoints_enabled makes the API server private
  # checkov:skip=CKV_AZURE_117:encrypted with keys of the platform, and system disks are ephemeral
  # checkov:skip=CKV_AZURE_170:prod.tfvars takes the paid tier; a dev cluster needs no promise
  # checkov:skip=CKV_AZURE_227:encryption at host must first be registered for the subscription
  # checkov:skip=CKV_AZURE_232:one pool for everything keeps a dev cluster at one node

  name                      = "aks-${local.name}"
  location                  = azurerm_resource_group.main.location
  resource_group_name       = azurerm_resource_group.main.name
  dns_prefix                = "aks-${local.name}"
  kubernetes_version        = var.kubernetes_version
  sku_tier                  = var.cluster_sku_tier
  automatic_upgrade_channel = "patch"
  node_os_upgrade_channel   = "NodeImage"
  tags                      = local.tags

  private_cluster_enabled = var.private_endpoints_enabled

  # Everyone comes in through Entra, and Azure's roles say what he may do.
  local_account_disabled            = true
  role_based_access_control_enabled = true
  oidc_issuer_enabled               = true
  workload_identity_enabled         = true
  azure_policy_enabled              = true

  azure_active_directory_role_based_access_control {
    azure_rbac_enabled = true
    tenant_id          = data.azurerm_client_config.current.tenant_id
  }

  identity {
    type = "SystemAssigned"
  }

  default_node_pool {
    name                        = "default"
    vm_size                     = var.node_vm_size
    vnet_subnet_id              = azurerm_subnet.nodes.id
    auto_scaling_enabled        = true
    min_count                   = var.node_count_min
    max_count                   = var.node_count_max
    max_pods                    = 60
    os_disk_type                = "Ephemeral"
    os_disk_size_gb             = 64
    temporary_name_for_rotation = "rotating"
    tags                        = local.tags

    upgrade_settings {
      max_surge = "33%"
    }
  }

  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_data_plane  = "cilium"
    network_policy      = "cilium"
    load_balancer_sku   = "standard"
    pod_cidr            = local.pod_range
    service_cidr        = "10.245.0.0/16"
    dns_service_ip      = "10.245.0.10"
  }

  dynamic "api_server_access_profile" {
    for_each = local.authorized_ip_ranges == null ? [] : [local.authorized_ip_ranges]

    content {
      authorized_ip_ranges = api_server_access_profile.value
    }
  }

  key_vault_secrets_provider {
    secret_rotation_enabled = true
  }

  oms_agent {
    log_analytics_workspace_id      = azurerm_log_analytics_workspace.main.id
    msi_auth_for_monitoring_enabled = true
  }

  lifecycle {
    # The upgrade channel moves the patch version.
    ignore_changes = [kubernetes_version]
  }
}

# Interruptible nodes, for batch work that tolerates their taint. The service itself never lands here.
resource "azurerm_kubernetes_cluster_node_pool" "spot" {
  count = var.spot_nodes_enabled ? 1 : 0

  name                  = "spot"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.main.id
  vm_size               = var.node_vm_size
  vnet_subnet_id        = azurerm_subnet.nodes.id
  priority              = "Spot"
  eviction_policy       = "Delete"
  spot_max_price        = -1
  auto_scaling_enabled  = true
  min_count             = 0
  max_count             = var.spot_node_count_max
  max_pods              = 60
  os_disk_type          = "Ephemeral"
  os_disk_size_gb       = 64
  node_labels           = { "kubernetes.azure.com/scalesetpriority" = "spot" }
  node_taints           = ["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]
  tags                  = local.tags
}
