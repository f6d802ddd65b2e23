#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# perl, whose operators are functions behind a table of pointers.
. "$(dirname "$0")/../lib.sh"
installed perl || exit 0

cat >"$given/script.pl" <<'PL'
use strict; use warnings; use POSIX (); use File::Temp;
my %count; $count{length $_}++ for map { "x" x ($_ % 7) } 1 .. 500;
print join(",", map { "$_=$count{$_}" } sort keys %count), "\n";
sub fact { my $n = shift; $n < 2 ? 1 : $n * fact($n - 1) } print fact(20), "\n";
eval { die { code => 42 } }; print "died $@->{code}\n";
(my $text = "a1b22c333") =~ s/(\d+)/<$1>/g; print "$text\n";
printf "%.10f %.10f\n", log(10), 2 ** 0.5;
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 5; }; print "caught $@";
my $pid = fork; if (!$pid) { POSIX::_exit(3) } waitpid $pid, 0; print $? >> 8, "\n";
open my $pipe, "-|", "echo from a shell; exit 4" or die; print <$pipe>; close $pipe; print $? >> 8, "\n";
open my $file, ">", "made" or die; print $file "$_\n" for 1 .. 100; close $file;
warn "a warning\n"; exit 9;
PL
program perl perl script.pl
probe entersub program:Perl_pp_entersub 'ptr (ptr interpreter)' 'artifact_id = "sub"'
observe entry 20+
observe auto 20+
observe got 0 "its operators are called by pointers within it"
forget_probes
probe log libm.so.6:log 'f64 (f64 x)' 'artifact_id = "log"'
probe fork fork 'int ()' 'artifact_id = "fork"'
observe got 3+
