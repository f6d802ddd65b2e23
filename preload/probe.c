/* SPDX-License-Identifier: MIT */
/*
 * probe.c - a probe file: its bytes, its lines, its sections.
 *
 * libinih decides what each line is (comment, heading, key, further line of a value); this
 * file feeds it line by line and keeps the bytes, because libinih by itself
 *  - gives no line number and no column to its handler,
 *  - cuts a line at INI_MAX_LINE (200 in Debian's build) without a word,
 *  - ends a value at a ';' even inside quotes,
 *  - says nothing of a heading without keys.
 * So the reader callback strips the inline comment and hands over at most what fits; the
 * handler takes the value from the kept bytes, whatever its length. Setting ini_max_line was
 * the alternative: it exists in Debian's build only and is global to the process.
 *
 * The whole file is refused at its first error, by line: a session that observes half of what
 * was asked for is worse than a message.
 */
#include "preload/probe_parse.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/layout.h"

struct parser {
	const char *at; /* next byte to read */
	const char *end;
	struct inv_line line; /* the one that libinih is looking at */
	struct inv_section section;
	struct inv_probe_file *out;
	struct inv_probe_error *error;
	int result; /* first failure; ends the reading */
};

static int fail(struct parser *parser, uint32_t line, uint32_t column, const char *text)
{
	inv_error_set(parser->error, line, column, "%s", text);
	return -EINVAL;
}

/* ---- lines ------------------------------------------------------------------- */

/* Where the inline comment begins: at a ';' behind a space and outside double quotes. */
static size_t comment_start(const char *text, size_t length)
{
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\\' && quoted)
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (text[i] == ';' && !quoted && i > 0 && inv_is_space(text[i - 1]))
			return i;
	}
	return length;
}

static void take_line(struct parser *parser)
{
	const char *begin = parser->at, *text = begin;
	const char *newline = memchr(begin, '\n', (size_t)(parser->end - begin));
	const char *end = newline ? newline : parser->end;
	size_t length;

	parser->at = newline ? newline + 1 : parser->end;
	while (text < end && inv_is_space(*text))
		text++;
	length = comment_start(text, (size_t)(end - text));
	while (length && inv_is_space(text[length - 1]))
		length--;
	parser->line = (struct inv_line){.text = text,
					 .length = length,
					 .number = parser->line.number + 1,
					 .column = (uint32_t)(text - begin) + 1,
					 .indented = text > begin};
}

static bool continues(const struct parser *parser)
{
	return parser->line.indented && parser->section.count > 0;
}

/* ---- sections ---------------------------------------------------------------- */

static int end_section(struct parser *parser)
{
	struct inv_probe_file *out = parser->out;
	struct inv_probe *probes;
	int result;

	if (!parser->section.line)
		return 0;
	probes = realloc(out->probes, (out->count + 1) * sizeof(*probes));
	if (!probes)
		return -ENOMEM;
	out->probes = probes;
	result = inv_section_build(&parser->section, &probes[out->count], parser->error);
	if (!result)
		out->count++;
	inv_section_release(&parser->section);
	return result;
}

static int check_name(struct parser *parser, struct inv_cursor *cursor, const char *name,
		      size_t length)
{
	if (!length)
		return inv_cursor_fail(cursor, name, "expected a name: [probe NAME]");
	if (length >= sizeof(parser->section.name))
		return inv_cursor_fail(cursor, name, "the name of a probe has at most 63 bytes");
	for (uint32_t i = 0; i < parser->out->count; i++)
		if (inv_text_is(name, length, parser->out->probes[i].name))
			return inv_cursor_fail(
				cursor, name,
				"duplicate probe '%.*s': it is already given in line %u",
				(int)length, name, parser->out->probes[i].line);
	if (parser->out->count == INV_PROBE_FILE_MAX)
		return inv_cursor_fail(cursor, name, "at most %d probes", INV_PROBE_FILE_MAX);
	return 0;
}

/* Reads `[probe NAME]` into the section. */
static int read_heading(struct parser *parser, struct inv_cursor *cursor)
{
	const char *word, *name;
	size_t length;
	int result;

	inv_cursor_accept(cursor, "[");
	length = inv_cursor_word(cursor, &word);
	if (!inv_text_is(word, length, "probe"))
		return inv_cursor_fail(cursor, word, "unknown section: expected [probe NAME]");
	inv_cursor_skip_space(cursor);
	for (name = cursor->at; cursor->at < cursor->end && *cursor->at != ']'; cursor->at++)
		if (!inv_is_name_byte(*cursor->at))
			break;
	length = (size_t)(cursor->at - name);
	result = check_name(parser, cursor, name, length);
	if (result)
		return result;
	if (!inv_cursor_accept(cursor, "]"))
		return inv_cursor_fail(cursor, cursor->at,
				       "expected ']': the name of a probe has no spaces or quotes");
	if (!inv_cursor_at_end(cursor))
		return inv_cursor_fail(cursor, cursor->at, "unexpected text after ']'");
	memcpy(parser->section.name, name, length);
	return 0;
}

