/* SPDX-License-Identifier: MIT */
/*
 * http_connections.h - who is connected, and whose time is up.
 *
 * libmicrohttpd ends a connection that is silent; one that sends a byte now and then, or
 * takes one, is not silent. So each connection has a time by which its request, or its
 * answer, must be through; one thread shuts the sockets of those whose time is up, and
 * libmicrohttpd sees their end. Streams (SSE) have no such time: they are ended by silence.
 *
 * [Y1] A connection is in the list from its begin to its end as libmicrohttpd reports them,
 *      and its socket is open all that time: shutting one under the lock hits no other.
 *
 * Any thread.
 */
#ifndef INV_READER_HTTP_CONNECTIONS_H
#define INV_READER_HTTP_CONNECTIONS_H

#include <stddef.h>

#define INV_IDLE_MS   20000 /* without a whole request */
#define INV_ANSWER_MS 30000 /* to take an answer */

struct inv_connections;
struct inv_connection;

/* most: how many there may be. Returns: NULL: out of memory. */
struct inv_connections *inv_connections_new(size_t most);
void inv_connections_free(struct inv_connections *all);

/* Returns: NULL: out of memory. */
struct inv_connection *inv_connection_begin(struct inv_connections *all, int fd);
void inv_connection_end(struct inv_connections *all, struct inv_connection *connection);

enum inv_connection_phase { INV_CONNECTION_IDLE, INV_CONNECTION_ANSWERED, INV_CONNECTION_STREAM };
void inv_connection_phase(struct inv_connections *all, struct inv_connection *connection,
			  enum inv_connection_phase phase);

#endif
