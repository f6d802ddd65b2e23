/* SPDX-License-Identifier: MIT */
/*
 * registry.c - the filling half: nodes are made complete, then published.
 */
#include "registry_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Only the filler stores these; readers take them whole. */
#define STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELAXED)

#ifdef __SANITIZE_THREAD__
char inv_grace;
#endif

/*
 * Without accounting a table grows whenever it finds a chain of three, and of N keys some
 * always are: it ends at about N^1.5 buckets, gigabytes for some 100,000 keys.
 */
static struct cds_lfht *new_table(void)
{
	return cds_lfht_new_flavor(1024, 1024, 0, CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING,
				   &urcu_memb_flavor, NULL);
}

struct inv_registry *inv_registry_new(size_t keep)
{
	struct inv_registry *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	inv_registry_enter();
	*r = (struct inv_registry){.keep = keep, .ns_per_unit = 1.0};
	r->entities = new_table();
	r->cells = new_table();
	r->pairs = new_table();
	r->nested = new_table();
	if (r->entities && r->cells && r->pairs && r->nested)
		return r;
	inv_registry_free(r);
	return NULL;
}

static _Thread_local unsigned entered;

void inv_registry_enter(void)
{
	if (entered++ == 0)
		urcu_memb_register_thread();
}

void inv_registry_leave(void)
{
	if (--entered == 0)
		urcu_memb_unregister_thread();
}

void inv_registry_hold(void)
{
	inv_read_lock();
}

void inv_registry_release(void)
{
	inv_read_unlock();
}

static void free_entity(struct cds_lfht_node *node)
{
	struct entity *e = caa_container_of(node, struct entity, node);
	free((void *)(uintptr_t)e->word.json);
	free(e);
}

static void free_cell(struct cds_lfht_node *node)
{
	free(caa_container_of(node, struct cell, node));
}

static void free_pair(struct cds_lfht_node *node)
{
	free(caa_container_of(node, struct pair, node));
}

/* Nobody queries any more: taken down without grace periods. */
static void free_table(struct cds_lfht *table, void (*free_node)(struct cds_lfht_node *))
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;
	if (!table)
		return;
	inv_read_lock();
	cds_lfht_first(table, &iter);
	while ((node = cds_lfht_iter_get_node(&iter))) {
		cds_lfht_next(table, &iter);
		cds_lfht_del(table, node);
		free_node(node);
	}
	inv_read_unlock();
	cds_lfht_destroy(table, NULL);
}

void inv_registry_free(struct inv_registry *registry)
{
	if (!registry)
		return;
	inv_registry_drop_history(registry);
	free_table(registry->cells, free_cell);
	free_table(registry->pairs, free_pair);
	free_table(registry->nested, free_pair);
	free_table(registry->entities, free_entity);
	inv_registry_leave();
	free(registry);
}

void inv_registry_set_unit(struct inv_registry *registry, double ns_per_unit)
{
	registry->ns_per_unit = ns_per_unit;
}

/* ---- names --------------------------------------------------------------------- */

struct text_key {
	const char *text;
	size_t length;
};

static int same_text(struct cds_lfht_node *node, const void *key)
{
	const struct entity *e = caa_container_of(node, struct entity, node);
	const struct text_key *k = key;
	return e->word.length == k->length && !memcmp(e->word.text, k->text, k->length);
}

static struct entity *find(struct inv_registry *r, const struct text_key *key, uint64_t hash)
{
	struct cds_lfht_iter iter;
	cds_lfht_lookup(r->entities, (unsigned long)hash, same_text, key, &iter);
	struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
	return node ? caa_container_of(node, struct entity, node) : NULL;
}

struct entity *inv_registry_find(struct inv_registry *registry, const char *text, size_t length)
{
	struct text_key key = {text, length};
	return find(registry, &key, inv_word_hash(text, length));
}

struct entity *inv_registry_entity(struct inv_registry *r, const struct inv_word *word)
{
	struct text_key key = {word->text, word->length};
	struct entity *e = find(r, &key, word->hash);
	if (e)
		return e;
	e = calloc(1, sizeof(*e) + word->length + 1);
	char *json = malloc(word->json_length);
	if (!e || !json) {
		free(e);
		free(json);
		return NULL;
	}
	e->word = *word;
	memcpy(e->word.text, word->text, word->length + 1);
	e->word.json = memcpy(json, word->json, word->json_length);
	cds_lfht_add(r->entities, (unsigned long)word->hash, &e->node);
	/* cppcheck-suppress memleak ; json is freed with the entity */
	return e;
}

/* ---- tallies ------------------------------------------------------------------- */

static unsigned long mix(const void *a, const void *b, const void *c, unsigned d)
{
	const uint64_t words[4] = {(uintptr_t)a, (uintptr_t)b, (uintptr_t)c, d};
	return (unsigned long)inv_word_hash((const char *)words, sizeof(words));
}

static int same_cell(struct cds_lfht_node *node, const void *key)
{
	const struct cell *c = caa_container_of(node, struct cell, node);
	const struct cell *k = key;
	return c->artifact == k->artifact && c->method == k->method && c->type == k->type &&
	       c->failed == k->failed;
}

static struct cell *add_cell(struct inv_registry *r, const struct cell *key, unsigned long hash)
{
	struct cell *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->artifact = key->artifact;
	c->method = key->method;
	c->type = key->type;
	c->failed = key->failed;
	c->next = c->artifact->cells;
	cds_lfht_add(r->cells, hash, &c->node);
	rcu_assign_pointer(c->artifact->cells, c);
	return c;
}

