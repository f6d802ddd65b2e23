/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <math.h>
#include <string.h>

#include "utf8.h"

static const char PAIRS[201] = "00010203040506070809101112131415161718192021222324"
			       "25262728293031323334353637383940414243444546474849"
			       "50515253545556575859606162636465666768697071727374"
			       "75767778798081828384858687888990919293949596979899";

static unsigned digits_of(uint64_t v)
{
	unsigned n = 1;
	while (v >= 10000) {
		v /= 10000;
		n += 4;
	}
	return n + (v >= 10) + (v >= 100) + (v >= 1000);
}

char *inv_json_u64(char *p, uint64_t value)
{
	char *end = p + digits_of(value);
	char *at = end;
	while (value >= 100) {
		at -= 2;
		memcpy(at, PAIRS + (value % 100) * 2, 2);
		value /= 100;
	}
	if (value >= 10)
		memcpy(at - 2, PAIRS + value * 2, 2);
	else
		at[-1] = (char)('0' + value);
	return end;
}

char *inv_json_i64(char *p, int64_t value)
{
	if (value >= 0)
		return inv_json_u64(p, (uint64_t)value);
	*p++ = '-';
	return inv_json_u64(p, UINT64_C(0) - (uint64_t)value);
}

static char *six_digits(char *p, uint32_t v)
{
	memcpy(p, PAIRS + (v / 10000) * 2, 2);
	memcpy(p + 2, PAIRS + (v / 100 % 100) * 2, 2);
	memcpy(p + 4, PAIRS + (v % 100) * 2, 2);
	return p + 6;
}

/* Zeros at the end say nothing; one decimal stays, so that the number reads as a real. */
static char *cut_zeros(char *end)
{
	while (end[-1] == '0' && end[-2] != '.')
		end--;
	return end;
}

char *inv_json_ms(char *p, uint64_t ns)
{
	p = inv_json_u64(p, ns / 1000000);
	*p++ = '.';
	return cut_zeros(six_digits(p, (uint32_t)(ns % 1000000)));
}

char *inv_json_real(char *p, double value, int decimals)
{
	static const double SCALE[10] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	if (!isfinite(value) || fabs(value) >= 9e9)
		value = isfinite(value) ? copysign(9e9, value) : 0.0;
	if (value < 0 && value * SCALE[decimals] <= -0.5)
		*p++ = '-';
	uint64_t scaled = (uint64_t)(fabs(value) * SCALE[decimals] + 0.5);
	uint64_t one = (uint64_t)SCALE[decimals];
	p = inv_json_u64(p, scaled / one);
	*p++ = '.';
	char *start = p;
	char *end = inv_json_u64(p, scaled % one + one); /* a leading 1 keeps the zeros */
	memmove(start, start + 1, (size_t)(end - start - 1));
	if (decimals == 0)
		*start = '0', end++;
	return cut_zeros(end - 1);
}

