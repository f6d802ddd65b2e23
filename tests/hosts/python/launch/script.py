# SPDX-License-Identifier: MIT
"""The plainest program: as a script, by -m, -c and stdin, from an archive, under tools."""
import os
import sys

sys.path[:0] = [os.environ["PROGRAMS"], os.path.join(os.environ["PROGRAMS"], "launch")]
from counted import counted, report
import launched


class Main:
    def step(self, n):
        counted("main")
        return n


def main():
    thing = Main()
    print(sum(thing.step(n) for n in range(20)), launched.use())
    report()


if __name__ == "__main__":
    main()
