/* SPDX-License-Identifier: MIT */
/* Executes COMMAND... in a process that may make no code (PR_SET_MDWE, Linux 6.3). */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

int main(int argc, char **argv)
{
	if (argc < 2 || prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0)
		return 125;
	execvp(argv[1], argv + 1);
	return 127;
}
