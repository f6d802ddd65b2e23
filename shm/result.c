/* SPDX-License-Identifier: MIT */
/* result.c - phrases for enum inv_result, so that every program words them alike. */
#include "result.h"

const char *inv_result_text(enum inv_result r)
{
	switch (r) {
	case INV_OK:
		return "ok";
	case INV_E_SYSTEM:
		return "a system call failed";
	case INV_E_EXISTS:
		return "it exists already";
	case INV_E_NOT_FOUND:
		return "there is no such thing";
	case INV_E_FULL:
		return "there is no room left";
	case INV_E_OWNER:
		return "it belongs to another user";
	case INV_E_MODE:
		return "other users may write to it";
	case INV_E_KIND:
		return "it is not a regular file or directory of its own";
	case INV_E_MAGIC:
		return "it is not an invreg segment";
	case INV_E_VERSION:
		return "it has another format version";
	case INV_E_BYTE_ORDER:
		return "it was made on a machine of another byte order";
	case INV_E_NOT_READY:
		return "its creation was never finished";
	case INV_E_CORRUPT:
		return "it is truncated or damaged";
	case INV_E_CLOCK:
		return "the session's clock cannot be read here";
	case INV_E_LIMIT:
		return "a resource limit forbids it";
	case INV_E_USAGE:
		return "an argument is out of range";
	}
	return "unknown result";
}
