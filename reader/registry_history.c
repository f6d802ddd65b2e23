/* SPDX-License-Identifier: MIT */
/*
 * registry_history.c - the calls that are kept: pushed on their shelves, taken off the
 * oldest first, and walked newest first.
 *
 * A record is on four shelves, on each in the chain of its outcome. Who asks for any
 * outcome walks up to three chains at once, by arrival. A chain for each question (any,
 * and each outcome) was rejected: eight pairs of pointers a record instead of four.
 *
 * Chains are in the order in which calls returned. A call is told a little late when its
 * thread was not running just then: it is put in its place. One that is further back than
 * that can be, as in a file of several runs, is new whatever its time says: no walk of all
 * for each of its lines.
 *
 * A record counts as arrived when it is on all its shelves ([Q4]): a walk leaves out what
 * has arrived since it began.
 */
#include "registry_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELAXED)
#define LOAD(word)	   __atomic_load_n(&(word), __ATOMIC_RELAXED)
#define LATE_MOST	   256 /* records */
#define LATE_NS_MOST	   UINT64_C(2000000000)

static void free_record(struct rcu_head *head)
{
	INV_GRACE_AFTER();
	free(caa_container_of(head, struct record, rcu));
}

void inv_registry_drop_history(struct inv_registry *registry)
{
	if (registry->arrivals)
		urcu_memb_barrier(); /* records under call_rcu are freed by it, not by us */
	for (int i = 0; i < OUTCOMES; i++)
		for (struct record *r = registry->shelf.chain[i].newest, *older; r; r = older) {
			older = r->links[OF_ALL].older;
			free(r);
		}
}

/* ---- filling ---------------------------------------------------------------------- */

static enum outcome outcome_of(const struct inv_call *call)
{
	if (call->state != INV_CALL_DONE)
		return OPEN;
	return inv_call_failed(call) ? FAILED : SUCCEEDED;
}

/* The words of a call that live as long as the registry. */
static bool take_words(struct inv_registry *r, struct record *rec, const struct inv_call *call)
{
	const struct inv_word *none = call->artifact;
	struct entity *method = inv_registry_entity(r, call->method);
	struct entity *type = inv_registry_entity(r, call->type ? call->type : none);
	struct entity *probe = inv_registry_entity(r, call->probe);
	struct entity *session = inv_registry_entity(r, call->session);
	rec->pair = inv_registry_pair(r, call->invoker, call->artifact);
	if (!method || !type || !probe || !session || !rec->pair)
		return false;
	rec->call.invoker = &rec->pair->invoker->word;
	rec->call.artifact = &rec->pair->artifact->word;
	rec->call.method = &method->word;
	rec->call.type = call->type ? &type->word : NULL;
	rec->call.probe = &probe->word;
	rec->call.session = &session->word;
	return true;
}

static struct record *make_record(struct inv_registry *r, const struct inv_call *call)
{
	struct record *rec = malloc(sizeof(*rec) + call->message_length + 1);
	if (!rec)
		return NULL;
	memset(rec, 0, sizeof(*rec));
	rec->call = *call;
	rec->outcome = outcome_of(call);
	rec->end_ns = inv_call_end_ns(call);
	if (!take_words(r, rec, call)) {
		free(rec);
		return NULL;
	}
	memcpy(rec->message, call->message ? call->message : "", call->message_length);
	rec->message[call->message_length] = '\0';
	rec->call.message = rec->message;
	return rec;
}

static struct chain *chain_of(struct inv_registry *r, const struct record *rec, enum scope scope)
{
	struct shelf *shelves[SCOPES] = {&r->shelf, &rec->pair->artifact->as_artifact,
					 &rec->pair->invoker->as_invoker, &rec->pair->shelf};
	return &shelves[scope]->chain[rec->outcome];
}

/* What came later is newer, unless it returned before. */
static bool is_newer(const struct record *x, const struct record *y)
{
	return x->end_ns != y->end_ns ? x->end_ns > y->end_ns : x->arrival > y->arrival;
}

static bool is_late(const struct record *rec, const struct record *older)
{
	return is_newer(older, rec) &&
	       (uint64_t)older->end_ns - (uint64_t)rec->end_ns < LATE_NS_MOST;
}