/* Days since 1970-01-01 to a date (Howard Hinnant's civil_from_days). */
static void civil_date(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	unsigned of_era = (unsigned)(days - era * 146097);
	unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned shifted = (5 * of_year + 2) / 153;
	*day = of_year - (153 * shifted + 2) / 5 + 1;
	*month = shifted < 10 ? shifted + 3 : shifted - 9;
	*year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

static char *two(char *p, unsigned v, char after)
{
	memcpy(p, PAIRS + v * 2, 2);
	p[2] = after;
	return p + 3;
}

static void format_second(struct inv_json_clock *clock, int64_t second)
{
	int64_t days = second / 86400 - (second % 86400 < 0);
	unsigned of_day = (unsigned)(second - days * 86400);
	int64_t year;
	unsigned month, day;
	civil_date(days, &year, &month, &day);
	if (year < 0 || year > 9999)
		year = 9999;
	char *p = clock->text;
	memcpy(p, PAIRS + (year / 100) * 2, 2);
	p = two(p + 2, (unsigned)(year % 100), '-');
	p = two(p, month, '-');
	p = two(p, day, 'T');
	p = two(p, of_day / 3600, ':');
	p = two(p, of_day / 60 % 60, ':');
	two(p, of_day % 60, '.');
	clock->second = second;
	clock->valid = true;
}

char *inv_json_time(struct inv_json_clock *clock, char *p, int64_t realtime_ns)
{
	int64_t second = realtime_ns / 1000000000;
	int64_t rest = realtime_ns % 1000000000;
	if (rest < 0) {
		rest += 1000000000;
		second--;
	}
	if (second != clock->second || !clock->valid)
		format_second(clock, second);
	memcpy(p, clock->text, 20);
	p = six_digits(p + 20, (uint32_t)(rest / 1000));
	*p++ = 'Z';
	return p;
}

static char *escape_control(char *p, unsigned char c)
{
	static const char SHORT[32] = {[8] = 'b', [9] = 't', [10] = 'n', [12] = 'f', [13] = 'r'};
	static const char HEX[] = "0123456789abcdef";
	*p++ = '\\';
	if (c == '"' || c == '\\')
		*p++ = (char)c;
	else if (c < 32 && SHORT[c])
		*p++ = SHORT[c];
	else {
		memcpy(p, "u00", 3);
		p[3] = HEX[c >> 4];
		p[4] = HEX[c & 15];
		p += 5;
	}
	return p;
}

static bool plain(unsigned char c)
{
	return c >= 32 && c < 127 && c != '"' && c != '\\';
}

static size_t plain_run(const char *text, size_t length)
{
	size_t n = 0;
	while (n < length && plain((unsigned char)text[n]))
		n++;
	return n;
}

/* One character that is not plain. Returns: bytes used; *valid cleared when replaced. */
static size_t put_special(struct inv_buf *out, const char *text, size_t length, bool *valid)
{
	char *p = inv_buf_room(out, 8);
	size_t n = inv_utf8_length(text, length);
	if (n == 0) {
		memcpy(p, "\xef\xbf\xbd", 3);
		inv_buf_took(out, p + 3);
		*valid = false;
		return 1;
	}
	if (n == 1)
		inv_buf_took(out, escape_control(p, (unsigned char)*text));
	else {
		memcpy(p, text, n);
		inv_buf_took(out, p + n);
	}
	return n;
}

bool inv_json_string(struct inv_buf *out, const char *text, size_t length)
{
	bool valid = true;
	inv_buf_put(out, "\"", 1);
	while (length) {
		size_t n = plain_run(text, length);
		inv_buf_put(out, text, n);
		if (n < length)
			n += put_special(out, text + n, length - n, &valid);
		text += n;
		length -= n;
	}
	inv_buf_put(out, "\"", 1);
	return valid;
}

/* ---- objects ---------------------------------------------------------------- */

static void separate(struct inv_json *json)
{
	if (json->comma)
		inv_buf_put(json->out, ",", 1);
	json->comma = true;
}

void inv_json_open(struct inv_json *json, char bracket)
{
	separate(json);
	inv_buf_put(json->out, &bracket, 1);
	json->comma = false;
}

void inv_json_close(struct inv_json *json, char bracket)
{
	inv_buf_put(json->out, &bracket, 1);
	json->comma = true;
}

void inv_json_key(struct inv_json *json, const char *name)
{
	inv_json_key_text(json, name, strlen(name));
}

void inv_json_key_text(struct inv_json *json, const char *name, size_t length)
{
	separate(json);
	inv_json_string(json->out, name, length);
	inv_buf_put(json->out, ":", 1);
	json->comma = false;
}

void inv_json_put_text(struct inv_json *json, const char *text, size_t length)
{
	separate(json);
	inv_json_string(json->out, text, length);
}

void inv_json_put_str(struct inv_json *json, const char *text)
{
	inv_json_put_text(json, text, strlen(text));
}

void inv_json_put_u64(struct inv_json *json, uint64_t value)
{
	separate(json);
	inv_buf_took(json->out, inv_json_u64(inv_buf_room(json->out, INV_JSON_NUMBER_ROOM), value));
}

void inv_json_put_i64(struct inv_json *json, int64_t value)
{
	separate(json);
	inv_buf_took(json->out, inv_json_i64(inv_buf_room(json->out, INV_JSON_NUMBER_ROOM), value));
}

void inv_json_put_ms(struct inv_json *json, double ns)
{
	uint64_t whole = isfinite(ns) && ns > 0 && ns < 9e18 ? (uint64_t)(ns + 0.5) : 0;
	separate(json);
	inv_buf_took(json->out, inv_json_ms(inv_buf_room(json->out, INV_JSON_NUMBER_ROOM), whole));
}

void inv_json_put_real(struct inv_json *json, double value, int decimals)
{
	separate(json);
	char *p = inv_buf_room(json->out, INV_JSON_NUMBER_ROOM);
	inv_buf_took(json->out, inv_json_real(p, value, decimals));
}

void inv_json_put_bool(struct inv_json *json, bool value)
{
	separate(json);
	inv_buf_puts(json->out, value ? "true" : "false");
}

void inv_json_put_null(struct inv_json *json)
{
	separate(json);
	inv_buf_puts(json->out, "null");
}

void inv_json_put_time(struct inv_json *json, int64_t realtime_ns)
{
	struct inv_json_clock clock = {0};
	separate(json);
	char *p = inv_buf_room(json->out, INV_JSON_TIME_ROOM + 2);
	*p++ = '"';
	p = inv_json_time(&clock, p, realtime_ns);
	*p++ = '"';
	inv_buf_took(json->out, p);
}
