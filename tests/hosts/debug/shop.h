/* SPDX-License-Identifier: MIT */
/*
 * shop.h - what invreg probe has to make out of debug information: ids behind pointers, a
 * struct in registers, one on the stack, a result that is an enumeration.
 */
#ifndef TESTS_HOSTS_DEBUG_SHOP_H
#define TESTS_HOSTS_DEBUG_SHOP_H

#include <stdint.h>

enum shop_status { SHOP_OK, SHOP_SOLD_OUT = 4, SHOP_NO_MONEY = -3 };

struct clock {
	uint32_t spare;
	int64_t current_tick;
};

struct shop {
	void *owner;
	struct {
		double rate;
		struct clock *clock;
	} world;
	const char *last_error;
};

struct customer {
	int age;
	const char *name;
};

struct price {
	float low, high;
	int64_t currency;
};

struct basket {
	int64_t goods[4];
};

enum shop_status shop_handle(struct shop *shop, const struct customer *client, struct price price,
			     const char *tool_name, struct basket basket, const char *action,
			     unsigned nargs);

#endif
