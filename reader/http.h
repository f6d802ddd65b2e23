/* SPDX-License-Identifier: MIT */
/*
 * http.h - the server: GNU libmicrohttpd does HTTP, this says who may ask and what answers.
 *
 * A pool of threads, each with an epoll of its own; an answer is made in memory under the
 * board that is there (hub.h) and then sent by libmicrohttpd as the client takes it, so a
 * slow client holds nothing but its own memory. Reading only: GET and HEAD.
 *
 * Guards: Host (http_address.h), a token where one is asked for, no CORS header ever, and
 * limits: on the size of a request's head, on connections, on the time that a connection
 * may be without a whole request and that an answer may take, on the size of an answer.
 * A connection that is without a request when others are short of room goes first.
 *
 * A thread a connection was rejected: a thousand clients that say nothing would cost a
 * thousand stacks.
 */
#ifndef INV_READER_HTTP_H
#define INV_READER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "http_address.h"
#include "http_query.h"
#include "hub.h"

struct MHD_Connection;
struct MHD_Response;

struct inv_http_options {
	struct inv_listen listen;
	const char *const *allowed_hosts; /* more of them, NULL-terminated, or NULL */
	const char *token;		  /* NULL: none is asked for */
	bool metrics_invokers;
	uint32_t metrics_max_series;
};

struct inv_http;

/*
 * Serves the hub on a socket that listens; it is the server's from now on, and closed by
 * inv_http_stop. Returns: 0 or -errno.
 */
int inv_http_start(struct inv_http **http, const struct inv_http_options *options, int fd,
		   struct inv_hub *hub);
void inv_http_stop(struct inv_http *http);

/* ---- for what answers ------------------------------------------------------------ */

struct inv_metrics;
struct inv_sse;

struct inv_request {
	struct MHD_Connection *connection;
	const struct inv_http_options *options;
	struct inv_hub *hub;
	struct inv_metrics *metrics;
	struct inv_sse *sse;
	const struct inv_board *board;
	const char *path;   /* as sent, without the query */
	struct inv_text id; /* decoded: the part of the path that a route leaves open */
	struct inv_params params;
};

#define INV_REPLY_HEADERS 4

struct inv_reply {
	unsigned status;
	const char *type; /* of the content */
	struct inv_buf body;
	struct MHD_Response *stream; /* instead of a body */
	const void *fixed;	     /* instead of a body: bytes that last, */
	size_t fixed_length;
	struct {
		const char *name;
		char *value; /* malloc'ed */
	} headers[INV_REPLY_HEADERS];
	size_t header_count;
};

/* Adds a header whose value is in `value`, which is emptied. */
void inv_reply_header(struct inv_reply *reply, const char *name, struct inv_buf *value);

/* An error as FastAPI says it: {"detail": text}. Replaces the body. */
void inv_reply_detail(struct inv_reply *reply, unsigned status, const char *text);

/* 422 with what is wrong. Returns: whether something is. */
bool inv_reply_wrong(struct inv_reply *reply, struct inv_request *request);

#endif
