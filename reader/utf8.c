/* SPDX-License-Identifier: MIT */
#include "utf8.h"

struct range {
	uint32_t first, last;
};

#define NOT_A_LEAD 4u

static size_t tail_bytes(unsigned char lead)
{
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 3;
	return NOT_A_LEAD;
}

/* Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte. */
static int second_fits(unsigned char lead, unsigned char second)
{
	unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	return second >= low && second <= high;
}

size_t inv_utf8_length(const char *text, size_t length)
{
	const unsigned char *s = (const unsigned char *)text;
	if (length == 0)
		return 0;
	size_t tail = tail_bytes(s[0]);
	if (tail == NOT_A_LEAD || tail >= length)
		return 0;
	if (tail > 0 && !second_fits(s[0], s[1]))
		return 0;
	for (size_t i = 2; i <= tail; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return tail + 1;
}

static uint32_t decode(const unsigned char *s, size_t n)
{
	static const unsigned char MASK[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = s[0] & MASK[n];
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

static int in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return 1;
	return 0;
}

/* wcwidth(3) knows only the locale's characters, and LANG=C is common where this runs. */
static int width_of(uint32_t c)
{
	static const struct range WIDE[] = {
		{0x1100, 0x115f},   {0x2e80, 0x303e},	{0x3041, 0xa4cf},   {0xac00, 0xd7a3},
		{0xf900, 0xfaff},   {0xfe30, 0xfe6f},	{0xff00, 0xff60},   {0xffe0, 0xffe6},
		{0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
	static const struct range ZERO[] = {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},
					    {0x064b, 0x065f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
					    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
	if (c < 0x300)
		return 1;
	if (in_ranges(c, ZERO, sizeof(ZERO) / sizeof(ZERO[0])))
		return 0;
	return in_ranges(c, WIDE, sizeof(WIDE) / sizeof(WIDE[0])) ? 2 : 1;
}

/* C1 controls, zero-width joiners, direction overrides and separators could forge a line. */
static int harmless(uint32_t c)
{
	static const struct range BAD[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0x200b, 0x200f},
					   {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}};
	return !in_ranges(c, BAD, sizeof(BAD) / sizeof(BAD[0]));
}

size_t inv_utf8_next(const char *text, size_t length, int *width, int *printable)
{
	size_t n = inv_utf8_length(text, length);
	*width = 1;
	*printable = 0;
	if (n == 0)
		return 1;
	uint32_t c = decode((const unsigned char *)text, n);
	if (!harmless(c))
		return n;
	*printable = 1;
	*width = width_of(c);
	return n;
}
