# SPDX-License-Identifier: MIT
"""The peers that native.py compares with: how each is made to observe bench_invoke.

Each is set up to capture the arguments and the outcome, and to keep them in memory, so that no
disk is measured; `note` says what the figures depend on. A peer has `wrap`, `start` and `stop`
as native.Way documents them.
"""
import os
import re
import shutil
import subprocess
import time


def said_by(*command, **more):
    """Returns: exit status, and what the command said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, **more)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, (done.stdout + done.stderr).strip()


def version(*command):
    found = re.search(r"\d+(\.\d+)+", said_by(*command)[1])
    return found[0] if found else "of unknown version"


class Peer:
    same_fields = False
    seen_calls = None
    tool = None
    program = "bench_overhead"

    def __init__(self, name, **arguments):
        self.name, self.arguments = name, arguments
        self.failed = self.note = None

    def start(self, bench):
        if not shutil.which(self.tool) or not os.path.exists(bench.program(self.program)):
            return "not installed"
        return self.prepare(bench)

    def prepare(self, bench):
        return None

    def stop(self, bench):
        return None


class Lttng(Peer):
    """A session daemon of our own, unless one runs; its ring is overwritten, and never written out."""

    same_fields = True
    seen_calls = 40000
    tool = "lttng-sessiond"
    program = "peer_ust"

    def prepare(self, bench):
        self.home = os.path.join(bench.work, "lttng")
        os.mkdir(self.home)
        self.environment = {**os.environ, "LTTNG_HOME": self.home}
        self.session = f"bench-{os.getpid()}"
        self.daemon = None
        if said_by("lttng", "--no-sessiond", "list", env=self.environment)[0]:
            with open(os.path.join(self.home, "log"), "w") as log:
                self.daemon = subprocess.Popen(
                    ["lttng-sessiond", "--no-kernel"], stdout=log, stderr=log, env=self.environment
                )
        for _ in range(50):
            if not said_by("lttng", "--no-sessiond", "list", env=self.environment)[0]:
                break
            time.sleep(0.1)
        size, count = "1M", "4"
        for command in (
            ["create", self.session, "--snapshot", "-o", os.path.join(self.home, "out")],
            ["enable-channel", "-u", "ring", "--overwrite", "--subbuf-size", size, "--num-subbuf", count],
            ["enable-event", "-u", "bench:call", "-c", "ring"],
            ["start"],
        ):
            status, said = said_by("lttng", "--no-sessiond", *command, env=self.environment)
            if status:
                return "does not run here: " + said.splitlines()[-1][:150]
        self.note = (
            f"LTTng {version('lttng', '--version')}, a wrapper that emits one event at return with all fields; "
            f"per-uid ring of {count} x {size} a core, snapshot mode (overwritten, nothing goes to a disk)"
        )
        return None

    def wrap(self, program, arguments, bench):
        return [program(self.program), *arguments, "--way", "ust"], {"LTTNG_HOME": self.home}

    def stop(self, bench):
        if not hasattr(self, "home"):
            return None
        said_by("lttng", "--no-sessiond", "snapshot", "record", env=self.environment)
        kept = sum(
            os.path.getsize(os.path.join(folder, name))
            for folder, _, names in os.walk(os.path.join(self.home, "out"))
            for name in names
            if name.startswith("ring_")
        )
        said_by("lttng", "--no-sessiond", "destroy", self.session, env=self.environment)
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait()
        # A wrapper whose event is not enabled costs next to nothing.
        return None if kept > 1 << 20 else f"does not run here: its ring kept {kept} bytes only"


class Uftrace(Peer):
    same_fields = True  # but for the tick, which it would have to fetch through a pointer
    seen_calls = 10000
    tool = "uftrace"
    program = "peer_uftrace"

    def wrap(self, program, arguments, bench):
        self.data = os.path.join(bench.work, "uftrace")
        shutil.rmtree(self.data, ignore_errors=True)
        self.note = (
            f"uftrace {version('uftrace', '--version')}, the function compiled with -pg; 3 strings, 2 integers, "
            "a pointer and the return value (not the tick); its data go to tmpfs"
        )
        return [
            "uftrace",
            "record",
            "--no-libcall",
            *("-d", self.data),
            *("-A", "bench_invoke@arg1/x,arg2/s,arg3/s,arg4/s,arg5/i32"),
            *("-R", "bench_invoke@retval/i32"),
            program(self.program),
            *arguments,
        ], {}

    def stop(self, bench):
        data = getattr(self, "data", None)
        if not data or self.failed:
            return None
        # of the last run: what it has kept, or it was not tracing
        said = said_by("uftrace", "report", "-d", data)[1]
        found = re.search(r"(\d+)\s+bench_invoke", said)
        lost = re.search(r"LOST|lost", said_by("uftrace", "info", "-d", data)[1])
        if not found or int(found[1]) < 1000:
            return "does not run here: it kept no calls of bench_invoke"
        self.note += f"; {found[1]} calls kept of the last run" + (", some lost" if lost else "")
        return None


class Bpftrace(Peer):
    same_fields = True
    seen_calls = 1000
    tool = "bpftrace"

    def prepare(self, bench):
        library = os.path.join(bench.build, "tests", "libbench_target.so")
        self.script = os.path.join(bench.work, "uprobe.bt")
        self.log = os.path.join(bench.work, "uprobe.log")
        with open(self.script, "w") as f:
            f.write(
                f"uprobe:{library}:bench_invoke\n"
                '{ @start[tid] = nsecs; printf("> %d %d %s %s %s %d\\n", tid, *(int64 *)(arg0 + 16), str(arg1), '
                "str(arg2), str(arg3), arg4); }\n"
                f"uretprobe:{library}:bench_invoke\n"
                '{ printf("< %d %d %d\\n", tid, retval, nsecs - @start[tid]); }\n'
            )
        self.note = (
            f"bpftrace {version('bpftrace', '--version')}: uprobe and uretprobe on the function, one line each with "
            "all fields through its perf buffer of 64 pages to tmpfs"
        )
        return None

    def wrap(self, program, arguments, bench):
        command = " ".join([program("bench_overhead"), *arguments])
        return ["bpftrace", "-q", "-o", self.log, "-c", command, self.script], {}

    def stop(self, bench):
        if self.failed or not hasattr(self, "log"):
            return None
        with open(self.log) as f:
            kept = sum(line.startswith("<") for line in f)
        self.note += f"; {kept} calls kept of the last run"
        return None if kept else "does not run here: it printed no calls"


class Ltrace(Peer):
    same_fields = True  # but for the tick
    seen_calls = 50
    tool = "ltrace"

    def prepare(self, bench):
        self.prototypes = os.path.join(bench.work, "ltrace.conf")
        self.log = os.path.join(bench.work, "ltrace.log")
        with open(self.prototypes, "w") as f:
            f.write("int bench_invoke(addr, string, string, string, int, addr);\n")
        self.note = (
            f"ltrace {version('ltrace', '--version')}: break points on the program's PLT slot and at return; "
            "arguments and return value as text (not the tick) to tmpfs"
        )
        return None

    def wrap(self, program, arguments, bench):
        follow = ["-f"] if bench.threads > 1 else []
        return [
            *("ltrace", *follow, "-F", self.prototypes, "-e", "bench_invoke", "-T", "-o", self.log),
            program("bench_overhead"),
            *arguments,
        ], {}

    def stop(self, bench):
        if self.failed or not hasattr(self, "log"):
            return None
        with open(self.log, errors="replace") as f:
            kept = sum("bench_invoke" in line and '"' in line for line in f)
        return None if kept else "does not run here: it printed no calls"
