/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static _Thread_local sigjmp_buf *active;
static pthread_once_t installed = PTHREAD_ONCE_INIT;

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
	if (active && info->si_code > 0)
		siglongjmp(*active, 1);
	struct sigaction plain = {.sa_handler = SIG_DFL};
	sigaction(signal, &plain, NULL);
	raise(signal);
}

static void install(void)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

int inv_guard_call(int (*fn)(void *arg), void *arg)
{
	sigjmp_buf here;
	sigjmp_buf *outer = active;
	int result;
	pthread_once(&installed, install);
	if (sigsetjmp(here, 1)) {
		active = outer;
		return -EFAULT;
	}
	active = &here;
	result = fn(arg);
	active = outer;
	return result;
}
