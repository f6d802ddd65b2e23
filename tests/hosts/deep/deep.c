/* SPDX-License-Identifier: MIT */
/*
 * deep.c - recursions that use most of a stack: the main thread's, a smaller one, one that is
 * left by longjmp; and between them calls that are not deep.
 *
 * usage: deep LEVELS THREAD-LEVELS THREAD-STACK-BYTES
 * Prints how many calls each phase made; phases are numbered as they begin.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "deep_target.h"

static int phase;

static void descend_and_say(int levels, int times)
{
	struct descent descent = {0, NULL};
	int deepest = 0;
	phase++;
	for (int i = 0; i < times; i++)
		deepest = descend(&descent, phase, levels);
	printf("%d %ld calls, %d deep\n", phase, descent.calls, deepest);
}

static void jump_out(int levels)
{
	jmp_buf out;
	static struct descent descent; /* survives the jump */
	descent = (struct descent){0, &out};
	phase++;
	if (!setjmp(out))
		descend(&descent, phase, levels);
	printf("%d %ld calls, jumped out\n", phase, descent.calls);
}

static void *on_a_thread(void *levels)
{
	descend_and_say(*(int *)levels, 2);
	descend_and_say(3, 50);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	int levels = atoi(argv[1]), thread_levels = atoi(argv[2]);
	pthread_attr_t attr;
	pthread_t thread;
	descend_and_say(3, 50);
	descend_and_say(levels, 2);
	descend_and_say(3, 50);
	jump_out(levels);
	descend_and_say(3, 50);
	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, (size_t)atol(argv[3])) ||
	    pthread_create(&thread, &attr, on_a_thread, &thread_levels))
		return 3;
	pthread_join(thread, NULL);
	return 0;
}
