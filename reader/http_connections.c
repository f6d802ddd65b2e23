/* SPDX-License-Identifier: MIT */
#include "http_connections.h"
#include "now.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define SWEEP_MS   250
#define CROWDED_MS 1000 /* without a request, while there is little room left */

struct inv_connection {
	struct inv_connection *next, *previous;
	int fd;
	enum inv_connection_phase phase;
	int64_t since_ms;
	bool shut;
};

struct inv_connections {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t sweeper;
	struct inv_connection all; /* a ring; the head holds none */
	size_t count, most;
	bool stop;
};

static bool time_is_up(const struct inv_connections *all, const struct inv_connection *c,
		       int64_t now)
{
	bool crowded = all->count > all->most / 4 * 3;
	int64_t age = now - c->since_ms;
	if (c->phase == INV_CONNECTION_IDLE)
		return age > (crowded ? CROWDED_MS : INV_IDLE_MS);
	return c->phase == INV_CONNECTION_ANSWERED && age > INV_ANSWER_MS;
}

static void sweep(struct inv_connections *all)
{
	int64_t now = inv_now_ms();
	for (struct inv_connection *c = all->all.next; c != &all->all; c = c->next)
		if (!c->shut && time_is_up(all, c, now)) {
			c->shut = true;
			shutdown(c->fd, SHUT_RDWR); /* [Y1] */
		}
}

static void *run(void *arg)
{
	struct inv_connections *all = arg;
	pthread_mutex_lock(&all->lock);
	while (!all->stop) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += SWEEP_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&all->wake, &all->lock, &until);
		sweep(all);
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

struct inv_connections *inv_connections_new(size_t most)
{
	struct inv_connections *all = calloc(1, sizeof(*all));
	pthread_condattr_t attributes;
	if (!all)
		return NULL;
	all->most = most;
	all->all.next = all->all.previous = &all->all;
	pthread_mutex_init(&all->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&all->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&all->sweeper, NULL, run, all) == 0)
		return all;
	free(all);
	return NULL;
}

void inv_connections_free(struct inv_connections *all)
{
	if (!all)
		return;
	pthread_mutex_lock(&all->lock);
	all->stop = true;
	pthread_cond_signal(&all->wake);
	pthread_mutex_unlock(&all->lock);
	pthread_join(all->sweeper, NULL);
	pthread_cond_destroy(&all->wake);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

struct inv_connection *inv_connection_begin(struct inv_connections *all, int fd)
{
	struct inv_connection *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->fd = fd;
	c->since_ms = inv_now_ms();
	pthread_mutex_lock(&all->lock);
	c->next = &all->all;
	c->previous = all->all.previous;
	c->previous->next = c->next->previous = c;
	all->count++;
	pthread_mutex_unlock(&all->lock);
	return c;
}

void inv_connection_end(struct inv_connections *all, struct inv_connection *connection)
{
	if (!connection)
		return;
	pthread_mutex_lock(&all->lock);
	connection->previous->next = connection->next;
	connection->next->previous = connection->previous;
	all->count--;
	pthread_mutex_unlock(&all->lock);
	free(connection);
}

void inv_connection_phase(struct inv_connections *all, struct inv_connection *connection,
			  enum inv_connection_phase phase)
{
	if (!connection)
		return;
	pthread_mutex_lock(&all->lock);
	connection->phase = phase;
	connection->since_ms = inv_now_ms();
	pthread_mutex_unlock(&all->lock);
}
