/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feed.h"
#include "http.h"
#include "say.h"
#include "verbs.h"

#define HOSTS_MOST  32
#define TOKEN_LEAST 16
#define TOKEN_MOST  256

struct inv_serve {
	struct inv_serve_options options;
	struct inv_http_options http_options;
	char *hosts; /* the names that are allowed, cut apart */
	const char *allowed[HOSTS_MOST + 1];
	char token[TOKEN_MOST + 2];
	int fd; /* that listens; -1: the server's */
	int failed_fd;
	struct inv_hub *hub;
	struct inv_feed *feed;
	struct inv_http *http;
};

/* ---- open ----------------------------------------------------------------------------- */

static int say(int code, const char *what, const char *why)
{
	inv_say("invreg: serve: %s: %s\n", what, why);
	return code;
}

static bool is_token(const char *token, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (token[i] <= ' ' || token[i] > '~' || strchr("\",;\\", token[i]))
			return false;
	return length >= TOKEN_LEAST;
}

/* Its first line; nobody else may read it, or it is no secret. */
static int read_token(struct inv_serve *s, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return say(INV_EXIT_REFUSED, path, strerror(errno));
	ssize_t n = -1;
	bool shared = fstat(fd, &st) || !S_ISREG(st.st_mode) || (st.st_mode & 077);
	if (!shared)
		n = read(fd, s->token, TOKEN_MOST + 1);
	close(fd);
	if (shared)
		return say(INV_EXIT_REFUSED, path,
			   "a token is read from a file of mode 0600 (chmod 600)");
	s->token[n > 0 ? n : 0] = '\0';
	s->token[strcspn(s->token, "\r\n")] = '\0';
	if (!is_token(s->token, strlen(s->token)) || strlen(s->token) > TOKEN_MOST)
		return say(INV_EXIT_REFUSED, path,
			   "a token is 16 to 256 printable characters without space \" , ; \\");
	s->http_options.token = s->token;
	return 0;
}

static int read_hosts(struct inv_serve *s)
{
	size_t count = 0;
	char *rest = NULL;
	if (!s->options.allow_hosts)
		return 0;
	s->hosts = strdup(s->options.allow_hosts);
	if (!s->hosts)
		return say(INV_EXIT_RUNTIME, "--allow-host", strerror(ENOMEM));
	for (char *name = strtok_r(s->hosts, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		if (count == HOSTS_MOST)
			return say(INV_EXIT_USAGE, "--allow-host", "more than 32 names");
		s->allowed[count++] = name;
	}
	s->http_options.allowed_hosts = s->allowed;
	return 0;
}

static int listen_on(struct inv_serve *s)
{
	const char *text = s->options.listen ? s->options.listen : INV_LISTEN_DEFAULT;
	const char *wrong = inv_listen_parse(&s->http_options.listen, text);
	if (wrong)
		return say(INV_EXIT_USAGE, text, wrong);
	int result = inv_listen_open(&s->http_options.listen, &s->fd);
	if (result == -EADDRINUSE)
		return say(INV_EXIT_RUNTIME, text,
			   "something listens there already: give another port, or 0 for any");
	if (result < 0)
		return say(INV_EXIT_RUNTIME, text,
			   result == -EHOSTUNREACH ? "no such address" : strerror(-result));
	return 0;
}

static int open_all(struct inv_serve *s)
{
	s->http_options.metrics_invokers = s->options.metrics_invokers;
	s->http_options.metrics_max_series = s->options.metrics_max_series;
	int code = read_hosts(s);
	if (!code && s->options.token_file)
		code = read_token(s, s->options.token_file);
	if (!code)
		code = listen_on(s);
	if (code)
		return code;
	s->failed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->hub = inv_hub_new(s->options.keep);
	if (s->failed_fd >= 0 && s->hub)
		return 0;
	return say(INV_EXIT_RUNTIME, "start", strerror(errno));
}

int inv_serve_open(struct inv_serve **serve, const struct inv_serve_options *options)
{
	struct inv_serve *s = calloc(1, sizeof(*s));
	if (!s)
		return say(INV_EXIT_RUNTIME, "start", strerror(ENOMEM));
	s->options = *options;
	s->fd = s->failed_fd = -1;
	int code = open_all(s);
	if (code)
		inv_serve_close(s);
	else
		*serve = s;
	return code;
}

/* ---- start ------------------------------------------------------------------------------ */

static void on_failure(void *arg)
{
	struct inv_serve *s = arg;
	uint64_t one = 1;
	ssize_t n = write(s->failed_fd, &one, sizeof(one));
	(void)n; /* it is readable as it is */
}

static void say_where(const struct inv_serve *s)
{
	const struct inv_listen *listen = &s->http_options.listen;
	inv_say("invreg: http://%s%s%s:%u/\n", listen->v6 ? "[" : "", listen->host,
		listen->v6 ? "]" : "", listen->port);
	if (!inv_listen_is_local(listen) && !s->http_options.token)
		inv_say("invreg: warning: who can reach this address can read everything; "
			"--token-file asks for a token\n");
}

static int start_threads(struct inv_serve *s)
{
	int result =
		inv_feed_start(&s->feed, s->hub, s->options.dir, s->options.name, on_failure, s);
	if (result < 0)
		return result;
	result = inv_http_start(&s->http, &s->http_options, s->fd, s->hub);
	s->fd = -1;
	return result;
}

int inv_serve_start(struct inv_serve *serve)
{
	sigset_t all, before;
	say_where(serve);
	sigfillset(&all);
	/* What a thread does to itself: a truncated segment's is caught (guard.h). */
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGABRT);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int result = start_threads(serve);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result < 0 ? say(INV_EXIT_RUNTIME, "start", strerror(-result)) : 0;
}

void inv_serve_program_ended(struct inv_serve *serve)
{
	inv_hub_program_ended(serve->hub);
}

int inv_serve_take_signals(void)
{
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGQUIT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	return signalfd(-1, &ends, SFD_CLOEXEC);
}

void inv_serve_wait(struct inv_serve *serve, int signal_fd)
{
	struct pollfd ends[] = {{.fd = signal_fd, .events = POLLIN},
				{.fd = serve->failed_fd, .events = POLLIN}};
	while (poll(ends, 2, -1) < 0 && errno == EINTR)
		;
}

/* The feed frees what answers look at: answers end first. */
int inv_serve_close(struct inv_serve *serve)
{
	int code = 0;
	if (!serve)
		return 0;
	inv_http_stop(serve->http);
	if (serve->feed) {
		inv_hub_stop(serve->hub);
		code = inv_feed_join(serve->feed);
	}
	inv_hub_free(serve->hub);
	if (serve->fd >= 0)
		close(serve->fd);
	if (serve->failed_fd >= 0)
		close(serve->failed_fd);
	free(serve->hosts);
	free(serve);
	return code;
}
