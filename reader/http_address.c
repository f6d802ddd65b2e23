/* SPDX-License-Identifier: MIT */
#include "http_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_DEFAULT 8080
#define BACKLOG	     1024

static bool port_of(const char *text, uint16_t *port)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	unsigned long value = strtoul(text, &end, 10);
	*port = (uint16_t)value;
	return !*end && value <= UINT16_MAX;
}

static bool is_literal(const char *text, int family)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	return inet_pton(family, text, bytes) == 1;
}

/* Takes "[V6ADDR]" or "HOST" off text. Returns: what is behind it, or NULL. */
static const char *take_host(struct inv_listen *listen, const char *text)
{
	listen->v6 = *text == '[';
	const char *begin = listen->v6 ? text + 1 : text;
	size_t length = strcspn(begin, listen->v6 ? "]" : ":");
	if (length >= sizeof(listen->host) || (listen->v6 && begin[length] != ']'))
		return NULL;
	memcpy(listen->host, begin, length);
	listen->host[length] = '\0';
	if (listen->v6 && !is_literal(listen->host, AF_INET6))
		return NULL;
	return begin + length + listen->v6;
}

const char *inv_listen_parse(struct inv_listen *listen, const char *text)
{
	*listen = (struct inv_listen){.host = "127.0.0.1", .port = PORT_DEFAULT};
	if (!*text)
		return "it is empty";
	if (text[strspn(text, "0123456789")] == '\0')
		return port_of(text, &listen->port) ? NULL : "a port is 0 to 65535";
	if (is_literal(text, AF_INET6))
		return "an IPv6 address goes in brackets: [::1]:8080";
	const char *rest = *text == ':' ? text : take_host(listen, text);
	if (!rest)
		return "no address: expected ADDR:PORT, [V6ADDR]:PORT or PORT";
	if (*rest && (*rest != ':' || !port_of(rest + 1, &listen->port)))
		return "a port is 0 to 65535";
	return NULL;
}

static int bind_one(const struct addrinfo *address, int *fd)
{
	int one = 1;
	int sock = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return -errno;
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(sock, address->ai_addr, address->ai_addrlen) == 0 && listen(sock, BACKLOG) == 0) {
		*fd = sock;
		return 0;
	}
	int error = -errno;
	close(sock);
	return error;
}

static void read_port(struct inv_listen *listen, int fd)
{
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);
	if (getsockname(fd, (struct sockaddr *)&bound, &length))
		return;
	if (bound.ss_family == AF_INET6)
		listen->port = ntohs(((struct sockaddr_in6 *)&bound)->sin6_port);
	else
		listen->port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

int inv_listen_open(struct inv_listen *listen, int *fd)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found;
	char port[8];
	snprintf(port, sizeof(port), "%u", listen->port);
	if (getaddrinfo(listen->host, port, &hints, &found))
		return -EHOSTUNREACH;
	int result = -EHOSTUNREACH;
	for (struct addrinfo *a = found; a && result; a = a->ai_next)
		result = bind_one(a, fd);
	freeaddrinfo(found);
	if (result == 0)
		read_port(listen, *fd);
	return result;
}

bool inv_listen_is_local(const struct inv_listen *listen)
{
	return !strncmp(listen->host, "127.", 4) || !strcmp(listen->host, "::1") ||
	       !strcasecmp(listen->host, "localhost");
}

/* The name in a Host header, without its port. Returns: false: it is none. */
static bool host_name(const char *host, char name[INV_HOST_MAX], bool *v6)
{
	struct inv_listen parsed;
	const char *rest = *host == ':' ? NULL : take_host(&parsed, host);
	if (!rest || (*rest && (*rest != ':' || rest[1 + strspn(rest + 1, "0123456789")])))
		return false;
	strcpy(name, parsed.host);
	*v6 = parsed.v6;
	return name[0] != '\0';
}

bool inv_host_allowed(const struct inv_listen *listen, const char *const *allowed, const char *host)
{
	char name[INV_HOST_MAX];
	bool v6;
	if (!host_name(host, name, &v6))
		return false;
	if (v6 || is_literal(name, AF_INET) || !strcasecmp(name, "localhost") ||
	    !strcasecmp(name, listen->host))
		return true;
	for (; allowed && *allowed; allowed++)
		if (!strcasecmp(name, *allowed))
			return true;
	return false;
}
