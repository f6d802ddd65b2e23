/* SPDX-License-Identifier: MIT */
/*
 * http_address.h - where it listens, and which Host a request may name.
 *
 * A page of an attacker may have its own name resolve to 127.0.0.1 (DNS rebinding) and then
 * reads what listens there; its requests name that name as their Host. So a Host must be an
 * address literal, localhost, what --listen names, or what --allow-host allows.
 */
#ifndef INV_READER_HTTP_ADDRESS_H
#define INV_READER_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INV_LISTEN_DEFAULT "127.0.0.1:8080"
#define INV_HOST_MAX	   256u

struct inv_listen {
	char host[INV_HOST_MAX]; /* without brackets */
	uint16_t port;		 /* 0: one that is free */
	bool v6;		 /* host is an IPv6 literal */
};

/*
 * "ADDR:PORT", "[V6ADDR]:PORT", ":PORT", "PORT", "ADDR"; what is missing is 127.0.0.1 and 8080.
 * Returns: NULL, or what is wrong with it.
 */
const char *inv_listen_parse(struct inv_listen *listen, const char *text);

/*
 * Binds and listens. *fd and the port that was given are stored.
 * Returns: 0; -errno; -EHOSTUNREACH: no such address.
 */
int inv_listen_open(struct inv_listen *listen, int *fd);

/* Whether only this machine can reach it. */
bool inv_listen_is_local(const struct inv_listen *listen);

/* allowed: more names, NULL-terminated, or NULL. host: as in the header, port and all. */
bool inv_host_allowed(const struct inv_listen *listen, const char *const *allowed,
		      const char *host);

#endif
