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

enum inv_exit {
	INV_EXIT_OK = 0,
	INV_EXIT_RUNTIME = 1,
	INV_EXIT_USAGE = 2,
	INV_EXIT_NO_SESSION = 3,
	INV_EXIT_REFUSED = 4
};

int inv_verb_run(int argc, char **argv);
int inv_verb_snapshot(int argc, char **argv);
int inv_verb_events(int argc, char **argv);
int inv_verb_stats(int argc, char **argv);
int inv_verb_history(int argc, char **argv);
int inv_verb_ls(int argc, char **argv);
int inv_verb_prune(int argc, char **argv);
int inv_verb_check(int argc, char **argv);

#endif
