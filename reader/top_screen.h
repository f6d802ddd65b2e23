/* SPDX-License-Identifier: MIT */
/*
 * top_screen.h - the terminal of `invreg top`, by ncurses: draws a state, gives back keys.
 *
 * Texts come from the observed program. Each is made harmless and cut to its columns before
 * ncurses sees it (inv_top_fit), and each cell is placed by its own move: what a terminal
 * measures differently can spoil a cell, never a line or the next cell.
 *
 * A screen of escape sequences of our own was rejected: terminals differ, and terminfo knows
 * how. Main thread only; the terminal is as it was after inv_top_screen_close, which is safe
 * to call at any time.
 */
#ifndef INV_READER_TOP_SCREEN_H
#define INV_READER_TOP_SCREEN_H

#include "top_rows.h"

struct inv_top_state {
	const char *session;
	const char *life; /* "live", "ended", "snapshot", "file", ... */
	bool moving;	  /* there will be new looks */
	struct inv_top_looks looks;
	struct inv_top_totals totals;
	struct inv_top_rows rows;
	struct inv_top_query query;
	size_t offset; /* first row shown; inv_top_screen_draw bounds it */
	size_t page;   /* rows that fit, as drawn last */
	unsigned delay_ms;
	bool paused, typing, help;
};

/* Returns: false: the terminal is none that can be drawn on (nothing was changed). */
bool inv_top_screen_open(void);
void inv_top_screen_close(void);

void inv_top_screen_draw(struct inv_top_state *state);
void inv_top_screen_redraw(void); /* all of it, next time */

enum inv_top_key {
	INV_TOP_KEY_NONE = -1, /* nothing more has been typed */
	INV_TOP_KEY_UP = 0x110000,
	INV_TOP_KEY_DOWN,
	INV_TOP_KEY_LEFT,
	INV_TOP_KEY_RIGHT,
	INV_TOP_KEY_PAGE_UP,
	INV_TOP_KEY_PAGE_DOWN,
	INV_TOP_KEY_HOME,
	INV_TOP_KEY_END,
	INV_TOP_KEY_BACKSPACE,
	INV_TOP_KEY_RESIZE,
	INV_TOP_KEY_HELP,
	INV_TOP_KEY_OTHER
};

/* Does not wait. Returns: a character (Unicode), or one of the keys above. */
int inv_top_screen_key(void);

/*
 * Text as it may be drawn: at most `width` columns, an ellipsis where it was cut; what is
 * not printable, broken, or of another width to libc than to us becomes '?', combining
 * characters beyond two are left out. utf8: whether the terminal takes more than ASCII.
 * Returns: the columns used. `to` gets at most size - 1 bytes and a NUL.
 */
unsigned inv_top_fit(char *to, size_t size, const char *text, size_t length, unsigned width,
		     bool utf8);

#endif
