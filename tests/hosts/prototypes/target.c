/* SPDX-License-Identifier: MIT */
/*
 * target.c - functions whose results depend on every argument, so that one that is passed
 * on wrongly shows. errno is set too: it must survive the wrapper.
 */
#include "target.h"

#include <errno.h>
#include <string.h>

int p_registers(void *p, const char *who, int n)
{
	errno = n;
	return (p != NULL) * 100 + (int)strlen(who) + n;
}

int p_seven(int a, int b, int c, int d, int e, int f, int g)
{
	errno = g;
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g;
}

double p_nine_floats(double a, double b, double c, double d, double e, double f, double g, double h,
		     double i)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i;
}

int64_t p_mixed(int8_t a, double b, int16_t c, float d, int64_t e, double f, uint8_t g, double h,
		uint16_t i, double j, uint32_t k, bool l, const char *who, int n)
{
	return a + (int64_t)(b * 2) + 3 * c + (int64_t)(d * 4) + 5 * e + (int64_t)(f * 6) + 7 * g +
	       (int64_t)(h * 8) + 9 * i + (int64_t)(j * 10) + 11 * (int64_t)k + 12 * l +
	       13 * (int64_t)strlen(who) + 14 * n;
}

struct pair p_pair_out(int n)
{
	return (struct pair){n * 3, n * 0.25};
}

int p_pair_in(struct pair p, const char *who)
{
	return p.a + (int)(p.b * 4) + (int)strlen(who);
}

struct floats p_floats(struct floats f, float k)
{
	return (struct floats){f.x * k, f.y * k, f.z * k};
}

struct big p_big(struct big b, int n)
{
	for (int i = 0; i < 5; i++)
		b.v[i] = b.v[i] * n + i;
	return b;
}

struct nested p_nested(struct nested n)
{
	n.tag = (int8_t)-n.tag;
	n.pair.a += 1;
	n.pair.b *= 2;
	n.text++;
	return n;
}

long double p_long_double(long double x, int n)
{
	return x / 3 + n;
}

int p_long_double_in(int a, long double x, int b)
{
	return a + (int)(x * 8) + b;
}

int p_variadic(const char *who, int n, ...)
{
	va_list args;
	int sum = (int)strlen(who);
	va_start(args, n);
	for (int i = 0; i < n; i++)
		sum += (i + 1) * va_arg(args, int);
	va_end(args);
	return sum;
}

double p_variadic_floats(int n, ...)
{
	va_list args;
	double sum = 0;
	va_start(args, n);
	for (int i = 0; i < n; i++)
		sum += (i + 1) * va_arg(args, double);
	va_end(args);
	return sum;
}

float p_float_stack(float a, float b, float c, float d, float e, float f, float g, float h, float i,
		    float j)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}

void p_void_stack(int *out, int b, int c, int d, int e, int f, int g)
{
	*out = b + 2 * c + 3 * d + 4 * e + 5 * f + 6 * g;
}

int8_t p_narrow(int a, int b, int c, int d, int e, int f, int8_t g)
{
	return (int8_t)(a + b + c + d + e + f - g);
}

bool p_bool(int a, int b, int c, int d, int e, int f, bool g)
{
	return (a + b + c + d + e + f) % 2 == g;
}

uint64_t p_sixteen(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k,
		   int l, int m, int n, int o, uint64_t p)
{
	int all[] = {a, b, c, d, e, f, g, h, i, j, k, l, m, n, o};
	uint64_t sum = p;
	for (unsigned at = 0; at < sizeof(all) / sizeof(*all); at++)
		sum = sum * 31 + (uint64_t)all[at];
	return sum;
}