static int begin_section(struct parser *parser)
{
	const struct inv_line *line = &parser->line;
	struct inv_cursor cursor;
	int result = end_section(parser);

	if (result)
		return result;
	inv_cursor_init(&cursor, line->text, line->length, parser->error);
	result = read_heading(parser, &cursor);
	if (result) {
		parser->error->line = line->number;
		parser->error->column += line->column - 1;
		return result;
	}
	parser->section.line = line->number;
	parser->section.column = line->column;
	return 0;
}

/* ---- libinih ----------------------------------------------------------------- */

/*
 * ini_reader: the next line, without comment and cut to the buffer (the handler has the rest).
 * It always ends in a newline: without one, builds that grow their buffer would read on.
 */
static char *next_line(char *buffer, int size, void *context)
{
	struct parser *parser = context;
	size_t length, room = size > 3 ? (size_t)size - 3 : 0;
	bool heading;

	if (parser->result || parser->at == parser->end || !room)
		return NULL;
	take_line(parser);
	heading = parser->line.length && parser->line.text[0] == '[' && !continues(parser);
	if (heading)
		parser->result = begin_section(parser);
	if (parser->result)
		return NULL;
	if (heading) {
		strcpy(buffer, "[]\n");
		return buffer;
	}
	length = parser->line.length < room ? parser->line.length : room;
	buffer[0] = ' ';
	memcpy(buffer + parser->line.indented, parser->line.text, length);
	strcpy(buffer + parser->line.indented + length, "\n");
	return buffer;
}

static int take_entry(struct parser *parser)
{
	if (!parser->section.line)
		return fail(parser, parser->line.number, parser->line.column,
			    "a key outside of a section: expected [probe NAME] first");
	if (continues(parser))
		return inv_section_continue(&parser->section, &parser->line, parser->error);
	return inv_section_add(&parser->section, &parser->line, parser->error);
}

/* ini_handler: called for each key and each further line of its value. */
#if INI_HANDLER_LINENO
static int handle(void *context, const char *section, const char *name, const char *value, int line)
#else
static int handle(void *context, const char *section, const char *name, const char *value)
#endif
{
	struct parser *parser = context;

	if (!parser->result)
		parser->result = take_entry(parser);
	return parser->result == 0;
}

/* The line that libinih could not read; it goes on after it, so it is looked up again. */
static int refuse_line(struct parser *parser, const char *bytes, uint32_t number)
{
	parser->at = bytes;
	parser->line.number = 0;
	while (parser->line.number < number && parser->at < parser->end)
		take_line(parser);
	return fail(parser, number, parser->line.column,
		    "expected KEY = VALUE, [probe NAME], or a comment after ';' or '#'");
}

static int parse_lines(struct parser *parser, const char *bytes)
{
	int bad_line;

	parser->at = bytes;
	bad_line = ini_parse_stream(next_line, parser, handle, parser);
	if (bad_line == -2)
		return -ENOMEM;
	if (bad_line > 0 && (!parser->result || (uint32_t)bad_line < parser->line.number))
		return refuse_line(parser, bytes, (uint32_t)bad_line);
	if (!parser->result)
		parser->result = end_section(parser);
	if (!parser->result && !parser->out->count)
		return fail(parser, 1, 1, "no probe: expected a section [probe NAME]");
	return parser->result;
}

/* ---- bytes ------------------------------------------------------------------- */

/* FNV-1a, 64 bits: Fowler, Noll, Vo; RFC 9923. It tells files apart, it does not protect. */
static uint64_t hash_bytes(const char *bytes, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return hash;
}

static int refuse_nul(struct parser *parser, const char *bytes, const char *nul)
{
	uint32_t line = 1;
	const char *begin = bytes;

	for (const char *at = bytes; at < nul; at++) {
		if (*at == '\n') {
			line++;
			begin = at + 1;
		}
	}
	return fail(parser, line, (uint32_t)(nul - begin) + 1,
		    "a byte of value 0: expected a text file");
}

