/* SPDX-License-Identifier: MIT */
#include "top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "now.h"
#include "output.h"
#include "top_private.h"
#include "top_screen.h"
#include "verbs.h"

#define DELAY_LEAST_MS 100u
#define DELAY_MOST_MS  60000u
#define WAIT_MOST_MS   1000 /* a signal just before poll is seen after it */
#define ESCAPE	       27

static atomic_bool stopped;
_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler stores it");

static void on_stop(int number)
{
	atomic_store_explicit(&stopped, true, memory_order_relaxed);
}

/* Before ncurses, which leaves a handler that is there alone; its own would call exit. */
static void stop_on(int number)
{
	struct sigaction old, action = {.sa_handler = on_stop};
	sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

struct watch {
	struct inv_top_look look;
	struct inv_top_state state;
	char filter[INV_TOP_FILTER_BYTES];
	int64_t due_ms;
	bool quit;
};

/* ---- what is shown ------------------------------------------------------------------- */

static int make_rows(struct watch *w)
{
	struct inv_top_state *s = &w->state;
	s->looks = inv_top_looks(&w->look);
	s->session = w->look.now.session->text;
	s->life = w->look.life;
	s->moving = w->look.moving;
	inv_top_totals(&s->looks, &s->totals);
	inv_top_rows_free(&s->rows);
	return inv_top_rows_make(&s->rows, &s->looks, &s->query);
}

static int look_again(struct watch *w)
{
	/* Rows point into the cuts. */
	inv_top_rows_free(&w->state.rows);
	int result = inv_top_look(&w->look);
	w->due_ms = inv_now_ms() + w->state.delay_ms;
	return result;
}

/* ---- keys: the filter ------------------------------------------------------------------ */

static size_t encode(int c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	size_t n = c < 0x10000 ? 3 : 4;
	to[0] = (char)(n == 3 ? 0xe0 | c >> 12 : 0xf0 | c >> 18);
	for (size_t i = 1; i < n; i++)
		to[i] = (char)(0x80 | (c >> 6 * (int)(n - 1 - i) & 0x3f));
	return n;
}

static void type(struct watch *w, int key)
{
	size_t length = strlen(w->filter);
	if (key == '\r' || key == '\n') {
		w->state.typing = false;
	} else if (key == ESCAPE) {
		w->state.typing = false;
		w->filter[0] = '\0';
	} else if (key == INV_TOP_KEY_BACKSPACE) {
		while (length && (w->filter[--length] & 0xc0) == 0x80)
			;
		w->filter[length] = '\0';
	} else if (key >= ' ' && key < INV_TOP_KEY_UP && length + 5 < sizeof(w->filter)) {
		w->filter[length + encode(key, w->filter + length)] = '\0';
	}
}

/* ---- keys: all others -------------------------------------------------------------------- */

static void choose_view(struct watch *w, unsigned view)
{
	struct inv_top_query *q = &w->state.query;
	q->view = (enum inv_top_view)(view % INV_TOP_VIEWS);
	q->sort = inv_top_first_sort(q->view);
	q->reverse = false;
	w->state.offset = 0;
}

static void choose_sort(struct watch *w, enum inv_top_column column)
{
	const enum inv_top_column *columns;
	size_t count = inv_top_columns(w->state.query.view, &columns);
	for (size_t i = 0; i < count; i++)
		if (columns[i] == column) {
			w->state.query.sort = column;
			w->state.query.reverse = false;
		}
}

static void move_sort(struct watch *w, int step)
{
	const enum inv_top_column *columns;
	int count = (int)inv_top_columns(w->state.query.view, &columns);
	for (int i = 0; i < count; i++)
		if (columns[i] == w->state.query.sort) {
			choose_sort(w, columns[(i + step + count) % count]);
			return;
		}
}

static void change_delay(struct watch *w, bool longer)
{
	unsigned ms = longer ? w->state.delay_ms * 2 : w->state.delay_ms / 2;
	if (ms >= DELAY_LEAST_MS && ms <= DELAY_MOST_MS)
		w->state.delay_ms = ms;
	w->due_ms = inv_now_ms() + w->state.delay_ms;
}

static bool sort_key(struct watch *w, int key)
{
	const enum inv_top_column *columns;
	static const struct {
		char key;
		enum inv_top_column column;
	} KEYS[] = {{'c', INV_TOP_COL_CALLS},  {'t', INV_TOP_COL_CALLS_S},
		    {'f', INV_TOP_COL_FAILED}, {'s', INV_TOP_COL_SUCCESS},
		    {'a', INV_TOP_COL_MEAN},   {'p', INV_TOP_COL_P99},
		    {'x', INV_TOP_COL_MAX}};
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (KEYS[i].key == key) {
			choose_sort(w, KEYS[i].column);
			return true;
		}
	if (key != 'n')
		return false;
	inv_top_columns(w->state.query.view, &columns);
	choose_sort(w, w->state.query.view == INV_TOP_OPEN ? INV_TOP_COL_ARTIFACT : columns[0]);
	return true;
}

static bool scroll_key(struct inv_top_state *s, int key)
{
	size_t page = s->page ? s->page : 1;
	switch (key) {
	case INV_TOP_KEY_UP:
	case 'k':
		s->offset -= s->offset > 0;
		return true;
	case INV_TOP_KEY_DOWN:
	case 'j':
		s->offset++;
		return true;
	case INV_TOP_KEY_PAGE_UP:
		s->offset -= s->offset < page ? s->offset : page;
		return true;
	case INV_TOP_KEY_PAGE_DOWN:
		s->offset += page;
		return true;
	case INV_TOP_KEY_HOME:
		s->offset = 0;
		return true;
	case INV_TOP_KEY_END:
		s->offset = s->rows.count;
		return true;
	default:
		return false;
	}
}

static void command(struct watch *w, int key)
{
	struct inv_top_state *s = &w->state;
	if (scroll_key(s, key) || sort_key(w, key))
		return;
	if (key >= '1' && key < '1' + INV_TOP_VIEWS)
		choose_view(w, (unsigned)(key - '1'));
	else if (key == '\t')
		choose_view(w, s->query.view + 1u);
	else if (key == 'i')
		choose_view(w, INV_TOP_OPEN);
	else if (key == INV_TOP_KEY_LEFT || key == '<')
		move_sort(w, -1);
	else if (key == INV_TOP_KEY_RIGHT || key == '>')
		move_sort(w, 1);
	else if (key == 'r')
		s->query.reverse = !s->query.reverse;
	else if (key == ' ')
		s->paused = !s->paused;
	else if (key == '/')
		s->typing = true;
	else if (key == ESCAPE)
		w->filter[0] = '\0';
	else if (key == '+' || key == '-')
		change_delay(w, key == '-');
	else if (key == '?' || key == 'h' || key == INV_TOP_KEY_HELP)
		s->help = true;
	else if (key == 'q' || key == 'Q')
		w->quit = true;
}

static void take_key(struct watch *w, int key)
{
	if (key == INV_TOP_KEY_RESIZE || key == 'L' - '@') {
		inv_top_screen_redraw();
	} else if (w->state.typing) {
		w->state.offset = 0;
		type(w, key);
	} else if (w->state.help) {
		w->state.help = false;
	} else {
		command(w, key);
	}
}

/* ---- the loop ---------------------------------------------------------------------------- */

/* Waits for a key or the next look. */
static void wait_for_keys(struct watch *w)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t ms = w->due_ms - inv_now_ms();
	if (w->state.paused || !w->look.moving || ms > WAIT_MOST_MS)
		ms = WAIT_MOST_MS;
	if (poll(&in, 1, ms > 0 ? (int)ms : 0) < 0 && errno != EINTR)
		w->quit = true;
	if (in.revents & (POLLHUP | POLLERR | POLLNVAL))
		w->quit = true; /* the terminal is gone */
	for (int key; (key = inv_top_screen_key()) != INV_TOP_KEY_NONE && !w->quit;)
		take_key(w, key);
}

static int loop(struct watch *w)
{
	int result = look_again(w);
	while (result == 0) {
		result = make_rows(w);
		if (result < 0)
			break;
		inv_top_screen_draw(&w->state);
		wait_for_keys(w);
		if (w->quit || atomic_load_explicit(&stopped, memory_order_relaxed))
			break;
		if (!w->state.paused && w->look.moving && inv_now_ms() >= w->due_ms)
			result = look_again(w);
	}
	return result;
}

int inv_top_watch(struct inv_src *src, const struct inv_top_options *options)
{
	struct watch w = {.look = {.src = src},
			  .state = {.query = options->query, .delay_ms = options->delay_ms}};
	stop_on(SIGINT);
	stop_on(SIGTERM);
	if (!inv_top_screen_open())
		return -1;
	strncpy(w.filter, options->query.filter, sizeof(w.filter) - 1);
	w.state.query.filter = w.filter;
	int result = loop(&w);
	inv_top_screen_close();
	inv_top_rows_free(&w.state.rows);
	inv_top_look_free(&w.look);
	return result < 0 ? inv_output_source_error(src, result) : INV_EXIT_OK;
}
