# SPDX-License-Identifier: MIT
#
# The network of the nodes and, where they are wanted, private addresses of the services.

locals {
  pod_range = "10.244.0.0/16"

  registry_is_private = var.private_endpoints_enabled && var.container_registry_sku == "Premium"

  # For each private endpoint: what it leads to, which part of it, and the DNS zones that name it.
  private_endpoints = !var.private_endpoints_enabled ? {} : merge(
    {
      blob = {
        resource_id = azurerm_storage_account.main.id
        part        = "blob"
        zones       = ["privatelink.blob.core.windows.net"]
      }
      vault = {
        resource_id = azurerm_key_vault.main.id
        part        = "vault"
        zones       = ["privatelink.vaultcore.azure.net"]
      }
      workspace = {
        resource_id = azurerm_machine_learning_workspace.main.id
        part        = "amlworkspace"
        zones       = ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"]
      }
    },
    local.registry_is_private ? {
      registry = {
        resource_id = azurerm_container_registry.main.id
        part        = "registry"
        zones       = ["privatelink.azurecr.io"]
      }
    } : {},
  )

  private_zones = toset(flatten([for endpoint in local.private_endpoints : endpoint.zones]))
}

resource "azurerm_virtual_network" "main" {
  name                = "vnet-${local.name}"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  address_space       = [var.network_address_space]
  tags                = local.tags
}

resource "azurerm_subnet" "nodes" {
  name                 = "nodes"
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = [cidrsubnet(var.network_address_space, 2, 0)]
}

resource "azurerm_subnet" "endpoints" {
  name                 = "endpoints"
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = [cidrsubnet(var.network_address_space, 4, 4)]
}

# What no rule allows from outside the network is refused. An ingress with a public address needs
# a rule here.
resource "azurerm_network_security_group" "main" {
  name                = "nsg-${local.name}"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags

  # Pods have addresses of their own, which do not count as the network's.
  security_rule {
    name                         = "nodes-and-pods"
    description                  = "Nodes and pods reach each other."
    priority                     = 100
    direction                    = "Inbound"
    access                       = "Allow"
    protocol                     = "*"
    source_address_prefixes      = concat(azurerm_subnet.nodes.address_prefixes, [local.pod_range])
    source_port_range            = "*"
    destination_address_prefixes = concat(azurerm_subnet.nodes.address_prefixes, [local.pod_range])
    destination_port_range       = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "nodes" {
  subnet_id                 = azurerm_subnet.nodes.id
  network_security_group_id = azurerm_network_security_group.main.id
}

resource "azurerm_subnet_network_security_group_association" "endpoints" {
  subnet_id                 = azurerm_subnet.endpoints.id
  network_security_group_id = azurerm_network_security_group.main.id
}

resource "azurerm_private_dns_zone" "main" {
  for_each = local.private_zones

  name                = each.key
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "main" {
  for_each = local.private_zones

  name                  = "vnet-${local.name}"
  resource_group_name   = azurerm_resource_group.main.name
  private_dns_zone_name = azurerm_private_dns_zone.main[each.key].name
  virtual_network_id    = azurerm_virtual_network.main.id
  tags                  = local.tags
}

resource "azurerm_private_endpoint" "main" {
  for_each = local.private_endpoints

  name                = "pe-${local.name}-${each.key}"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  subnet_id           = azurerm_subnet.endpoints.id
  tags                = local.tags

  private_service_connection {
    name                           = each.key
    private_connection_resource_id = each.value.resource_id
    subresource_names              = [each.value.part]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = [for zone in each.value.zones : azurerm_private_dns_zone.main[zone].id]
  }

  depends_on = [azurerm_private_dns_zone_virtual_network_link.main]
}
