/* SPDX-License-Identifier: MIT */
/*
 * verbs.h - the commands of `invreg`, one function and one file each.
 *
 * argv[0] is the verb. Data goes to stdout, talk to stderr.
 * Returns: the exit code: 0 ok, 1 runtime, 2 usage, 3 no such session, 4 refused input;
 * `run` returns its command's.
 */
#ifndef INV_READER_VERBS_H
#define INV_READER_VERBS_H

#define INV_EXIT_OK	    0
#define INV_EXIT_RUNTIME    1
#define INV_EXIT_USAGE	    2
#define INV_EXIT_NO_SESSION 3
#define INV_EXIT_REFUSED    4

int inv_verb_run(int argc, char **argv);
int inv_verb_snapshot(int argc, char **argv);
int inv_verb_events(int argc, char **argv);
int inv_verb_stats(int argc, char **argv);
int inv_verb_top(int argc, char **argv);
int inv_verb_diff(int argc, char **argv);
int inv_verb_bench(int argc, char **argv);
int inv_verb_history(int argc, char **argv);
int inv_verb_ls(int argc, char **argv);
int inv_verb_prune(int argc, char **argv);
int inv_verb_pause(int argc, char **argv);
int inv_verb_resume(int argc, char **argv);
int inv_verb_filter(int argc, char **argv);
int inv_verb_check(int argc, char **argv);
int inv_verb_doctor(int argc, char **argv);
int inv_verb_probe(int argc, char **argv);
int inv_verb_serve(int argc, char **argv);

#endif