static int parse(struct parser *parser, const char *bytes, size_t length)
{
	const char *nul;

	if (length > INV_PROBE_BYTES_MAX)
		return fail(parser, 0, 0, "the file is too large: at most 1 MB");
	parser->out->hash = hash_bytes(bytes, length);
	parser->end = bytes + length;
	if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		bytes += 3; /* an editor's byte order mark is in no column */
	nul = memchr(bytes, '\0', (size_t)(parser->end - bytes));
	return nul ? refuse_nul(parser, bytes, nul) : parse_lines(parser, bytes);
}

static void copy_path(char out[512], const char *path)
{
	snprintf(out, 512, "%s", path);
}

int inv_probe_file_parse(struct inv_probe_file *out, const char *path, const char *bytes,
			 size_t length, struct inv_probe_error *error)
{
	struct inv_probe_error ignored;
	struct parser *parser = calloc(1, sizeof(*parser));
	int result = -ENOMEM;

	if (!error)
		error = &ignored;
	memset(out, 0, sizeof(*out));
	memset(error, 0, sizeof(*error));
	copy_path(out->path, path);
	copy_path(error->path, path);
	if (parser) {
		parser->out = out;
		parser->error = error;
		result = parse(parser, length ? bytes : "", length);
		inv_section_release(&parser->section);
	}
	if (result == -ENOMEM)
		inv_error_set(error, 0, 0, "out of memory");
	free(parser);
	if (result)
		inv_probe_file_free(out);
	return result;
}

/* Reads up to size bytes. Returns: how many, or -errno. */
static ssize_t read_bytes(int fd, char *bytes, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, bytes + used, size - used);

		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			used += (size_t)got;
	}
	return (ssize_t)used;
}

/* A FIFO is not waited for: this runs before the observed program does. Returns: fd or -errno. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && !S_ISFIFO(st.st_mode))
		return fd;
	close(fd);
	return -ESPIPE;
}

/* Returns: the bytes, malloc'ed and one more than the limit at most; or NULL with *result. */
static char *load(const char *path, ssize_t *result)
{
	int fd = open_file(path);
	char *bytes;

	if (fd < 0) {
		*result = fd;
		return NULL;
	}
	bytes = malloc(INV_PROBE_BYTES_MAX + 1);
	*result = bytes ? read_bytes(fd, bytes, INV_PROBE_BYTES_MAX + 1) : -ENOMEM;
	close(fd);
	if (*result < 0) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

int inv_probe_file_read(struct inv_probe_file *out, const char *path, struct inv_probe_error *error)
{
	int saved = errno, result;
	ssize_t length;
	char *bytes = load(path, &length);

	if (bytes) {
		result = inv_probe_file_parse(out, path, bytes, (size_t)length, error);
		free(bytes);
	} else {
		result = (int)length;
		memset(out, 0, sizeof(*out));
		if (error)
			copy_path(error->path, path);
		inv_error_set(error, 0, 0, "cannot read the file: %s",
			      result == -ESPIPE ? "it is a FIFO" : strerror(-result));
	}
	errno = saved;
	return result;
}

void inv_probe_file_free(struct inv_probe_file *file)
{
	for (uint32_t i = 0; i < file->count; i++)
		inv_probe_release(&file->probes[i]);
	free(file->probes);
	memset(file, 0, sizeof(*file));
}

const char *inv_probe_field_name(enum inv_field field)
{
	static const char *const names[INV_FIELD_COUNT] = {
		[INV_FIELD_TICK] = "tick",
		[INV_FIELD_INVOKER] = "invoker_id",
		[INV_FIELD_ARTIFACT] = "artifact_id",
		[INV_FIELD_METHOD] = "method",
		[INV_FIELD_ARGS_COUNT] = "args_count",
		[INV_FIELD_ERROR_MESSAGE] = "error_message",
		[INV_FIELD_RESULT_TYPE] = "result_type",
		[INV_FIELD_ERROR_TYPE] = "error_type",
	};
	return names[field];
}

void inv_probe_describe(struct inv_probe_row *row, const struct inv_probe *probe)
{
	memset(row, 0, sizeof(*row));
	snprintf(row->name, sizeof(row->name), "%s", probe->name);
	snprintf(row->target, sizeof(row->target), "%s", probe->target);
	snprintf(row->signature, sizeof(row->signature), "%s", probe->signature_text);
	snprintf(row->success, sizeof(row->success), "%s", probe->success_text);
	snprintf(row->result_type, sizeof(row->result_type), "%s", probe->signature.result_text);
}
