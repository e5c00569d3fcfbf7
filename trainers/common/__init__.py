# SPDX-License-Identifier: MIT
"""What the trainers share: all but the framework."""
