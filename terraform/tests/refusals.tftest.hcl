# SPDX-License-Identifier: MIT
#
# Values that must be refused before anything is planned.

mock_provider "azurerm" {}

run "refuses_an_unknown_environment" {
  command = plan

  variables {
    environment = "staging"
  }

  expect_failures = [var.environment]
}

run "refuses_a_project_name_of_nine" {
  command = plan

  variables {
    project_name = "predmaint"
  }

  expect_failures = [var.project_name]
}

run "refuses_a_capital_in_the_project_name" {
  command = plan

  variables {
    project_name = "Predm"
  }

  expect_failures = [var.project_name]
}

run "refuses_fewer_nodes_at_most_than_at_least" {
  command = plan

  variables {
    node_count_min = 6
  }

  expect_failures = [var.node_count_min]
}

run "refuses_a_cluster_of_no_nodes" {
  command = plan

  variables {
    node_count_min = 0
  }

  expect_failures = [var.node_count_min]
}

run "refuses_a_repository_without_owner" {
  command = plan

  variables {
    github_repository = "name"
  }

  expect_failures = [var.github_repository]
}

run "refuses_a_retention_that_azure_lacks" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "refuses_archiving_at_once" {
  command = plan

  variables {
    archive_after_days = 0
  }

  expect_failures = [var.archive_after_days]
}

run "refuses_a_basic_registry" {
  command = plan

  variables {
    container_registry_sku = "Basic"
  }

  expect_failures = [var.container_registry_sku]
}

run "refuses_a_network_that_is_too_small" {
  command = plan

  variables {
    network_address_space = "10.0.0.0/21"
  }

  expect_failures = [var.network_address_space]
}

run "refuses_an_address_that_is_no_range" {
  command = plan

  variables {
    api_server_authorized_ip_ranges = ["203.0.113.7"]
  }

  expect_failures = [var.api_server_authorized_ip_ranges]
}
