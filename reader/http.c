/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include <microhttpd.h>

#include "api.h"
#include "http_connections.h"
#include "metrics.h"
#include "sse.h"
#include "web.h"

#define INV_HTTP_UNPROCESSABLE 422 /* its name differs between versions of the library */
#define THREADS		       4u
#define CONNECTIONS_MOST       4096u
#define CONNECTIONS_LEAST      64u
#define FDS_OF_OURS	       64u
#define HEAD_BYTES_MAX	       (24u << 10)
#define SILENT_SECONDS	       30u /* a stream is given a sign of life more often */
#define ANSWER_BYTES_MAX       (32u << 20)

#define CSP                                                                                        \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "          \
	"font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "              \
	"form-action 'none'; frame-ancestors 'none'"

struct inv_http {
	struct inv_http_options options;
	struct MHD_Daemon *daemon;
	struct inv_hub *hub;
	struct inv_connections *connections;
	struct inv_metrics *metrics;
	struct inv_sse *sse;
	int fd;
};

/* ---- replies ------------------------------------------------------------------------- */

void inv_reply_header(struct inv_reply *reply, const char *name, struct inv_buf *value)
{
	char *text = value->error ? NULL : strndup(value->data, value->length);
	value->length = 0;
	if (!text || reply->header_count == INV_REPLY_HEADERS) {
		free(text);
		return;
	}
	reply->headers[reply->header_count].name = name;
	reply->headers[reply->header_count++].value = text;
}

void inv_reply_detail(struct inv_reply *reply, unsigned status, const char *text)
{
	struct inv_json json = {.out = &reply->body};
	reply->body.length = 0;
	reply->status = status;
	reply->type = "application/json";
	inv_json_open(&json, '{');
	inv_json_key(&json, "detail");
	inv_json_put_str(&json, text);
	inv_json_close(&json, '}');
}

bool inv_reply_wrong(struct inv_reply *reply, struct inv_request *request)
{
	if (inv_params_good(&request->params))
		return false;
	reply->status = INV_HTTP_UNPROCESSABLE;
	reply->body.length = 0;
	inv_buf_put(&reply->body, request->params.errors.data, request->params.errors.length);
	return true;
}

