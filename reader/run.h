/* SPDX-License-Identifier: MIT */
/*
 * run.h - the verb `run`: start a program observed, follow it, sum it up.
 *
 * The program is the reason for all of this: it runs even where observing fails (no room,
 * no directory), and goes on when `run` is killed. Before the program starts, errors of
 * ours are refusals (125): a probe file with an error observes nothing, and it is better
 * to hear that at once.
 */
#ifndef INV_READER_RUN_H
#define INV_READER_RUN_H

#define INV_RUN_EXIT_OWN	    125 /* every error of our own; nothing was started */
#define INV_RUN_EXIT_NOT_EXECUTABLE 126
#define INV_RUN_EXIT_NOT_FOUND	    127
#define INV_RUN_EXIT_SIGNAL	    128 /* plus the signal that killed the program */

/*
 * argv[0] is the verb.
 * Returns: the program's exit status, 128 + its signal, or one of the above.
 */
int inv_verb_run(int argc, char **argv);

#endif
