# SPDX-License-Identifier: MIT

terraform {
  required_version = ">= 1.9"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.55"
    }
  }

  # State is local until backend.tf.example has been copied to backend.tf.
}

provider "azurerm" {
  # Null leaves it to ARM_SUBSCRIPTION_ID or to `az account set`.
  subscription_id = var.subscription_id

  features {
    key_vault {
      # A deleted vault stays recoverable for its retention time.
      purge_soft_delete_on_destroy    = false
      recover_soft_deleted_key_vaults = true
    }

    resource_group {
      prevent_deletion_if_contains_resources = var.environment == "prod"
    }
  }
}
