/* SPDX-License-Identifier: MIT */
#include "series.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "grace.h"

#define SECOND_NS   INT64_C(1000000000)
#define YOUNG_NS    (3 * SECOND_NS / 2) /* a session whose first look is a look at its beginning */
#define SLOTS	    (2 * INV_SERIES_ARTIFACTS)
#define OUTCOMES    2 /* calls, failures */
#define UNDEFINED_S INT64_MIN

/* All of it the filler's alone. */
struct counter {
	uint64_t before, now; /* at the two looks */
	uint64_t dealt;	      /* of the difference, to seconds that are closed */
	uint64_t open;	      /* in the second that is not */
};

/* Added once; but for its counters it never changes. */
struct artifact {
	struct counter counter[OUTCOMES];
	uint64_t hash;
	uint32_t index;
	size_t length;
	char text[];
};

struct entry {
	uint32_t artifact; /* its index, ascending */
	uint32_t count[OUTCOMES];
};

struct second {
	struct rcu_head rcu;
	int64_t second; /* since 1970 */
	uint64_t count[OUTCOMES];
	uint32_t entries;
	struct entry entry[];
};

struct inv_series {
	_Atomic(struct second *) ring[INV_SERIES_SECONDS];
	_Atomic(struct artifact *) slots[SLOTS];
	_Atomic int64_t newest;
	_Atomic bool full; /* there are artifacts that are not in slots */
	/* the filler's alone */
	struct artifact *artifacts[INV_SERIES_ARTIFACTS];
	uint32_t count;
	struct counter all[OUTCOMES];
	int64_t created_ns, before_ns;
	int64_t current;   /* the second that is open */
	int64_t not_known; /* the one in which looking began, too late for all of it */
	bool begun, ended;
};

struct inv_series *inv_series_new(int64_t created_ns)
{
	struct inv_series *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->created_ns = created_ns;
	s->not_known = UNDEFINED_S;
	atomic_init(&s->newest, UNDEFINED_S);
	return s;
}

void inv_series_free(struct inv_series *series)
{
	if (!series)
		return;
	for (size_t i = 0; i < INV_SERIES_SECONDS; i++)
		free(atomic_load_explicit(&series->ring[i], memory_order_relaxed));
	for (uint32_t i = 0; i < series->count; i++)
		free(series->artifacts[i]);
	free(series);
}

static int64_t second_of(int64_t ns)
{
	return ns / SECOND_NS - (ns % SECOND_NS < 0);
}

static size_t place_of(int64_t second)
{
	int64_t place = second % INV_SERIES_SECONDS;
	return (size_t)(place < 0 ? place + INV_SERIES_SECONDS : place);
}

/* ---- names ------------------------------------------------------------------------- */

static struct artifact *find(const struct inv_series *s, uint64_t hash, struct inv_text text,
			     size_t *slot)
{
	struct artifact *a;
	for (*slot = hash % SLOTS;; *slot = (*slot + 1) % SLOTS) { /* half of them stay empty */
		a = atomic_load_explicit(&s->slots[*slot], memory_order_acquire); /* [V1] */
		if (!a || (a->hash == hash && a->length == text.length &&
			   !memcmp(a->text, text.text, text.length)))
			return a;
	}
}

/* Returns: NULL: no room, or out of memory: it is one of those that nothing is known of. */
static struct artifact *add(struct inv_series *s, const struct inv_word *word, size_t slot)
{
	struct artifact *a = NULL;
	if (s->count < INV_SERIES_ARTIFACTS)
		a = calloc(1, sizeof(*a) + word->length);
	if (!a) {
		atomic_store_explicit(&s->full, true, memory_order_relaxed);
		return NULL;
	}
	a->hash = word->hash;
	a->index = s->count;
	a->length = word->length;
	memcpy(a->text, word->text, word->length);
	s->artifacts[s->count++] = a;
	atomic_store_explicit(&s->slots[slot], a, memory_order_release); /* [V1] */
	return a;
}

/* ---- seconds ----------------------------------------------------------------------- */

static void free_second(struct rcu_head *head)
{
	INV_GRACE_AFTER();
	free(caa_container_of(head, struct second, rcu));
}

