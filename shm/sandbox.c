/* SPDX-License-Identifier: MIT */
/* sandbox.c - the one word; see sandbox.h. */
#include "sandbox.h"

_Atomic uint32_t inv_sandbox_forbidden;
