/* SPDX-License-Identifier: MIT */
/*
 * fuzz_segment.c - a real segment (segment.h), damaged (damage.h), read by all that reads segments.
 *
 * The input is not the segment but a list of damages to it, so that none of it is spent on a
 * header that has to be right before anything else is looked at. A custom mutator over the
 * segment's own bytes was rejected: it would copy a file of 10 MB at each step, and a corpus of
 * such files has no place in a tree.
 *
 *   input = use u8, variant u8, then damages
 *   use % 5: 0 cut and reports, 1 calls, 2 raw copy, 3 follower, 4 server; its top bit: cut
 *   short while it is mapped, at a page that the next u16 tells
 *
 * Beyond [F11]..[F13] of use.h: a raw copy of what can be read can be read.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader/follow.h"
#include "reader/guard.h"
#include "reader/raw.h"
#include "reader/summary.h"
#include "segment.h"
#include "use.h"

void __lsan_disable(void);
void __lsan_enable(void);

enum use { CUT, CALLS, RAW, FOLLOW, SERVER, USES };
#define SHORTENED 0x80u

/* ---- readers ------------------------------------------------------------------------------- */

static int open_view(void *arg)
{
	struct inv_view *view = arg;
	uint32_t found;
	return inv_view_open(view, fuzz_segment()->fd, &found) == INV_OK ? 0 : -EINVAL;
}

static void use_raw(const struct inv_view *view, unsigned variant)
{
	struct inv_view copy;
	struct inv_src src;
	uint32_t found;
	int fd = memfd_create("raw", MFD_CLOEXEC);
	FUZZ_REQUIRE(fd >= 0);
	if (inv_raw_write(view, fd) == 0) {
		FUZZ_REQUIRE(inv_view_open(&copy, fd, &found) == INV_OK);
		FUZZ_REQUIRE(inv_src_borrow(&src, &copy) == 0 && src.kind == INV_SRC_SNAPSHOT);
		FUZZ_REQUIRE(fuzz_use_cut(&src, variant) == 0 && inv_src_load(&src) == 0);
		inv_src_close(&src);
		inv_view_close(&copy);
	}
	close(fd);
}

static void require_lines_in(int fd)
{
	off_t length = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)length + 1);
	FUZZ_REQUIRE(text && pread(fd, text, (size_t)length, 0) == length);
	fuzz_require_json_lines(text, (size_t)length);
	free(text);
}

static void use_follower(struct inv_view *view)
{
	int fd = memfd_create("lines", MFD_CLOEXEC);
	struct inv_follow *follow = inv_follow_open(view, fd);
	FUZZ_REQUIRE(fd >= 0 && follow);
	int result = inv_follow_begin(follow, 10);
	if (result >= 0)
		result = inv_follow_poll(follow);
	if (result >= 0)
		result = inv_follow_finish(follow);
	if (result >= 0)
		require_lines_in(fd);
	inv_follow_close(follow);
	close(fd);
}

static void use_progress(struct inv_view *view)
{
	uint64_t calls, failures, lost;
	inv_progress_counts(view, &calls, &failures, &lost);
}

static int use_source(struct inv_src *src, enum use use, unsigned variant)
{
	if (use == CUT)
		return fuzz_use_cut(src, variant);
	int result = inv_src_load(src);
	if (result == 0 && use == CALLS)
		fuzz_use_calls(src);
	return result == 0 && use == SERVER ? fuzz_use_server(src, variant) : result;
}

static void use_view(struct inv_view *view, enum use use, unsigned variant)
{
	struct inv_src src;
	if (use == RAW) {
		use_raw(view, variant);
	} else if (use == FOLLOW) {
		use_follower(view);
	} else if (inv_src_borrow(&src, view) == 0) {
		int result = use_source(&src, use, variant);
		FUZZ_REQUIRE(result == 0 || fuzz_segment()->shrunk);
		inv_src_close(&src);
	} else {
		FUZZ_REQUIRE(fuzz_segment()->shrunk);
	}
	use_progress(view);
}

/* ---- a SIGBUS that nobody guards --------------------------------------------------------------
 */

static struct sigaction guards;

static int nothing(void *arg)
{
	return 0;
}

/* The guard's own handler comes back from what it does not guard, with the signal pending. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
	guards.sa_sigaction(number, info, context);
	abort();
}

static void watch_guard(void)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
	inv_guard_call(nothing, NULL); /* installs it */
	sigaction(SIGBUS, &action, &guards);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool watched;
	struct fuzz_subject *subject = fuzz_segment();
	struct fuzz_input in = {data, size};
	struct inv_view view = {0};
	if (!watched)
		watch_guard();
	watched = true;
	unsigned use = (unsigned)fuzz_take(&in, 1), variant = (unsigned)fuzz_take(&in, 1);
	bool shortened = use & SHORTENED;
	uint64_t pages = shortened ? fuzz_take(&in, 2) % (subject->bytes / FUZZ_PAGE) : 0;
	fuzz_damage(subject, &in);
	if (shortened)
		__lsan_disable(); /* what is left in the middle leaks: [U1] */
	if (inv_guard_call(open_view, &view) == 0) {
		if (shortened)
			fuzz_shrink(subject, pages * FUZZ_PAGE);
		use_view(&view, (enum use)(use % USES), variant);
		inv_view_close(&view);
	}
	if (shortened)
		__lsan_enable();
	fuzz_restore(subject);
	return 0;
}