/* Inside the read lock, as cds_lfht wants it even of its only writer. */
static struct cell *cell_of(struct inv_registry *r, const struct inv_key *key)
{
	struct cds_lfht_iter iter;
	struct cell k = {.failed = key->failed};
	k.artifact = inv_registry_entity(r, key->artifact);
	k.method = inv_registry_entity(r, key->method);
	k.type = inv_registry_entity(r, key->type);
	if (!k.artifact || !k.method || !k.type)
		return NULL;
	unsigned long hash = mix(k.artifact, k.method, k.type, k.failed);
	cds_lfht_lookup(r->cells, hash, same_cell, &k, &iter);
	struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
	return node ? caa_container_of(node, struct cell, node) : add_cell(r, &k, hash);
}

int inv_registry_add_cell(struct inv_registry *registry, const struct inv_key *key,
			  const struct inv_cell *cell)
{
	inv_read_lock();
	struct cell *c = cell_of(registry, key);
	if (c)
		inv_hist_add_cell(&c->hist, cell);
	inv_read_unlock();
	return c ? 0 : -ENOMEM;
}

int inv_registry_add_hist(struct inv_registry *registry, const struct inv_key *key,
			  const struct inv_hist *hist)
{
	inv_read_lock();
	struct cell *c = cell_of(registry, key);
	if (c)
		inv_hist_add(&c->hist, hist);
	inv_read_unlock();
	return c ? 0 : -ENOMEM;
}

static int same_pair(struct cds_lfht_node *node, const void *key)
{
	const struct pair *p = caa_container_of(node, struct pair, node);
	const struct pair *k = key;
	return p->invoker == k->invoker && p->artifact == k->artifact;
}

static struct pair *find_pair(struct cds_lfht *table, struct entity *invoker,
			      struct entity *artifact)
{
	struct cds_lfht_iter iter;
	struct pair k = {.invoker = invoker, .artifact = artifact};
	cds_lfht_lookup(table, mix(invoker, artifact, NULL, 0), same_pair, &k, &iter);
	struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
	return node ? caa_container_of(node, struct pair, node) : NULL;
}

struct pair *inv_registry_find_pair(struct inv_registry *r, struct entity *invoker,
				    struct entity *artifact)
{
	return find_pair(r->pairs, invoker, artifact);
}

static struct pair *new_pair(struct cds_lfht *table, struct entity *invoker,
			     struct entity *artifact)
{
	struct pair *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->invoker = invoker;
	p->artifact = artifact;
	p->next = invoker->pairs; /* of nested ones: nobody walks it */
	cds_lfht_add(table, mix(invoker, artifact, NULL, 0), &p->node);
	return p;
}

static struct pair *add_pair(struct inv_registry *r, struct entity *invoker,
			     struct entity *artifact)
{
	struct pair *p = new_pair(r->pairs, invoker, artifact);
	if (!p)
		return NULL;
	rcu_assign_pointer(invoker->pairs, p);
	STORE(artifact->unique_invokers, artifact->unique_invokers + 1);
	return p;
}

struct pair *inv_registry_pair(struct inv_registry *r, const struct inv_word *invoker,
			       const struct inv_word *artifact)
{
	struct entity *who = inv_registry_entity(r, invoker);
	struct entity *what = inv_registry_entity(r, artifact);
	struct pair *p = who && what ? inv_registry_find_pair(r, who, what) : NULL;
	if (p || !who || !what)
		return p;
	return add_pair(r, who, what);
}

int inv_registry_add_pair(struct inv_registry *registry, const struct inv_word *invoker,
			  const struct inv_word *artifact, uint64_t calls, uint64_t failures,
			  uint64_t sum)
{
	inv_read_lock();
	struct pair *p = inv_registry_pair(registry, invoker, artifact);
	if (p) {
		STORE(p->calls, p->calls + calls);
		STORE(p->failures, p->failures + failures);
		STORE(p->sum, p->sum + sum);
	}
	inv_read_unlock();
	return p ? 0 : -ENOMEM;
}

int inv_registry_add_nested(struct inv_registry *registry, const struct inv_word *parent,
			    const struct inv_word *child)
{
	inv_read_lock();
	struct entity *outer = inv_registry_entity(registry, parent);
	struct entity *inner = inv_registry_entity(registry, child);
	struct pair *p = outer && inner ? find_pair(registry->nested, outer, inner) : NULL;
	if (!p && outer && inner)
		p = new_pair(registry->nested, outer, inner);
	if (p)
		STORE(p->calls, p->calls + 1);
	inv_read_unlock();
	return p ? 0 : -ENOMEM;
}

/* ---- from events ----------------------------------------------------------------- */

static int count_call(struct inv_registry *registry, const struct inv_call *call)
{
	struct inv_key key = {call->artifact, call->method, call->type, inv_call_failed(call)};
	uint64_t end = (uint64_t)call->start_ns + call->duration_ns;
	uint64_t nested = call->nested_ns < call->duration_ns ? call->nested_ns : call->duration_ns;
	inv_read_lock();
	struct cell *c = cell_of(registry, &key);
	if (c)
		inv_hist_record(&c->hist, call->duration_ns, call->duration_ns - nested, end,
				call->tick);
	inv_read_unlock();
	if (!c)
		return -ENOMEM;
	return inv_registry_add_pair(registry, call->invoker, call->artifact, 1, key.failed,
				     call->duration_ns);
}

int inv_registry_record(struct inv_registry *registry, const struct inv_call *call)
{
	__atomic_store_n(&registry->from_events, true, __ATOMIC_RELAXED);
	if (call->state == INV_CALL_DONE && count_call(registry, call) < 0)
		return -ENOMEM;
	return inv_registry_keep(registry, call);
}
