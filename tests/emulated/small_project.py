"""The project that the tests of this folder share."""

from __future__ import annotations

from toolchain.project import Project, project_for_data, with_options


def small_project() -> Project:
    """Few people and few steps: a network that is whole, though not good."""
    project = with_options(project_for_data("wrist"), epochs=2)
    project.data.people = 8
    project.training.steps_per_epoch = 10
    return project