static struct MHD_Response *response_of(struct inv_reply *reply)
{
	struct MHD_Response *response = reply->stream;
	if (response)
		return response;
	if (reply->fixed)
		return MHD_create_response_from_buffer(reply->fixed_length,
						       (void *)(uintptr_t)reply->fixed,
						       MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer(reply->body.length, reply->body.data,
						   MHD_RESPMEM_MUST_FREE);
	if (response)
		reply->body.data = NULL; /* the response's now */
	return response;
}

static void add_headers(struct MHD_Response *response, const struct inv_reply *reply)
{
	MHD_add_response_header(response, "Content-Type", reply->type);
	MHD_add_response_header(response, "Content-Security-Policy", CSP);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	MHD_add_response_header(response, "Cache-Control", reply->fixed ? "no-cache" : "no-store");
	if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	if (reply->status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	for (size_t i = 0; i < reply->header_count; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct inv_reply *reply)
{
	if (reply->body.error || reply->body.length > ANSWER_BYTES_MAX) {
		bool large = !reply->body.error;
		inv_buf_free(&reply->body);
		if (inv_buf_init(&reply->body, -1))
			return MHD_NO;
		inv_reply_detail(reply, MHD_HTTP_INTERNAL_SERVER_ERROR,
				 large ? "the answer would be too large: ask for less (limit)"
				       : "out of memory");
	}
	struct MHD_Response *response = response_of(reply);
	if (!response)
		return MHD_NO;
	add_headers(response, reply);
	enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static void free_reply(struct inv_reply *reply)
{
	for (size_t i = 0; i < reply->header_count; i++)
		free(reply->headers[i].value);
	inv_buf_free(&reply->body);
}

/* ---- who may ask ------------------------------------------------------------------------ */

static bool same_token(const char *token, const char *given, size_t length)
{
	size_t wanted = strlen(token);
	unsigned difference = wanted != length;
	for (size_t i = 0; i < length; i++) /* as long for a wrong one as for the right one */
		difference |= (unsigned)(token[i % (wanted ? wanted : 1)] ^ given[i]);
	return difference == 0;
}

static bool has_token(struct MHD_Connection *connection, const char *token)
{
	const char *header =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
	const char *cookie =
		MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, "invreg_token");
	if (header && !strncasecmp(header, "Bearer ", 7))
		return same_token(token, header + 7, strlen(header + 7));
	return cookie && same_token(token, cookie, strlen(cookie));
}

/* A browser brings the token once, as /?token=..., and gets it as a cookie. */
static void welcome(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_buf value;
	struct inv_text token = inv_params_text(&request->params, "token");
	if (strcmp(request->path, "/") || !token.text ||
	    !same_token(request->options->token, token.text, token.length)) {
		inv_reply_detail(
			reply, MHD_HTTP_UNAUTHORIZED,
			"a token is needed: Authorization: Bearer TOKEN, or open /?token=TOKEN");
		return;
	}
	if (inv_buf_init(&value, -1))
		return;
	reply->status = MHD_HTTP_SEE_OTHER;
	inv_buf_printf(&value, "invreg_token=%s; Path=/; HttpOnly; SameSite=Strict",
		       request->options->token);
	inv_reply_header(reply, "Set-Cookie", &value);
	inv_buf_puts(&value, "/");
	inv_reply_header(reply, "Location", &value);
	inv_buf_free(&value);
}

static bool may_ask(struct inv_request *request, struct inv_reply *reply)
{
	const struct inv_http_options *o = request->options;
	const char *host =
		MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Host");
	if (host && !inv_host_allowed(&o->listen, o->allowed_hosts, host)) {
		inv_reply_detail(reply, MHD_HTTP_FORBIDDEN,
				 "this Host is not allowed here; see invreg serve --allow-host");
		return false;
	}
	if (!o->token || !strcmp(request->path, "/healthz") ||
	    has_token(request->connection, o->token))
		return true;
	welcome(request, reply);
	return false;
}

/* ---- routes --------------------------------------------------------------------------------- */

/* A path is `path`, or with an end: `path`, an id (any bytes, slashes, too), and `end`. */
static const struct route {
	const char *path, *end;
	void (*answer)(struct inv_request *request, struct inv_reply *reply);
} ROUTES[] = {
	{"/api/artifacts/", "/invocations", inv_api_artifact},
	{"/api/invokers/", "/invocations", inv_api_invoker_history},
	{"/api/artifacts", NULL, inv_api_artifacts},
	{"/api/invokers", NULL, inv_api_invokers},
	{"/api/methods", NULL, inv_api_methods},
	{"/api/errors", NULL, inv_api_errors},
	{"/api/invocations", NULL, inv_api_invocations},
	{"/api/inflight", NULL, inv_api_inflight},
	{"/api/graph", NULL, inv_api_graph},
	{"/api/series", NULL, inv_api_series},
	{"/api/status", NULL, inv_api_status},
	{"/api/events", NULL, inv_sse_answer},
	{"/metrics", NULL, inv_metrics_answer},
	{"/healthz", NULL, inv_api_health},
};

static bool matches(const struct route *route, const char *path, struct inv_text *id)
{
	size_t begin = strlen(route->path), length = strlen(path);
	size_t end = route->end ? strlen(route->end) : 0;
	if (!route->end)
		return !strcmp(path, route->path);
	if (length < begin + end || strncmp(path, route->path, begin) != 0 ||
	    strcmp(path + length - end, route->end) != 0)
		return false;
	*id = (struct inv_text){path + begin, length - begin - end};
	return true;
}

static void answer_file(struct inv_request *request, struct inv_reply *reply)
{
	const char *path = strcmp(request->path, "/") ? request->path : "/index.html";
	for (const struct inv_web_file *f = inv_web_files; f->path; f++)
		if (!strcmp(f->path, path)) {
			reply->type = f->type;
			reply->fixed = f->bytes;
			reply->fixed_length = f->length;
			return;
		}
	inv_reply_detail(reply, MHD_HTTP_NOT_FOUND, "Not Found");
}

static void answer_route(const struct route *route, struct inv_request *request,
			 struct inv_reply *reply, struct inv_text raw)
{
	char *id = malloc(raw.length + 1);
	if (!id) {
		reply->body.error = -ENOMEM;
		return;
	}
	request->id = (struct inv_text){id, inv_percent_decode(id, raw.text, raw.length)};
	request->board = inv_hub_enter(request->hub);
	route->answer(request, reply);
	inv_hub_leave(request->hub);
	free(id);
}

static void answer_path(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_text raw = {"", 0};
	for (size_t i = 0; i < sizeof(ROUTES) / sizeof(ROUTES[0]); i++)
		if (matches(&ROUTES[i], request->path, &raw)) {
			answer_route(&ROUTES[i], request, reply, raw);
			return;
		}
	answer_file(request, reply);
}

/* ---- libmicrohttpd ----------------------------------------------------------------------------
 */

static enum MHD_Result add_param(void *arg, enum MHD_ValueKind kind, const char *key,
				 size_t key_length, const char *value, size_t value_length)
{
	return inv_params_add(arg, key, key_length, value, value_length) ? MHD_NO : MHD_YES;
}

static bool reads_only(const char *method)
{
	return !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

static void answer(struct inv_http *http, struct MHD_Connection *connection, const char *url,
		   const char *method, struct inv_reply *reply)
{
	struct inv_request request = {.connection = connection,
				      .options = &http->options,
				      .hub = http->hub,
				      .metrics = http->metrics,
				      .sse = http->sse,
				      .path = url};
	if (inv_params_init(&request.params)) {
		reply->body.error = -ENOMEM;
		return;
	}
	MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, add_param, &request.params);
	if (may_ask(&request, reply)) {
		if (!reads_only(method))
			inv_reply_detail(reply, MHD_HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed");
		else
			answer_path(&request, reply);
	}
	inv_params_free(&request.params);
}

static struct inv_connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

/*
 * Called once the head is there, for each part of a body, and at the end. What is answered
 * before the end ends the connection, too: good for requests that nothing will come of, but
 * a client that asks often should not have to connect anew each time.
 */
static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **context)
{
	struct inv_http *http = arg;
	struct inv_reply reply = {.status = MHD_HTTP_OK, .type = "application/json"};
	bool at_head = !*context, in_body = *upload_size > 0;
	*context = http;
	*upload_size = 0;
	if (reads_only(method) && (at_head || in_body))
		return MHD_YES;
	if (inv_buf_init(&reply.body, -1))
		return MHD_NO;
	answer(http, connection, url, method, &reply);
	inv_connection_phase(http->connections, connection_of(connection),
			     reply.stream ? INV_CONNECTION_STREAM : INV_CONNECTION_ANSWERED);
	enum MHD_Result result = send_reply(connection, &reply);
	free_reply(&reply);
	return result;
}

static void completed(void *arg, struct MHD_Connection *connection, void **context,
		      enum MHD_RequestTerminationCode how)
{
	struct inv_http *http = arg;
	inv_connection_phase(http->connections, connection_of(connection), INV_CONNECTION_IDLE);
}

static void connected(void *arg, struct MHD_Connection *connection, void **context,
		      enum MHD_ConnectionNotificationCode what)
{
	struct inv_http *http = arg;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		*context = inv_connection_begin(http->connections, info ? info->connect_fd : -1);
	} else {
		inv_connection_end(http->connections, *context);
		*context = NULL;
	}
}

/* Paths and parameters are decoded by us, with their length: %00 and %2F are bytes of ids. */
static size_t leave_coded(void *arg, struct MHD_Connection *connection, char *text)
{
	return strlen(text);
}

static void quiet(void *arg, const char *format, va_list list)
{
}

static unsigned connection_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return CONNECTIONS_LEAST;
	limit.rlim_cur = limit.rlim_max < CONNECTIONS_MOST + FDS_OF_OURS
				 ? limit.rlim_max
				 : CONNECTIONS_MOST + FDS_OF_OURS;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t room = limit.rlim_cur > FDS_OF_OURS ? limit.rlim_cur - FDS_OF_OURS : 1;
	return room < CONNECTIONS_MOST ? (unsigned)room : CONNECTIONS_MOST;
}

static struct MHD_Daemon *start_daemon(struct inv_http *http, unsigned connections)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
		NULL, NULL, handle, http, MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL,
		MHD_OPTION_LISTEN_SOCKET, http->fd, MHD_OPTION_THREAD_POOL_SIZE, THREADS,
		MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
		SILENT_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES_MAX,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_coded, NULL, MHD_OPTION_NOTIFY_COMPLETED,
		completed, http, MHD_OPTION_NOTIFY_CONNECTION, connected, http, MHD_OPTION_END);
}

