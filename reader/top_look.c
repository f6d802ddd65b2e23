/* SPDX-License-Identifier: MIT */
#include "shm/session.h"
#include "top_private.h"

static void judge_life(struct inv_top_look *look)
{
	look->moving = false;
	if (look->src->kind == INV_SRC_SNAPSHOT) {
		look->life = "snapshot";
	} else if (look->src->kind == INV_SRC_JSONL) {
		look->life = "file";
	} else {
		enum inv_liveness l = inv_session_liveness(look->src->fd);
		look->moving = l != INV_LIVENESS_DEAD;
		look->life = l == INV_LIVENESS_ALIVE ? "live"
			     : l == INV_LIVENESS_DEAD
				     ? "ended"
				     : "live or not: its processes cannot be seen from here";
	}
}

/* A file's calls are read once: its cut can not be taken twice, since it would count twice. */
int inv_top_look(struct inv_top_look *look)
{
	struct inv_cut next;
	judge_life(look); /* first: the dead write no more, so this look will be the last */
	int result = inv_cut_take(&next, look->src);
	if (result < 0)
		return result;
	inv_cut_free(&look->before);
	look->before = look->now;
	look->now = next;
	if (!look->moving)
		inv_cut_free(&look->before);
	return 0;
}

void inv_top_look_free(struct inv_top_look *look)
{
	inv_cut_free(&look->before);
	inv_cut_free(&look->now);
}

/* What is dead stands still since its last call. */
static int64_t end_ns(const struct inv_top_look *look)
{
	const struct inv_cut *cut = &look->now;
	uint64_t last = 0;
	if (look->moving || look->src->kind != INV_SRC_LIVE)
		return cut->taken_ns;
	for (size_t i = 0; i < cut->artifacts.count; i++)
		if (cut->artifacts.rows[i].hist.last > last)
			last = cut->artifacts.rows[i].hist.last;
	return last ? inv_timeline_realtime(&look->src->decoder.timeline, last) : cut->taken_ns;
}

struct inv_top_looks inv_top_looks(const struct inv_top_look *look)
{
	return (struct inv_top_looks){&look->now, &look->before, end_ns(look)};
}
