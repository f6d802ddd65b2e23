/* SPDX-License-Identifier: MIT */
/*
 * control.c - the control page: its file, and the two-block protocol.
 *
 * The file is written whole by write(2) before it is mapped by anybody, so that a full file
 * system is an error of that call and never a SIGBUS of a load. What is left is that the file
 * is truncated while the program has it mapped. No check can exclude that: seals exist for
 * memfds only, a private mapping of a page that was never written follows the file just the
 * same, and a copy of the page would not be a control. But the file is 0600 in a directory that
 * is 0700, and was checked to belong to the program's own user. Who can truncate it can truncate
 * the segment, which the program maps too, and can kill the program outright. Nothing of ours
 * ever truncates either.
 */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "ring.h"
#include "testpoint.h"

#define WORDS_ALL   (sizeof(struct inv_control_setting) / 8)
#define WORDS_RULES (sizeof(struct inv_control_rules) / 8)
#define LOOKS	    2u

static const char kind_mark[INV_CONTROL_KINDS] = {'i', 'a', 'm'};

/* ---- the file ----------------------------------------------------------------------- */

enum inv_result inv_control_path(char *buf, size_t size, const char *segment_path)
{
	size_t n = strlen(segment_path);
	if (n < 5 || strcmp(segment_path + n - 4, ".seg") != 0 || n >= size)
		return INV_E_USAGE;
	memcpy(buf, segment_path, n - 3);
	strcpy(buf + n - 3, "ctl");
	return INV_OK;
}

/* <dir>/.<name>.ctl.<nonce>.<pid>.tmp: the form that prune knows; pids alone repeat. */
static bool temporary_path(char *buf, size_t size, const char *path, uint64_t nonce)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int n = snprintf(buf, size, "%.*s.%s.%016llx.%ld.tmp", (int)(name - path), path, name,
			 (unsigned long long)nonce, (long)getpid());
	return n > 0 && (size_t)n < size;
}

static enum inv_result write_page(const char *temporary, uint64_t nonce)
{
	struct inv_control page;
	memset(&page, 0, sizeof(page));
	page.magic = INV_CONTROL_MAGIC;
	page.version = INV_CONTROL_VERSION;
	page.bytes = sizeof(page);
	page.byte_order = INV_BYTE_ORDER;
	page.session_nonce = nonce;
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == ENOSPC ? INV_E_FULL : INV_E_SYSTEM;
	/* No SIGXFSZ: the segment, which is longer, was within RLIMIT_FSIZE. */
	ssize_t n = pwrite(fd, &page, sizeof(page), 0);
	int err = n < 0 ? errno : 0;
	close(fd);
	if (n == (ssize_t)sizeof(page))
		return INV_OK;
	errno = err;
	return n >= 0 || err == ENOSPC ? INV_E_FULL : INV_E_SYSTEM;
}

enum inv_result inv_control_create(const struct inv_segment *seg)
{
	char path[512], temporary[600];
	uint64_t nonce = seg->header->session_nonce;
	enum inv_result r = inv_control_path(path, sizeof(path), seg->path);
	if (r || !temporary_path(temporary, sizeof(temporary), path, nonce))
		return INV_E_USAGE;
	r = write_page(temporary, nonce);
	if (!r && rename(temporary, path))
		r = INV_E_SYSTEM;
	int saved = errno;
	if (r)
		unlink(temporary);
	errno = saved;
	return r;
}

static enum inv_result check_page(const struct inv_control *page, uint64_t nonce)
{
	if (page->magic != INV_CONTROL_MAGIC)
		return INV_E_MAGIC;
	if (page->byte_order != INV_BYTE_ORDER)
		return INV_E_BYTE_ORDER;
	if (page->version != INV_CONTROL_VERSION || page->bytes != sizeof(*page))
		return INV_E_VERSION;
	return page->session_nonce == nonce ? INV_OK : INV_E_NOT_FOUND;
}

static enum inv_result check_file(int fd, uint64_t nonce, enum inv_control_access access)
{
	struct inv_control page;
	struct stat st;
	if (fstat(fd, &st))
		return INV_E_SYSTEM;
	if (!S_ISREG(st.st_mode))
		return INV_E_KIND;
	if (st.st_uid != geteuid() && (access == INV_CONTROL_OWN || geteuid() != 0))
		return INV_E_OWNER;
	if (st.st_size != (off_t)sizeof(page) || st.st_blocks * 512 < (off_t)sizeof(page) ||
	    pread(fd, &page, sizeof(page), 0) != (ssize_t)sizeof(page))
		return INV_E_CORRUPT;
	return check_page(&page, nonce);
}

static enum inv_result open_file(const char *path, enum inv_control_access access, int *fd)
{
	int mode = access == INV_CONTROL_CHANGE ? O_RDWR : O_RDONLY;
	/* O_NONBLOCK: a FIFO of that name must not hang us. */
	*fd = open(path, mode | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*fd >= 0)
		return INV_OK;
	if (errno == ENOENT)
		return INV_E_NOT_FOUND;
	return errno == ELOOP || errno == ENXIO || errno == EISDIR ? INV_E_KIND : INV_E_SYSTEM;
}

