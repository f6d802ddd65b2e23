#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# However an interpreter is started, every call is recorded and the program does what it does
# unobserved: options, -m, -c, stdin, environments, archives, tools on top, and programs in C
# that have Python inside. (95 is what programs start themselves.)
# skip-under: thread: behind its runtime, a libpython that a program opens by dlopen is not noticed
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/python_lib.sh"
need python3 gcc

probes=$launch/probes.ini
script=$launch/script.py
export PYTHONDONTWRITEBYTECODE=1

# ---- the interpreter's own options ------------------------------------------------------------

by_option() {
	local options=()
	way script "$python" "$script"
	way "-I" "$python" -I "$script"
	way "-E" "$python" -E "$script"
	way "-S" "$python" -S "$script"
	way "-s -B -O" "$python" -s -B -O "$script"
	way "-X dev" "$python" -X dev "$script"
	way "-X importtime" "$python" -X importtime "$script"
	way "PYTHONMALLOC=debug" env PYTHONMALLOC=debug "$python" "$script"
	way "PYTHONMALLOC=malloc" env PYTHONMALLOC=malloc "$python" "$script"
	way "no environment" env -u HOME -u PATH "$python" "$script"
	way "-c" "$python" -c "$(cat "$script")"
	way stdin bash -c "exec '$python' - <'$script'"
	(cd "$launch" && way "-m" "$python" -m script) || exit 1
	way "-m cProfile" bash -c "'$python' -m cProfile '$script' | sed -n 1p"
	way "-m trace" bash -c "cd '$work' && '$python' -m trace --count -C cover '$script' | sed -n 1p"
	way "-m pdb" bash -c "printf 'c\nq\n' | '$python' -m pdb '$script' | grep -c 780"
	way "a module that is a script" "$python" -c "import runpy; runpy.run_path('$script', run_name='__main__')"
}

by_installation() {
	local options=() venv=$work/venv-$version
	[[ -e $venv ]] || "$python" -m venv --without-pip "$venv" >"$work/venv.out" 2>&1 ||
		"$python" -m venv --without-pip --system-site-packages --symlinks "$venv" ||
		fail "$version: no venv: $(tail -n 2 "$work/venv.out")"
	way venv "$venv/bin/python" "$script"
	mkdir -p "$work/app" && cp "$script" "$work/app/script.py"
	"$python" -m zipapp "$work/app" -m script:main -o "$work/app.pyz" || fail "$version: no zipapp"
	# Its main is a function of a module of the archive, not of __main__.
	sed 's/__main__:/script:/' "$launch/probes.ini" >"$work/app.ini"
	probes=$work/app.ini
	way zipapp "$python" "$work/app.pyz"
	probes=$launch/probes.ini
	ln -sf "$python" "$work/another-name"
	way "a link to it" "$work/another-name" -c "import sys; sys.argv = ['x']; exec(open('$script').read())"
}

# ---- Python inside a program in C ------------------------------------------------------------

libpython() { # its shared library, if there is one
	local folder
	folder=$(dirname "$(dirname "$python")")
	compgen -G "$folder/lib/libpython${version%.*}*.so.1.0" ||
		compgen -G "$folder/lib/$(uname -m)-linux-gnu/libpython${version%.*}*.so.1.0"
}

by_embedding() {
	local options=() library home
	library=$(libpython) || { echo "$version: no shared libpython" && return 0; }
	home=$(dirname "$(dirname "$python")")
	gcc -O2 -DLINKED -o "$work/linked" "$launch/embed.c" "$library" \
		"-Wl,-rpath,$(dirname "$library")" || fail "$version: embed.c does not link"
	[[ -e $work/opened ]] || gcc -O2 -o "$work/opened" "$launch/embed.c" -ldl
	way "linked into C" env "PYTHONHOME=$home" "$work/linked" "$script"
	way "dlopen'ed, global" env "PYTHONHOME=$home" "$work/opened" "$script" "$library" global
	way "dlopen'ed, local" env "PYTHONHOME=$home" "$work/opened" "$script" "$library" local
	(($(wc -l <"$kept.truth") == 3)) || fail "$version: not three cycles"
}

# ---- other Pythons: left alone, and said so ---------------------------------------------------

other_pythons() {
	local python version script=$work/other.py probes=$launch/probes.ini
	printf 'class Main:\n    def step(self, n):\n        return n\nprint(Main().step(3))\n' >"$script"
	for python in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/{2.7,3.6,3.7,pypy}*/bin/python /usr/bin/pypy3; do
		[[ -x $python ]] || continue
		version=$(basename "$(dirname "$(dirname "$python")")")
		bare "$version, script" "$python" "$script"
		[[ -n $observing ]] || continue
		seen "$version, script" "$python" "$script"
		forget_sessions
		run --session other -- "$python" "$script" >"$work/out"
		snapshot_json other >"$work/snapshot.json"
		assert_eq "$version: probes bound, or without a reason" "[]" "$(json "$work/snapshot.json" \
			'[p["name"] for p in d["probes"] if p["calls"] or not p["why"]]')"
	done
}

every_python by_option by_installation by_embedding
[[ -n $emulated ]] || other_pythons # they are of another machine
echo "bare: ${#pythons[@]} interpreters"
python_targets
observing=yes
every_python by_option by_installation by_embedding
[[ -n $emulated ]] || other_pythons # they are of another machine
echo "$(wc -l <"$work/counts") launches of ${#pythons[@]} interpreters are equal"
