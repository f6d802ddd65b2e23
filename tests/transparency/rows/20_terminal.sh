#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# Programs that own a terminal: what they draw on a pty of a fixed size, and tmux with a shell.
. "$(dirname "$0")/../lib.sh"

if installed script less; then
	seq 300 >"$given/numbers"
	cat >"$given/keys.py" <<'PY'
import os, pty, sys, time, fcntl, termios, struct, select
pid, fd = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm", LESS="", LINES="24", COLUMNS="80")
    os.execvp("less", ["less", "numbers"])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
def screen():
    """Until less waits for a key: it has drawn its prompt, cleared the line behind it, and is silent."""
    data, end = b"", time.time() + 20
    while time.time() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                part = os.read(fd, 65536)
            except OSError:
                return data
            if not part:
                return data
            data += part
        elif data.endswith(b"\x1b[K"):
            return data
    return data + b"no prompt"
print(screen())
for keys in (b" ", b"G", b"/^150\n", b"1g", b"q"):
    os.write(fd, keys)
    print(keys, screen())
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
	probe puts tputs 'int (ptr text, int lines, ptr put)' 'artifact_id = "tputs"'
	program "less on a pty" /usr/bin/python3 keys.py
	observe entry 10+
	observe got 10+
	observe auto 10+
fi

forget_probes
if installed tmux; then
	cat >"$given/tmux.sh" <<'SH'
export TERM=xterm HOME=$PWD SHELL=/bin/sh PS1='$ ' ENV=
t() { tmux -S "$PWD/socket" -f /dev/null "$@"; }
t new-session -d -x 80 -y 24 -s one "exec sh"
prompt_behind() { # LINE
	for _ in $(seq 100); do
		t capture-pane -p -t one.0 | grep -A 1 "^$1\$" | grep -q '^\$' && break
		sleep 0.05
	done
}
for _ in $(seq 100); do t capture-pane -p -t one | grep -q '^\$' && break; sleep 0.05; done
t send-keys -t one 'echo "terminal: $(tput cols)"; seq 5' Enter
prompt_behind 5
t split-window -t one -h "exec sh"
for _ in $(seq 100); do t capture-pane -p -t one.1 | grep -q '^\$' && break; sleep 0.05; done
t send-keys -t one.1 'echo second; exit' Enter
for _ in $(seq 100); do [ "$(t list-windows -F '#{window_panes}')" = 1 ] && break; sleep 0.05; done
prompt_behind 5
t capture-pane -p -t one.0
t list-windows -F '#{window_panes} #{window_width}x#{window_height}'
t kill-server
for _ in $(seq 100); do [ ! -S socket ] || ! t ls 2>/dev/null || sleep 0.05; done
SH
	tidy() { rm -f socket; }
	probe add event_add 'int (ptr event, ptr timeout)' 'artifact_id = "event_add"'
	probe loop event_loop 'int (int flags)' 'artifact_id = "event_loop"'
	program tmux sh tmux.sh
	observe entry 20+
	observe got 20+
	observe auto 20+
fi