static void wake_streams(void *arg)
{
	struct inv_http *http = arg;
	inv_sse_wake(http->sse);
}

int inv_http_start(struct inv_http **out, const struct inv_http_options *options, int fd,
		   struct inv_hub *hub)
{
	unsigned connections = connection_limit();
	struct inv_http *http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	*http = (struct inv_http){.options = *options, .hub = hub, .fd = fd};
	http->connections = inv_connections_new(connections);
	http->metrics = inv_metrics_new(options->metrics_max_series);
	http->sse = inv_sse_new();
	if (!http->connections || !http->metrics || !http->sse) {
		inv_http_stop(http);
		return -ENOMEM;
	}
	errno = 0;
	http->daemon = start_daemon(http, connections);
	if (!http->daemon) {
		int error = errno ? -errno : -EIO;
		inv_http_stop(http);
		return error;
	}
	inv_hub_on_notify(hub, wake_streams, http);
	*out = http;
	return 0;
}

void inv_http_stop(struct inv_http *http)
{
	if (!http)
		return;
	inv_hub_on_notify(http->hub, NULL, NULL);
	if (http->sse)
		inv_sse_stop(http->sse);
	if (http->daemon)
		MHD_stop_daemon(http->daemon); /* closes the socket */
	else
		close(http->fd);
	inv_connections_free(http->connections);
	inv_metrics_free(http->metrics);
	inv_sse_free(http->sse);
	free(http);
}
