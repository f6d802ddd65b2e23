#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A plug-in loaded late, unloaded and loaded again, and a pointer from dlsym: all seen.
. "$(dirname "$0")/lib.sh"
need python3

same_output "$hosts/dlopens" --depth 5 --calls 100
snapshot_json "$(session)" >"$work/snapshot.json"
calls_of() {
	json "$work/snapshot.json" "sum(a['total_invocations'] for a in d['artifacts'] if a['artifact_id'] == '$1')"
}
assert_eq "through the plug-in" 500 "$(calls_of plugin_artifact)"
assert_eq "through dlsym" 500 "$(calls_of dlsym_artifact)"
