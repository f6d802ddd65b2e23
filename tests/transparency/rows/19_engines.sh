#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# Script engines and virtual machines: node, tcl, jq, java, luajit, php, ruby.
. "$(dirname "$0")/../lib.sh"

if installed node; then
	cat >"$given/script.js" <<'JS'
const fs = require("fs"), { execFileSync, fork } = require("child_process"), { Worker, isMainThread } = require("worker_threads");
if (!isMainThread) { require("worker_threads").parentPort.postMessage([...Array(1000).keys()].reduce((a, b) => a + b)); }
else if (process.argv[2] === "child") { process.send(process.argv.length); process.disconnect(); }
else (async () => {
  let sum = 0; for (let i = 0; i < 3e6; i++) sum = (sum * 31 + i) % 1000003; console.log(sum);
  for (let i = 0; i < 50; i++) fs.writeFileSync("file" + i % 5, "x".repeat(i));
  console.log(fs.readdirSync(".").join(" "), execFileSync("echo", ["from a child"]).toString());
  console.log(await new Promise(r => new Worker(__filename).on("message", r)));
  console.log(await new Promise(r => fork(__filename, ["child"]).on("message", r)));
  const server = require("http").createServer((q, a) => a.end("answer to " + q.url)).listen(0, async () => {
    const r = await fetch(`http://127.0.0.1:${server.address().port}/x`); console.log(await r.text()); server.close();
    server.closeAllConnections && server.closeAllConnections(); process.exitCode = 6; console.error("done");
  });
})();
JS
	probe open program:uv_fs_open 'int (ptr loop, ptr request, str path, int flags, int mode, ptr callback)' 'artifact_id = "open"'
	probe run program:uv_run 'int (ptr loop, int mode)' 'artifact_id = "run"'
	program node node script.js
	observe entry 5+
	observe auto 5+
	forget_probes
	probe getenv getenv 'str (str artifact_id)'
	observe got 1+
fi

forget_probes
if installed tclsh; then
	cat >"$given/script.tcl" <<'TCL'
proc fib {n} { if {$n < 2} { return $n }; expr {[fib [expr {$n - 1}]] + [fib [expr {$n - 2}]]} }
puts [fib 15]; puts [catch { error oops } message]$message
set f [open made w]; for {set i 0} {$i < 100} {incr i} { puts $f [eval "expr $i * 2"] }; close $f
after 50 { set done 1 }; vwait done; puts [exec echo child]
interp create sub; puts [sub eval { set x 5; incr x }]; puts stderr done; exit 4
TCL
	probe eval Tcl_EvalEx 'int (ptr interp, ptr script, int bytes, int flags)' 'artifact_id = "script"' 'success = return == 0'
	probe string Tcl_NewStringObj 'ptr (ptr bytes, int length)' 'artifact_id = "string"'
	program tclsh tclsh script.tcl
	observe entry 10+
	observe got 2+
	observe auto 10+
fi

forget_probes
if installed jq; then
	printf '{"n": %d, "s": "é\\u0000x"}\n' $(seq 200) >"$given/lines.json"
	echo '{"broken":' >>"$given/lines.json"
	probe next jq_next '{i32,i32,ptr} (ptr jq)' 'artifact_id = "next"'
	forget_probes
	probe compile jq_compile_args 'int (ptr jq, str artifact_id)' 'success = return != 0'
	probe start jq_start 'void (ptr jq)' 'artifact_id = "start"'
	probe file jq_util_input_errors 'int (ptr state)' 'artifact_id = "errors"'
	program jq jq -c '.n * 2, .s' lines.json
	observe entry 1+
	observe got 1+
	observe auto 1+
fi

forget_probes
if installed java javac; then
	cat >"$given/Main.java" <<'JAVA'
