# SPDX-License-Identifier: MIT

variable "subscription_id" {
  description = "Subscription to build in; null takes ARM_SUBSCRIPTION_ID or the one that `az account set` chose."
  type        = string
  default     = null
}

variable "project_name" {
  description = "Part of every name: 2 to 8 lower-case letters and digits, a letter first."
  type        = string
  default     = "predm"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,7}$", var.project_name))
    error_message = "project_name takes 2 to 8 lower-case letters and digits, a letter first: a key vault's name ends at 24."
  }
}

variable "environment" {
  description = "Which installation this is: dev or prod. Part of every name; prod also protects against deletion."
  type        = string
  default     = "dev"

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment is dev or prod."
  }
}

variable "location" {
  description = "Azure region of everything."
  type        = string
  default     = "westeurope"
}

variable "tags" {
  description = "Tags for every resource, beside project, environment and managed-by."
  type        = map(string)
  default     = {}
}

variable "operator_object_ids" {
  description = "Entra object ids of those who administer the cluster, the secrets and the data; empty means whoever applies."
  type        = list(string)
  default     = []
}

variable "github_repository" {
  description = "OWNER/NAME of the repository whose workflows may deploy by OIDC; null makes no identity for it."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository has the form OWNER/NAME."
  }
}

variable "log_retention_days" {
  description = "Days that Log Analytics and Application Insights keep data; 30 is the least and included in the price."
  type        = number
  default     = 30

  validation {
    condition     = contains([30, 60, 90, 120, 180, 270, 365, 550, 730], var.log_retention_days)
    error_message = "log_retention_days is one of 30, 60, 90, 120, 180, 270, 365, 550, 730."
  }
}

variable "archive_after_days" {
  description = "Days after which blobs that nobody changed go to the archive tier."
  type        = number
  default     = 30

  validation {
    condition     = var.archive_after_days >= 1 && var.archive_after_days <= 3650
    error_message = "archive_after_days lies between 1 and 3650."
  }
}

variable "container_registry_sku" {
  description = "Standard, or Premium, which a private endpoint for the registry needs."
  type        = string
  default     = "Standard"

  validation {
    condition     = contains(["Standard", "Premium"], var.container_registry_sku)
    error_message = "container_registry_sku is Standard or Premium."
  }
}

variable "ml_workspace_sku" {
  description = "Edition of the machine learning workspace: Basic or Standard."
  type        = string
  default     = "Standard"

  validation {
    condition     = contains(["Basic", "Standard"], var.ml_workspace_sku)
    error_message = "ml_workspace_sku is Basic or Standard."
  }
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, such as 1.32; null takes the region's default. Patches follow by themselves."
  type        = string
  default     = null
}

variable "cluster_sku_tier" {
  description = "Free, or Standard, which promises an uptime of the API server."
  type        = string
  default     = "Free"

  validation {
    condition     = contains(["Free", "Standard"], var.cluster_sku_tier)
    error_message = "cluster_sku_tier is Free or Standard."
  }
}

variable "node_vm_size" {
  description = "Machine size of the nodes. Another one needs a local cache of at least 64 GB for its system disk."
  type        = string
  default     = "Standard_DS2_v2"
}

variable "node_count_min" {
  description = "Nodes that are always there."
  type        = number
  default     = 1

  validation {
    condition     = var.node_count_min >= 1 && var.node_count_min <= var.node_count_max
    error_message = "node_count_min lies between 1 and node_count_max."
  }
}

variable "node_count_max" {
  description = "Nodes that the autoscaler may go up to."
  type        = number
  default     = 5

  validation {
    condition     = var.node_count_max >= 1 && var.node_count_max <= 100
    error_message = "node_count_max lies between 1 and 100."
  }
}

variable "api_server_authorized_ip_ranges" {
  description = "Address ranges (CIDR) that may reach the cluster's API server; empty leaves it to authentication alone. Without effect on a private one."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.api_server_authorized_ip_ranges : can(cidrhost(range, 0))])
    error_message = "api_server_authorized_ip_ranges holds ranges such as 203.0.113.0/24."
  }
}

variable "spot_nodes_enabled" {
  description = "Adds a pool of spot nodes, from none to spot_node_count_max, for work that may be interrupted."
  type        = bool
  default     = false
}

variable "spot_node_count_max" {
  description = "Nodes that the spot pool may go up to."
  type        = number
  default     = 3

  validation {
    condition     = var.spot_node_count_max >= 1 && var.spot_node_count_max <= 100
    error_message = "spot_node_count_max lies between 1 and 100."
  }
}

variable "private_endpoints_enabled" {
  description = "Puts storage, key vault, workspace and API server (a Premium registry too) on private addresses and closes the public ones."
  type        = bool
  default     = false
}

variable "network_address_space" {
  description = "Address range of the virtual network: at least a /20. Nodes get a quarter of it, private endpoints a sixteenth."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.network_address_space, 4, 15)) && try(tonumber(split("/", var.network_address_space)[1]) <= 20, false)
    error_message = "network_address_space is a range of at least a /20, such as 10.40.0.0/16."
  }
}

variable "kubernetes_namespace" {
  description = "Namespace whose service account predictive-maintenance may act as the service's identity; as in k8s/base."
  type        = string
  default     = "predictive-maintenance"
}
