/* SPDX-License-Identifier: MIT */
/* shop.c - the side that is observed; linked into a library or into the program. */
#include "shop.h"

#include <stddef.h>

/* As it is written: inlined nowhere, no clone made of it. */
#if defined(__clang__)
#define KEPT __attribute__((noinline))
#else
#define KEPT __attribute__((noipa))
#endif

/* A local function that is called twice: kept by the compiler, found in .symtab. */
static KEPT enum shop_status shop_run_till(struct shop *shop, const char *subject, int16_t command)
{
	shop->last_error = command > 2 ? "the till is stuck" : NULL;
	return command > 2 ? SHOP_NO_MONEY : SHOP_OK;
}

enum shop_status shop_handle(struct shop *shop, const struct customer *client, struct price price,
			     const char *tool_name, struct basket basket, const char *action,
			     unsigned nargs)
{
	enum shop_status status = SHOP_OK;

	if (basket.goods[3] != 4 || price.currency != 978 || price.high != 2.5f)
		return (enum shop_status)99; /* an argument was lost on the way */
	if (client->age < 18)
		status = SHOP_NO_MONEY;
	else if (nargs > 3)
		status = SHOP_SOLD_OUT;
	shop->last_error = status ? "the shop says no" : NULL;
	if (status)
		return status;
	status = shop_run_till(shop, client->name, 1);
	return status ? status : shop_run_till(shop, client->name, (int16_t)nargs);
}
