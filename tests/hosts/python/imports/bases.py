# SPDX-License-Identifier: MIT
from counted import counted


class Base:
    def run(self):
        counted("base_run")

    def overridden(self):
        counted("base_overridden")

    def only_here(self):
        counted("inherited")


class Child(Base):
    def overridden(self):
        super().overridden()
        counted("child_overridden")


class Other(Base):
    pass
