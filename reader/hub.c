/* SPDX-License-Identifier: MIT */
#include "hub.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "grace.h"

struct inv_hub {
	struct inv_board *board; /* rcu */
	size_t keep;
	int stop_fd;
	_Atomic bool stopped, program_ended;
	pthread_mutex_t notify_lock; /* of the next two: who is told may go */
	void (*notify)(void *arg);
	void *notify_arg;
};

const char *inv_board_state_name(enum inv_board_state state)
{
	static const char *const NAMES[] = {"waiting", "live", "ended", "unknown", "file"};
	return NAMES[state];
}

/* ---- boards ------------------------------------------------------------------------- */

struct inv_board *inv_board_new(enum inv_board_state state, const char *source)
{
	struct inv_board *board = calloc(1, sizeof(*board));
	if (!board)
		return NULL;
	board->state = state;
	strncpy(board->source, source, sizeof(board->source) - 1);
	board->cut.ns_per_tick = 1.0;
	return board;
}

static void free_board(struct inv_board *board, const struct inv_board *next)
{
	if (!board)
		return;
	if (!next || board->history != next->history) {
		inv_registry_free(board->history);
		inv_series_free(board->series);
	}
	inv_cut_free(&board->cut);
	free(board);
}

void inv_hub_publish(struct inv_hub *hub, struct inv_board *next)
{
	struct inv_board *old = hub->board;
	if (next)
		inv_registry_sum(next->totals, &next->successful, &next->failed);
	INV_GRACE_BEFORE();
	rcu_assign_pointer(hub->board, next);
	urcu_memb_synchronize_rcu();
	INV_GRACE_AFTER();
	free_board(old, next);
	inv_hub_notify(hub);
}

/* ---- threads that answer ---------------------------------------------------------------- */

static pthread_key_t registered;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void unregister(void *arg)
{
	inv_registry_leave();
}

static void make_key(void)
{
	pthread_key_create(&registered, unregister);
}

/* Once a thread: to enter and leave the list of readers takes a lock that a grace period holds. */
static void register_thread(void)
{
	if (pthread_getspecific(registered))
		return;
	inv_registry_enter();
	pthread_setspecific(registered, &registered);
}

const struct inv_board *inv_hub_enter(struct inv_hub *hub)
{
	register_thread();
	inv_read_lock();
	return rcu_dereference(hub->board);
}

void inv_hub_leave(struct inv_hub *hub)
{
	inv_read_unlock();
}

/* ---- the hub -------------------------------------------------------------------------------- */

struct inv_hub *inv_hub_new(size_t keep)
{
	struct inv_hub *hub = calloc(1, sizeof(*hub));
	if (!hub)
		return NULL;
	pthread_once(&once, make_key);
	hub->keep = keep;
	pthread_mutex_init(&hub->notify_lock, NULL);
	hub->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (hub->stop_fd >= 0)
		return hub;
	free(hub);
	return NULL;
}

void inv_hub_free(struct inv_hub *hub)
{
	if (!hub)
		return;
	close(hub->stop_fd);
	free(hub);
}

size_t inv_hub_keep(const struct inv_hub *hub)
{
	return hub->keep;
}

void inv_hub_on_notify(struct inv_hub *hub, void (*notify)(void *arg), void *arg)
{
	pthread_mutex_lock(&hub->notify_lock);
	hub->notify = notify;
	hub->notify_arg = arg;
	pthread_mutex_unlock(&hub->notify_lock);
}

void inv_hub_notify(struct inv_hub *hub)
{
	pthread_mutex_lock(&hub->notify_lock);
	if (hub->notify)
		hub->notify(hub->notify_arg);
	pthread_mutex_unlock(&hub->notify_lock);
}

void inv_hub_program_ended(struct inv_hub *hub)
{
	atomic_store_explicit(&hub->program_ended, true, memory_order_relaxed);
}

bool inv_hub_has_program_ended(const struct inv_hub *hub)
{
	return atomic_load_explicit(&hub->program_ended, memory_order_relaxed);
}

void inv_hub_stop(struct inv_hub *hub)
{
	uint64_t one = 1;
	atomic_store_explicit(&hub->stopped, true, memory_order_relaxed);
	ssize_t n = write(hub->stop_fd, &one, sizeof(one));
	(void)n; /* a full counter wakes as well */
}

bool inv_hub_stopped(const struct inv_hub *hub)
{
	return atomic_load_explicit(&hub->stopped, memory_order_relaxed);
}

bool inv_hub_rest(struct inv_hub *hub, int ms)
{
	struct pollfd p = {.fd = hub->stop_fd, .events = POLLIN};
	if (!inv_hub_stopped(hub))
		poll(&p, 1, ms);
	return !inv_hub_stopped(hub);
}
