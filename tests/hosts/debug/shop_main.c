/* SPDX-License-Identifier: MIT */
/* shop_main.c - calls shop_handle, and prints what it called: one line a call. */
#include "shop.h"

#include <inttypes.h>
#include <stdio.h>

int main(void)
{
	static const char *const tools[] = {"till", "scale", "a fridge with a long name"};
	static const struct customer clients[] = {{30, "alice"}, {12, "bob"}, {41, "carol"}};
	struct clock clock = {.current_tick = 100};
	struct shop shop = {.world = {.clock = &clock}};
	const struct price price = {1.5f, 2.5f, 978};
	const struct basket basket = {{1, 2, 3, 4}};

	for (unsigned i = 0; i < 40; i++, clock.current_tick += i % 3) {
		const struct customer *client = &clients[i % 3];
		const char *tool = tools[i % 2 + (i > 20)], *action = i % 5 ? "buy" : "look";
		int status = shop_handle(&shop, client, price, tool, basket, action, i % 7);
		const char *type = status == SHOP_OK	     ? "-"
				   : status == SHOP_SOLD_OUT ? "sold_out"
				   : status == SHOP_NO_MONEY ? "no_money"
							     : "wrong";
		printf("%s\t%s\t%s\t%" PRId64 "\t%u\t%s\t%s\n", client->name, tool, action,
		       clock.current_tick, i % 7, type, shop.last_error ? shop.last_error : "");
	}
	return 0;
}
