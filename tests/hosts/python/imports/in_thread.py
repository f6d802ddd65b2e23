# SPDX-License-Identifier: MIT
from counted import counted

ready = sum(range(20000))  # other threads wait for the import


def shared():
    counted("in_thread")
