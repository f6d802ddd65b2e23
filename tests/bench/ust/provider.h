/* SPDX-License-Identifier: MIT */
/* provider.h - the LTTng-UST event of one call; read several times over, as LTTng wants it. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tests/bench/ust/provider.h"

#if !defined(BENCH_UST_PROVIDER_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define BENCH_UST_PROVIDER_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/* clang-format off */
LTTNG_UST_TRACEPOINT_EVENT(
	bench, call,
	LTTNG_UST_TP_ARGS(int64_t, tick, const char *, invoker, const char *, artifact,
			  const char *, method, int, args_count, uint64_t, begun,
			  uint64_t, took, int, result),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(int64_t, tick, tick)
		lttng_ust_field_string(invoker_id, invoker)
		lttng_ust_field_string(artifact_id, artifact)
		lttng_ust_field_string(method, method)
		lttng_ust_field_integer(int, args_count, args_count)
		lttng_ust_field_integer(uint64_t, start_ticks, begun)
		lttng_ust_field_integer(uint64_t, duration_ticks, took)
		lttng_ust_field_integer(int, result, result)))
/* clang-format on */
#endif

#include <lttng/tracepoint-event.h>