enum inv_result inv_control_open(const char *segment_path, uint64_t nonce,
				 enum inv_control_access access, struct inv_control **page, int *fd)
{
	char path[512];
	int own, prot = access == INV_CONTROL_CHANGE ? PROT_READ | PROT_WRITE : PROT_READ;
	*page = NULL;
	enum inv_result r = inv_control_path(path, sizeof(path), segment_path);
	if (r || (r = open_file(path, access, &own)))
		return r;
	r = check_file(own, nonce, access);
	if (!r) {
		void *base = mmap(NULL, sizeof(**page), prot, MAP_SHARED, own, 0);
		if (base == MAP_FAILED)
			r = INV_E_SYSTEM;
		else
			*page = base;
	}
	int saved = errno;
	if (r || !fd)
		close(own);
	else
		*fd = own;
	errno = saved;
	return r;
}

void inv_control_close(struct inv_control *page)
{
	if (page)
		munmap(page, sizeof(*page));
}

/* ---- reading ------------------------------------------------------------------------ */

static bool read_words(const struct inv_control *page, uint64_t *out, size_t count,
		       uint64_t *generation)
{
	for (unsigned look = 0; look < LOOKS; look++) {
		/* [B12] acquire: the block that it selects is read after it; pairs with publish */
		uint64_t before =
			atomic_load_explicit((inv_a64 *)&page->generation, memory_order_acquire);
		const struct inv_control_block *block = &page->block[before & 1];
		for (size_t i = 0; i < count; i++)
			out[i] = inv_word_load(&block->word[i]);
		INV_TEST_POINT(control_copied);
#ifndef INV_TSAN
		/* [B13] acquire: all of the block before the second look; pairs with publish */
		atomic_thread_fence(memory_order_acquire);
#endif
		*generation =
			atomic_load_explicit((inv_a64 *)&page->generation, memory_order_relaxed);
		if (*generation == before)
			return true;
	}
	return false;
}

bool inv_control_rules(const struct inv_control *page, struct inv_control_rules *out,
		       uint64_t *generation)
{
	return read_words(page, (uint64_t *)out, WORDS_RULES, generation);
}

bool inv_control_load(const struct inv_control *page, struct inv_control_setting *out,
		      uint64_t *generation)
{
	bool whole = read_words(page, (uint64_t *)out, WORDS_ALL, generation);
	out->text[INV_CONTROL_TEXT_BYTES - 1] = 0; /* whatever the page says */
	return whole;
}

bool inv_control_wants(const struct inv_control_rules *rules, enum inv_control_kind kind,
		       uint64_t hash)
{
	uint32_t count = inv_control_count(rules, kind);
	for (uint32_t i = 0; i < count; i++)
		if (rules->hash[kind][i] == hash)
			return true;
	return count == 0;
}

/* Where the text has its first free byte. It ends with a NUL: see inv_control_load. */
static size_t text_used(const struct inv_control_setting *setting)
{
	size_t at = 0;
	while (at < INV_CONTROL_TEXT_BYTES && setting->text[at])
		at += strlen(setting->text + at) + 1;
	return at;
}

const char *inv_control_name(const struct inv_control_setting *setting, enum inv_control_kind kind,
			     uint32_t at)
{
	size_t used = text_used(setting);
	if (at >= inv_control_count(&setting->rules, kind))
		return NULL;
	for (size_t i = 0; i < used; i += strlen(setting->text + i) + 1)
		if (setting->text[i] == kind_mark[kind] && at-- == 0)
			return setting->text + i + 1;
	return NULL;
}

/* ---- changing ----------------------------------------------------------------------- */

enum inv_result inv_control_add(struct inv_control_setting *setting, enum inv_control_kind kind,
				const char *name)
{
	struct inv_control_rules *rules = &setting->rules;
	uint32_t count = inv_control_count(rules, kind);
	size_t length = strlen(name), used = text_used(setting);
	uint64_t hash = inv_name_hash(name, length);
	if (count && inv_control_wants(rules, kind, hash))
		return INV_OK;
	if (count == INV_CONTROL_NAMES || length > INV_NAME_BYTES_MAX ||
	    used + length + 2 > INV_CONTROL_TEXT_BYTES)
		return INV_E_FULL;
	setting->text[used] = kind_mark[kind];
	memcpy(setting->text + used + 1, name, length + 1);
	rules->hash[kind][count] = hash;
	rules->counts += UINT64_C(1) << (8 * kind);
	return INV_OK;
}

void inv_control_publish(struct inv_control *page, const struct inv_control_setting *setting)
{
	const uint64_t *words = (const uint64_t *)setting;
	uint64_t next = atomic_load_explicit(&page->generation, memory_order_relaxed) + 1;
	struct inv_control_block *block = &page->block[next & 1];
#ifndef INV_TSAN
	/* [B13] release: the last generation before this block; pairs with read_words */
	atomic_thread_fence(memory_order_release);
#endif
	for (size_t i = 0; i < WORDS_ALL; i++)
		inv_word_store(&block->word[i], words[i]);
	/* [B12] release: the block before its generation; pairs with read_words */
	atomic_store_explicit(&page->generation, next, memory_order_release);
}
