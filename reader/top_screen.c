/* SPDX-License-Identifier: MIT */
#define NCURSES_WIDECHAR 1
#include "top_screen.h"

#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define TEXT_LEAST	12u /* columns that a text is not cut below while others can go */
#define NUMBER_LEAST	7u  /* so that columns do not jump when a number grows */
#define HEADER_LINES	5
#define FIT_BYTES	1024
#define RANK_NEVER_GOES 1

enum paint { PLAIN, BAD, WARN, GOOD, HEAD };

static SCREEN *screen;
static bool utf8, color;

/* ---- opening ------------------------------------------------------------------------- */

static void start_colors(void)
{
	const char *no = getenv("NO_COLOR");
	color = !(no && *no) && has_colors();
	if (!color)
		return;
	start_color();
	use_default_colors();
	init_pair(BAD, COLOR_RED, -1);
	init_pair(WARN, COLOR_YELLOW, -1);
	init_pair(GOOD, COLOR_GREEN, -1);
	init_pair(HEAD, COLOR_CYAN, -1);
}

bool inv_top_screen_open(void)
{
	setlocale(LC_CTYPE, "");
	utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return false;
	const char *move_to = tigetstr("cup"); /* a dumb terminal has none */
	if (!move_to || move_to == (char *)-1) {
		inv_top_screen_close();
		return false;
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	start_colors();
	return true;
}

void inv_top_screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

void inv_top_screen_redraw(void)
{
	clearok(stdscr, TRUE);
}

/* ---- keys ---------------------------------------------------------------------------- */

static int special(wint_t code)
{
	static const struct {
		wint_t code;
		enum inv_top_key key;
	} KEYS[] = {
		{KEY_UP, INV_TOP_KEY_UP},	  {KEY_DOWN, INV_TOP_KEY_DOWN},
		{KEY_LEFT, INV_TOP_KEY_LEFT},	  {KEY_RIGHT, INV_TOP_KEY_RIGHT},
		{KEY_PPAGE, INV_TOP_KEY_PAGE_UP}, {KEY_NPAGE, INV_TOP_KEY_PAGE_DOWN},
		{KEY_HOME, INV_TOP_KEY_HOME},	  {KEY_END, INV_TOP_KEY_END},
		{KEY_RESIZE, INV_TOP_KEY_RESIZE}, {KEY_BACKSPACE, INV_TOP_KEY_BACKSPACE},
		{KEY_F(1), INV_TOP_KEY_HELP},	  {KEY_ENTER, '\r'},
	};
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (KEYS[i].code == code)
			return (int)KEYS[i].key;
	return INV_TOP_KEY_OTHER;
}

int inv_top_screen_key(void)
{
	wint_t c = 0;
	int kind = get_wch(&c);
	if (kind == ERR)
		return INV_TOP_KEY_NONE;
	if (kind == KEY_CODE_YES)
		return special(c);
	return c == 127 || c == 8 ? INV_TOP_KEY_BACKSPACE : (int)c;
}

/* ---- text ---------------------------------------------------------------------------- */

static void paint(enum paint how)
{
	attr_t bold = how == HEAD || how == BAD ? A_BOLD : A_NORMAL;
	attrset(bold | (color && how != PLAIN ? COLOR_PAIR(how) : 0));
}

/* Draws at most `width` columns. Returns: the columns used. */
static unsigned draw(int y, int x, const char *text, size_t length, unsigned width)
{
	char fit[FIT_BYTES];
	unsigned used = inv_top_fit(fit, sizeof(fit), text, length, width, utf8);
	mvaddstr(y, x, fit);
	return used;
}

static void say(int y, int *x, enum paint how, const char *text, size_t length)
{
	if (*x >= COLS)
		return;
	paint(how);
	*x += (int)draw(y, *x, text, length, (unsigned)(COLS - *x));
	attrset(A_NORMAL);
}

__attribute__((format(printf, 4, 5))) static void sayf(int y, int *x, enum paint how,
						       const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(y, x, how, text, strlen(text));
}

/* ---- the head -------------------------------------------------------------------------- */

static void draw_session(const struct inv_top_state *s)
{
	int x = 0;
	uint64_t t = (uint64_t)s->totals.seconds;
	const struct inv_cut *cut = s->looks.now;
	sayf(0, &x, HEAD, "invreg top ");
	say(0, &x, PLAIN, s->session, strlen(s->session));
	sayf(0, &x, s->moving ? GOOD : WARN, "  %s", s->life);
	if (cut->procs_alive)
		sayf(0, &x, PLAIN, ", %u process%s", cut->procs_alive,
		     cut->procs_alive == 1 ? "" : "es");
	sayf(0, &x, PLAIN, ", %02llu:%02llu:%02llu", (unsigned long long)(t / 3600),
	     (unsigned long long)(t / 60 % 60), (unsigned long long)(t % 60));
	if (s->paused)
		sayf(0, &x, WARN, "  paused");
	else if (s->moving)
		sayf(0, &x, PLAIN, "  every %.1f s", s->delay_ms / 1e3);
	else
		sayf(0, &x, PLAIN, "  rates: mean of the run");
}

static void draw_totals(const struct inv_top_state *s)
{
	int x = 0;
	const struct inv_cut *cut = s->looks.now;
	const struct inv_top_totals *t = &s->totals;
	sayf(1, &x, PLAIN, "%llu calls, %.1f/s  ", (unsigned long long)t->calls, t->calls_s);
	sayf(1, &x, t->failed ? BAD : PLAIN, "%llu failed (%.1f%%), %.1f/s",
	     (unsigned long long)t->failed,
	     t->calls ? 100.0 * (double)t->failed / (double)t->calls : 0, t->failed_s);
	sayf(1, &x, PLAIN, "  %llu in flight",
	     (unsigned long long)(cut->in_flight.count + cut->in_flight.unnamed));
	if (cut->never.count + cut->never.unnamed)
		sayf(1, &x, BAD, "  %llu never returned",
		     (unsigned long long)(cut->never.count + cut->never.unnamed));
	sayf(1, &x, PLAIN, "  %zu artifacts, %zu invokers", cut->artifacts.count,
	     cut->invokers.count);
	if (cut->from_events)
		sayf(1, &x, WARN, "  (from events)");
}

static void draw_losses(const struct inv_top_state *s)
{
	int x = 0;
	const struct inv_cut *cut = s->looks.now;
	if (cut->lost_count == 0) {
		sayf(2, &x, PLAIN, "lost: nothing");
		return;
	}
	for (size_t i = 0; i < cut->lost_count; i++)
		sayf(2, &x, BAD, "%s%llu %s",
		     i ? ", " : "lost: ", (unsigned long long)cut->lost[i].count,
		     cut->lost[i].name);
	sayf(2, &x, PLAIN, "  %s", cut->lost[0].text);
}

static void draw_views(const struct inv_top_state *s)
{
	int x = 0;
	for (unsigned i = 0; i < INV_TOP_VIEWS; i++) {
		enum inv_top_view view = (enum inv_top_view)i;
		sayf(3, &x, view == s->query.view ? HEAD : PLAIN,
		     view == s->query.view ? "[%u %s] " : " %u %s  ", i + 1,
		     inv_top_view_name(view));
	}
	sayf(3, &x, PLAIN, " %zu rows", s->rows.count);
	if (!*s->query.filter)
		return;
	sayf(3, &x, WARN, "  filter: ");
	say(3, &x, WARN, s->query.filter, strlen(s->query.filter));
	sayf(3, &x, PLAIN, " (%zu hidden)", s->rows.hidden);
}

/* ---- the table --------------------------------------------------------------------------- */

struct layout {
	const enum inv_top_column *columns;
	size_t count;
	bool shown[INV_TOP_COLUMNS]; /* by place in `columns` */
	unsigned natural[INV_TOP_COLUMNS], width[INV_TOP_COLUMNS];
};

static bool is_text(enum inv_top_column column)
{
	return column < INV_TOP_TEXTS;
}

static unsigned cell_width(const struct inv_top_row *row, enum inv_top_column column)
{
	char text[FIT_BYTES];
	if (is_text(column))
		return inv_top_fit(text, sizeof(text), row->text[column] ? row->text[column] : "",
				   row->length[column], (unsigned)COLS, utf8);
	inv_top_format(row, column, text);
	return (unsigned)strlen(text);
}

static void measure(struct layout *l, const struct inv_top_state *s)
{
	l->count = inv_top_columns(s->query.view, &l->columns);
	for (size_t c = 0; c < l->count; c++) {
		enum inv_top_column column = l->columns[c];
		unsigned w = (unsigned)strlen(inv_top_title(s->query.view, column));
		if (!is_text(column) && w < NUMBER_LEAST)
			w = NUMBER_LEAST;
		for (size_t i = 0; i < s->rows.count; i++) {
			unsigned own = cell_width(&s->rows.rows[i], column);
			w = own > w ? own : w;
		}
		l->natural[c] = w;
		l->width[c] = is_text(column) && w > TEXT_LEAST ? TEXT_LEAST : w;
		l->shown[c] = true;
	}
}

static unsigned total_width(const struct layout *l)
{
	unsigned total = 0;
	for (size_t c = 0; c < l->count; c++)
		total += l->shown[c] ? l->width[c] + (c > 0) : 0;
	return total;
}

/* The column that is missed least; what it is sorted by stays. Returns: count: none. */
static size_t least(const struct layout *l, enum inv_top_column sort)
{
	size_t found = l->count;
	int worst = RANK_NEVER_GOES;
	for (size_t c = 1; c < l->count; c++) {
		int rank = inv_top_rank(l->columns[c]);
		if (!l->shown[c] || l->columns[c] == sort || rank <= worst)
			continue;
		worst = rank;
		found = c;
	}
	return found;
}

static void lay_out(struct layout *l, const struct inv_top_state *s)
{
	unsigned room = COLS > 0 ? (unsigned)COLS : 0;
	measure(l, s);
	while (total_width(l) > room) {
		size_t c = least(l, s->query.sort);
		if (c == l->count)
			break;
		l->shown[c] = false;
	}
	for (size_t c = 0; c < l->count; c++) {
		unsigned used = total_width(l), more = l->natural[c] - l->width[c];
		if (l->shown[c] && used < room)
			l->width[c] += more < room - used ? more : room - used;
	}
}

static enum paint cell_paint(const struct inv_top_row *row, enum inv_top_column column)
{
	double v = row->number[column];
	if (column == INV_TOP_COL_SUCCESS)
		return v < 0.9 ? BAD : v < 0.99 ? WARN : PLAIN;
	if (column == INV_TOP_COL_FAILED_S || column == INV_TOP_COL_FAILED)
		return v > 0 ? WARN : PLAIN;
	return PLAIN;
}

static void draw_cell(int y, int x, unsigned width, const struct inv_top_row *row,
		      enum inv_top_column column)
{
	char number[FIT_BYTES];
	const char *text = number;
	if (x >= COLS)
		return;
	if (x + (int)width > COLS)
		width = (unsigned)(COLS - x);
	if (is_text(column)) {
		text = row->text[column] ? row->text[column] : "";
		draw(y, x, text, row->length[column], width);
		return;
	}
	inv_top_format(row, column, number);
	unsigned length = (unsigned)strlen(number);
	paint(cell_paint(row, column));
	draw(y, x + (int)(width > length ? width - length : 0), number, length, width);
	attrset(A_NORMAL);
}

static void draw_titles(const struct layout *l, const struct inv_top_query *q, int y)
{
	int x = 0;
	attrset(A_REVERSE);
	mvhline(y, 0, ' ', COLS);
	for (size_t c = 0; c < l->count; c++) {
		const char *title = inv_top_title(q->view, l->columns[c]);
		unsigned length = (unsigned)strlen(title), pad = 0;
		if (!l->shown[c])
			continue;
		if (!is_text(l->columns[c]) && l->width[c] > length)
			pad = l->width[c] - length;
		attrset(l->columns[c] == q->sort ? A_REVERSE | A_BOLD | A_UNDERLINE : A_REVERSE);
		if (x + (int)pad < COLS)
			draw(y, x + (int)pad, title, length, (unsigned)(COLS - x) - pad);
		x += (int)l->width[c] + 1;
	}
	attrset(A_NORMAL);
}

static void draw_table(struct inv_top_state *s)
{
	struct layout l;
	int room = LINES - HEADER_LINES - 1;
	s->page = room > 0 ? (size_t)room : 0;
	if (s->offset + s->page > s->rows.count)
		s->offset = s->rows.count > s->page ? s->rows.count - s->page : 0;
	lay_out(&l, s);
	draw_titles(&l, &s->query, HEADER_LINES - 1);
	for (size_t i = 0; i < s->page && s->offset + i < s->rows.count; i++) {
		int x = 0;
		for (size_t c = 0; c < l.count; c++) {
			if (!l.shown[c])
				continue;
			draw_cell(HEADER_LINES + (int)i, x, l.width[c],
				  &s->rows.rows[s->offset + i], l.columns[c]);
			x += (int)l.width[c] + 1;
		}
	}
}

/* ---- all ----------------------------------------------------------------------------------- */

static void draw_help(void)
{
	static const char *const LINES_OF_HELP[] = {
		"1 to 5, Tab     artifacts, methods, invokers, errors, calls in flight",
		"left, right     sort by the column before or behind;  r  the other way round",
		"n c t f s a p x sort by name, calls, calls/s, failed, success, mean, p99, max",
		"/               filter: rows that contain a text; Enter keeps it, Esc drops it",
		"space           pause, go on",
		"up, down, PgUp, PgDn, Home, End    scroll",
		"+ -             look more, less often",
		"q               quit",
		"",
		"CALLS/S and FAIL/S are of the time since the last look; of what has ended,",
		"the mean of the run. Totals and percentiles are exact (to a bucket 12.5 % wide)",
		"however many events were lost, unless it says (from events). SELF is without",
		"nested calls; SUCCESS sorts the worst first.",
	};
	for (size_t i = 0; i < sizeof(LINES_OF_HELP) / sizeof(LINES_OF_HELP[0]); i++) {
		int x = 2;
		sayf(HEADER_LINES + (int)i, &x, PLAIN, "%s", LINES_OF_HELP[i]);
	}
}

static void draw_foot(const struct inv_top_state *s)
{
	int x = 0, y = LINES - 1;
	if (s->typing) {
		sayf(y, &x, HEAD, "filter: ");
		say(y, &x, PLAIN, s->query.filter, strlen(s->query.filter));
		sayf(y, &x, HEAD, "_");
		return;
	}
	sayf(y, &x, PLAIN, s->help ? "any key: back" : "q quit  ? help  / filter  space %s  ",
	     s->paused ? "go on" : "pause");
	if (!s->help)
		sayf(y, &x, PLAIN, "Tab view  left/right sort  r reverse");
}

void inv_top_screen_draw(struct inv_top_state *state)
{
	erase();
	draw_session(state);
	draw_totals(state);
	draw_losses(state);
	if (state->help) {
		draw_help();
	} else {
		draw_views(state);
		draw_table(state);
	}
	draw_foot(state);
	refresh();
}
