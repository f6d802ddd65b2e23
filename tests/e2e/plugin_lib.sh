# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# plugin_lib.sh - for tests of what happens when a probed function is met late: libwork.so has
# `work`, and libplugin.so calls it. Sourced after lib.sh; both are in $work.
cat >"$work/work.c" <<'C'
int work(const char *artifact_id)
{
	return *artifact_id == 0;
}
C
cat >"$work/plugin.c" <<'C'
int work(const char *);
int plugged(void)
{
	return work("plugin");
}
C
cc -O1 -shared -fPIC -o "$work/libwork.so" "$work/work.c"
cc -O1 -shared -fPIC -o "$work/libplugin.so" "$work/plugin.c" -L"$work" -lwork