import java.util.*; import java.util.concurrent.*;
public class Main {
  static int depth(int n) { return depth(n + 1) + 1; }
  public static void main(String[] a) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4); long sum = 0; List<Future<Long>> all = new ArrayList<>();
    for (int t = 0; t < 8; t++) { int k = t; all.add(pool.submit(() -> { long s = 0; for (int i = 0; i < 300000; i++) s = s * 31 + i + k; return s; })); }
    for (var f : all) sum += f.get(); pool.shutdown(); System.out.println(sum);
    try { depth(0); } catch (StackOverflowError e) { System.out.println("overflow caught"); }
    String nothing = a.length > 5 ? "x" : null; int n = 0;
    for (int i = 0; i < 20000; i++) try { n += nothing.length(); } catch (NullPointerException e) { n++; } System.out.println(n);
    Process p = new ProcessBuilder("echo", "child").start(); System.out.print(new String(p.getInputStream().readAllBytes())); System.gc();
    System.out.println(p.waitFor()); var z = new java.util.zip.CRC32(); z.update(new byte[5000]); System.out.println(z.getValue()); System.exit(5);
  }
}
JAVA
	(cd "$given" && javac Main.java) || skip "javac fails here"
	probe crc libzip.so:Java_java_util_zip_CRC32_updateBytes0 'int (ptr env, ptr class, int crc, ptr bytes, int from, int count)' 'artifact_id = "crc"'
	probe jvm JNI_CreateJavaVM 'int (ptr vm, ptr env, ptr args)' 'artifact_id = "jvm"'
	program java java -Xshare:auto Main
	observe entry 1+
	observe got 1+
	observe auto 1+
fi

forget_probes
if installed luajit; then
	echo 'local n = 0 for i = 1, 1e6 do n = (n * 31 + i) % 65537 end print(n, pcall(error, "x")) os.exit(2)' >"$given/script.lua"
	probe load luaL_loadfile 'int (ptr L, str artifact_id)' 'success = return == 0'
	program luajit luajit script.lua
	observe entry 1+
	observe got 0 "its library is inside it"
	observe auto 1+
fi
forget_probes
if installed go; then
	mkdir "$given/program"
	cat >"$given/program/main.go" <<'GO'
package main

// #include <stdlib.h>
// #include <time.h>
import "C"
import ("fmt"; "net"; "os"; "os/exec"; "runtime"; "sync"; "unsafe")

func main() {
	var group sync.WaitGroup
	sums := make([]int, 8)
	for i := range sums {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for k := 0; k < 300; k++ {
				name := C.CString(fmt.Sprint("NAME", k % 9))
				if C.getenv(name) == nil { sums[i] += k }
				C.free(unsafe.Pointer(name)); runtime.Gosched()
			}
		}(i)
	}
	group.Wait(); runtime.GC(); fmt.Println(sums)
	defer func() { fmt.Println("recovered", recover() != nil, os.Getenv("HOME") != ""); os.Exit(5) }()
	out, err := exec.Command("echo", "child").Output(); fmt.Print(string(out), err, "\n")
	_, err = net.Dial("tcp", "127.0.0.1:1"); fmt.Println(err != nil)
	var nothing *int; fmt.Println(*nothing)
}
GO
	if (cd "$given/program" && HOME=$work GOFLAGS=-mod=mod GO111MODULE=off CGO_ENABLED=1 go build -o ../go main.go) >"$work/go.err" 2>&1; then
		rm -r "$given/program"
		probe getenv getenv 'str (str artifact_id)'
		program "a Go program with cgo" ./go
		observe entry 2400+
		observe got 2400+
		observe auto 2400+
		forget_probes
		probe main program:main.main 'void ()' 'artifact_id = "main"'
		program "Go's own functions" ./go
		observe auto 0 "a Go program moves its stacks"
		doctor_says "Go program"
	else
		say "a Go program" - - "skipped: it does not build here: $(head -n 1 "$work/go.err")"
	fi
fi

forget_probes
if installed php; then
	# shellcheck disable=SC2016 # PHP's own variables
	echo '<?php $s = 0; for ($i = 0; $i < 300000; $i++) $s = ($s * 31 + $i) % 65537; echo $s, crc32("x"), json_encode([1, "a" => null]), "\n"; exit(3);' >"$given/script.php"
	probe execute program:zend_execute_scripts 'int (int type, ptr value, int args_count)' 'artifact_id = "script"'
	program php php script.php
	observe entry 1+
	observe auto 1+
fi
forget_probes
if installed ruby; then
	echo 's = 0; 300000.times { |i| s = (s * 31 + i) % 65537 }; puts s, Thread.new { 5 }.value, `echo child`; begin; raise "x"; rescue => e; puts e; end; GC.start; exit 3' >"$given/script.rb"
	probe run ruby_run_node 'int (ptr node)' 'artifact_id = "script"'
	program ruby ruby script.rb
	observe entry 1+
	observe got 1+
	observe auto 1+
fi