/* Complete when it is seen: its own link is set before the one that leads to it. */
static void put_in(struct chain *c, struct record *rec, enum scope s)
{
	struct record *newer = NULL, *older = c->newest;
	for (int i = 0; older && i < LATE_MOST && is_late(rec, older); i++) {
		newer = older;
		older = older->links[s].older;
	}
	rec->links[s].older = older;
	rec->links[s].newer = newer;
	if (older)
		older->links[s].newer = rec;
	else
		c->oldest = rec;
	INV_GRACE_BEFORE(); /* who meets it before it counts as arrived reads when it did */
	rcu_assign_pointer(*(newer ? &newer->links[s].older : &c->newest), rec);
	STORE(c->count, c->count + 1);
}

static void take_out(struct chain *c, struct record *rec, enum scope s)
{
	struct record *newer = rec->links[s].newer, *older = rec->links[s].older;
	if (older)
		older->links[s].newer = newer;
	else
		c->oldest = newer;
	rcu_set_pointer(newer ? &newer->links[s].older : &c->newest, older);
	STORE(c->count, c->count - 1);
}

static void push(struct inv_registry *r, struct record *rec)
{
	rec->arrival = r->arrivals + 1;
	for (enum scope s = 0; s < SCOPES; s++)
		put_in(chain_of(r, rec, s), rec, s);
	INV_GRACE_BEFORE();
	__atomic_store_n(&r->arrivals, rec->arrival, __ATOMIC_RELEASE); /* [Q4] */
	r->kept++;
}

static struct record *oldest(struct inv_registry *r)
{
	struct record *found = NULL;
	for (int i = 0; i < OUTCOMES; i++) {
		struct record *rec = r->shelf.chain[i].oldest;
		if (rec && (!found || is_newer(found, rec)))
			found = rec;
	}
	return found;
}

static void evict(struct inv_registry *r)
{
	struct record *rec = oldest(r);
	for (enum scope s = 0; s < SCOPES; s++)
		take_out(chain_of(r, rec, s), rec, s);
	r->kept--;
	urcu_memb_call_rcu(&rec->rcu, free_record);
}

int inv_registry_keep(struct inv_registry *registry, const struct inv_call *call)
{
	if (registry->keep == 0)
		return 0;
	inv_read_lock();
	struct record *rec = make_record(registry, call);
	inv_read_unlock();
	if (rec)
		push(registry, rec);
	if (registry->kept > registry->keep)
		evict(registry);
	return rec ? 0 : -ENOMEM;
}

uint64_t inv_registry_arrivals(const struct inv_registry *registry)
{
	return __atomic_load_n(&registry->arrivals, __ATOMIC_ACQUIRE); /* [Q4] */
}

/* ---- walking ------------------------------------------------------------------------ */

struct walk {
	struct record *at[OUTCOMES];
	enum scope scope;
	uint64_t until; /* arrivals after it are left out */
};

static struct record *follow(struct record *const *link)
{
	struct record *r = rcu_dereference(*link);
	INV_GRACE_AFTER();
	return r;
}

static struct record *had_arrived(const struct walk *w, struct record *r)
{
	while (r && r->arrival > w->until)
		r = follow(&r->links[w->scope].older);
	return r;
}

/* Begins at the newest record of each chain. */
static void begin(struct walk *w, struct shelf *shelf, enum scope scope, uint64_t until)
{
	w->scope = scope;
	w->until = until;
	for (int i = 0; i < OUTCOMES; i++)
		w->at[i] = had_arrived(w, follow(&shelf->chain[i].newest));
}

/* Returns: the newest that is left, or NULL. */
static struct record *next(struct walk *w)
{
	int newest = -1;
	for (int i = 0; i < OUTCOMES; i++)
		if (w->at[i] && (newest < 0 || is_newer(w->at[i], w->at[newest])))
			newest = i;
	if (newest < 0)
		return NULL;
	struct record *r = w->at[newest];
	w->at[newest] = had_arrived(w, follow(&r->links[w->scope].older));
	return r;
}

/* The shelf that holds what is asked for and nothing else; NULL: there is none. */
static struct shelf *shelf_of(struct inv_registry *registry, struct inv_text artifact,
			      struct inv_text invoker, enum scope *scope)
{
	struct entity *what = NULL, *who = NULL;
	*scope = OF_ALL;
	if (!artifact.text && !invoker.text)
		return &registry->shelf;
	if (artifact.text && !(what = inv_registry_find(registry, artifact.text, artifact.length)))
		return NULL;
	if (invoker.text && !(who = inv_registry_find(registry, invoker.text, invoker.length)))
		return NULL;
	if (what && who) {
		struct pair *pair = inv_registry_find_pair(registry, who, what);
		*scope = OF_PAIR;
		return pair ? &pair->shelf : NULL;
	}
	*scope = what ? OF_ARTIFACT : OF_INVOKER;
	return what ? &what->as_artifact : &who->as_invoker;
}

