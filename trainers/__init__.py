# SPDX-License-Identifier: MIT
"""The network trained by other frameworks, on the same feature files, into the same bundles."""