static uint32_t saturated(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static bool take_open(struct entry *entry, struct artifact *a)
{
	for (int i = 0; i < OUTCOMES; i++) {
		entry->count[i] = saturated(a->counter[i].open);
		a->counter[i].open = 0;
	}
	entry->artifact = a->index;
	return entry->count[0] > 0;
}

static void publish(struct inv_series *s, struct second *made)
{
	_Atomic(struct second *) *place = &s->ring[place_of(made->second)];
	struct second *old = atomic_load_explicit(place, memory_order_relaxed);
	atomic_store_explicit(place, made, memory_order_release);	       /* [V1] */
	atomic_store_explicit(&s->newest, made->second, memory_order_release); /* [V1] */
	if (old)
		urcu_memb_call_rcu(&old->rcu, free_second);
}

static int close_second(struct inv_series *s)
{
	struct second *made = malloc(sizeof(*made) + s->count * sizeof(made->entry[0]));
	if (!made)
		return -ENOMEM;
	made->second = s->current++;
	made->entries = 0;
	for (int i = 0; i < OUTCOMES; i++) {
		made->count[i] = s->all[i].open;
		s->all[i].open = 0;
	}
	for (uint32_t i = 0; i < s->count; i++)
		made->entries += take_open(&made->entry[made->entries], s->artifacts[i]);
	if (made->second == s->not_known) {
		free(made);
		return 0;
	}
	struct second *fits = realloc(made, sizeof(*made) + made->entries * sizeof(made->entry[0]));
	publish(s, fits ? fits : made);
	return 0;
}

/* ---- looks --------------------------------------------------------------------------- */

static void deal_counter(struct counter *c, double share)
{
	uint64_t difference = c->now > c->before ? c->now - c->before : 0;
	uint64_t until = share < 1.0 ? (uint64_t)((double)difference * share) : difference;
	until = until < difference ? until : difference;
	if (until > c->dealt) {
		c->open += until - c->dealt;
		c->dealt = until;
	}
	if (share >= 1.0) {
		c->before = c->now;
		c->dealt = 0;
	}
}

/* What came until `share` of the time between the two looks goes to the second that is open. */
static void deal(struct inv_series *s, double share)
{
	for (int i = 0; i < OUTCOMES; i++) {
		deal_counter(&s->all[i], share);
		for (uint32_t k = 0; k < s->count; k++)
			deal_counter(&s->artifacts[k]->counter[i], share);
	}
}

/* A clock that was set back begins a second that was there already anew. */
static int set_back(struct inv_series *s, int64_t now_ns)
{
	deal(s, 1.0);
	int result = close_second(s);
	s->current = second_of(now_ns);
	s->before_ns = now_ns;
	return result;
}

/* Seconds that are in no answer are not made. */
static int skip(struct inv_series *s, int64_t second)
{
	int result = close_second(s);
	s->current = second;
	s->before_ns = second * SECOND_NS;
	return result;
}

static int advance(struct inv_series *s, int64_t now_ns)
{
	int64_t now = second_of(now_ns);
	if (now < s->current)
		return set_back(s, now_ns);
	if (now - s->current > INV_SERIES_SECONDS && skip(s, now - INV_SERIES_SECONDS))
		return -ENOMEM;
	double span = (double)(now_ns - s->before_ns);
	while (s->current < now) {
		int64_t end_ns = (s->current + 1) * SECOND_NS;
		deal(s, (double)(end_ns - s->before_ns) / span);
		int result = close_second(s);
		if (result)
			return result;
	}
	deal(s, 1.0);
	s->before_ns = now_ns;
	return 0;
}

static void count_in(void *arg, const struct inv_word *artifact, bool failed, uint64_t calls)
{
	struct inv_series *s = arg;
	size_t slot;
	struct artifact *a =
		find(s, artifact->hash, (struct inv_text){artifact->text, artifact->length}, &slot);
	if (!a)
		a = add(s, artifact, slot);
	for (int i = 0; i < (failed ? 2 : 1); i++) {
		s->all[i].now += calls;
		if (a)
			a->counter[i].now += calls;
	}
}

/* What was counted before the first look belongs to no second, unless all of it is new. */
static void begin(struct inv_series *s, int64_t now_ns)
{
	bool young = s->created_ns <= now_ns && s->created_ns > now_ns - YOUNG_NS;
	s->begun = true;
	s->before_ns = young ? s->created_ns : now_ns;
	s->current = second_of(s->before_ns);
	if (young)
		return;
	s->not_known = s->current;
	deal(s, 1.0);
}

static void clear_now(struct inv_series *s)
{
	for (int i = 0; i < OUTCOMES; i++) {
		s->all[i].now = 0;
		for (uint32_t k = 0; k < s->count; k++)
			s->artifacts[k]->counter[i].now = 0;
	}
}

int inv_series_look(struct inv_series *series, struct inv_registry *totals, int64_t now_ns)
{
	if (series->ended)
		return 0;
	clear_now(series);
	inv_registry_each_count(totals, count_in, series);
	if (!series->begun)
		begin(series, now_ns);
	return advance(series, now_ns);
}

int inv_series_still(struct inv_series *series, int64_t now_ns)
{
	return series->begun && !series->ended ? advance(series, now_ns) : 0;
}

int inv_series_end(struct inv_series *series)
{
	if (!series->begun || series->ended)
		return 0;
	series->ended = true;
	return close_second(series);
}

/* ---- asking --------------------------------------------------------------------------- */

bool inv_series_newest(const struct inv_series *series, int64_t *second)
{
	*second = atomic_load_explicit(&series->newest, memory_order_acquire); /* [V1] */
	return *second != UNDEFINED_S;
}

static const struct entry *entry_of(const struct second *second, uint32_t artifact)
{
	uint32_t low = 0, high = second->entries;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (second->entry[middle].artifact < artifact)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < second->entries && second->entry[low].artifact == artifact;
	return found ? &second->entry[low] : NULL;
}

static void read_point(const struct inv_series *s, int64_t second, bool all,
		       const struct artifact *a, struct inv_series_point *point)
{
	const struct second *at =
		atomic_load_explicit(&s->ring[place_of(second)], memory_order_acquire); /* [V1] */
	if (!at || at->second != second)
		return;
	const struct entry *entry = a ? entry_of(at, a->index) : NULL;
	point->exact = true;
	point->calls = all ? at->count[0] : entry ? entry->count[0] : 0;
	point->failures = all ? at->count[1] : entry ? entry->count[1] : 0;
}

void inv_series_read(const struct inv_series *series, struct inv_text artifact, int64_t first,
		     struct inv_series_point *points, size_t count)
{
	size_t slot;
	const struct artifact *a = NULL;
	memset(points, 0, count * sizeof(*points));
	if (artifact.text)
		a = find(series, inv_word_hash(artifact.text, artifact.length), artifact, &slot);
	if (artifact.text && !a && atomic_load_explicit(&series->full, memory_order_relaxed))
		return;
	for (size_t i = 0; i < count; i++)
		read_point(series, first + (int64_t)i, !artifact.text, a, &points[i]);
}