/* Leaves out the chains of other outcomes. Returns: how many are in the rest. */
static uint64_t choose(struct walk *w, const struct shelf *shelf, const struct inv_window *window)
{
	uint64_t total = 0;
	const bool wanted[OUTCOMES] = {window->succeeded, window->failed, window->open};
	for (int i = 0; i < OUTCOMES; i++) {
		if (wanted[i])
			total += LOAD(shelf->chain[i].count);
		else
			w->at[i] = NULL;
	}
	return total;
}

size_t inv_registry_window(struct inv_registry *registry, const struct inv_window *window,
			   void (*visit)(void *arg, const struct inv_call *call), void *arg,
			   uint64_t *total)
{
	size_t found = 0, skip = window->offset;
	enum scope scope;
	struct record *r;
	struct walk walk;
	uint64_t until = inv_registry_arrivals(registry);
	*total = 0;
	inv_read_lock();
	struct shelf *shelf = shelf_of(registry, window->artifact, window->invoker, &scope);
	if (shelf) {
		begin(&walk, shelf, scope, until);
		*total = choose(&walk, shelf, window);
	}
	while (shelf && found < window->limit && skip < *total && (r = next(&walk))) {
		if (skip) {
			skip--;
			continue;
		}
		visit(arg, &r->call);
		found++;
	}
	inv_read_unlock();
	return found;
}

bool inv_registry_since(struct inv_registry *registry, struct inv_text artifact, int64_t since_ns,
			void (*visit)(void *arg, const struct inv_call *call), void *arg)
{
	enum scope scope;
	struct record *r = NULL;
	struct walk walk;
	uint64_t until = inv_registry_arrivals(registry);
	inv_read_lock();
	struct shelf *shelf = shelf_of(registry, artifact, (struct inv_text){NULL, 0}, &scope);
	if (shelf)
		begin(&walk, shelf, scope, until);
	while (shelf && (r = next(&walk)) && r->end_ns >= since_ns)
		if (r->outcome != OPEN)
			visit(arg, &r->call);
	inv_read_unlock();
	return r != NULL;
}

size_t inv_registry_news(struct inv_registry *registry, uint64_t after, uint64_t until,
			 void (*visit)(void *arg, const struct inv_call *call, uint64_t arrival),
			 void *arg)
{
	size_t found = 0;
	struct record *r;
	struct walk walk;
	inv_read_lock();
	begin(&walk, &registry->shelf, OF_ALL, until);
	while (found < until - after && (r = next(&walk)))
		if (r->arrival > after) {
			visit(arg, &r->call, r->arrival);
			found++;
		}
	inv_read_unlock();
	return found;
}

static bool named(const struct inv_word *word, const char *name)
{
	return !name || (strlen(name) == word->length && !memcmp(name, word->text, word->length));
}

bool inv_query_matches(const struct inv_query *query, const struct inv_call *call)
{
	bool done = call->state == INV_CALL_DONE;
	if (query->failed && !(done && inv_call_failed(call)))
		return false;
	if (query->succeeded && !(done && !inv_call_failed(call)))
		return false;
	if (query->since_ns && call->start_ns < query->since_ns)
		return false;
	return named(call->artifact, query->artifact) && named(call->invoker, query->invoker) &&
	       named(call->method, query->method);
}

static struct inv_text text_of(const char *name)
{
	return (struct inv_text){name, name ? strlen(name) : 0};
}

size_t inv_registry_history(struct inv_registry *registry, const struct inv_query *query,
			    void (*visit)(void *arg, const struct inv_call *call), void *arg)
{
	size_t found = 0;
	enum scope scope;
	struct record *r;
	struct walk walk;
	uint64_t until = inv_registry_arrivals(registry);
	inv_read_lock();
	struct shelf *shelf =
		shelf_of(registry, text_of(query->artifact), text_of(query->invoker), &scope);
	if (shelf)
		begin(&walk, shelf, scope, until);
	while (shelf && (!query->limit || found < query->limit) && (r = next(&walk)))
		if (inv_query_matches(query, &r->call)) {
			visit(arg, &r->call);
			found++;
		}
	inv_read_unlock();
	return found;
}
