/* SPDX-License-Identifier: MIT */
/* target.h - one function of each class of prototype; see target.c. */
#ifndef PROTOTYPES_TARGET_H
#define PROTOTYPES_TARGET_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct pair {
	int32_t a;
	double b;
};
struct floats {
	float x, y, z;
};
struct big {
	int64_t v[5];
};
struct nested {
	int8_t tag;
	struct pair pair;
	const char *text;
};

int p_registers(void *p, const char *who, int n);
int p_seven(int a, int b, int c, int d, int e, int f, int g);
double p_nine_floats(double a, double b, double c, double d, double e, double f, double g, double h,
		     double i);
int64_t p_mixed(int8_t a, double b, int16_t c, float d, int64_t e, double f, uint8_t g, double h,
		uint16_t i, double j, uint32_t k, bool l, const char *who, int n);
struct pair p_pair_out(int n);
int p_pair_in(struct pair p, const char *who);
struct floats p_floats(struct floats f, float k);
struct big p_big(struct big b, int n);
struct nested p_nested(struct nested n);
long double p_long_double(long double x, int n);
int p_long_double_in(int a, long double x, int b);
int p_variadic(const char *who, int n, ...);
double p_variadic_floats(int n, ...);
float p_float_stack(float a, float b, float c, float d, float e, float f, float g, float h, float i,
		    float j);
void p_void_stack(int *out, int b, int c, int d, int e, int f, int g);
int8_t p_narrow(int a, int b, int c, int d, int e, int f, int8_t g);
bool p_bool(int a, int b, int c, int d, int e, int f, bool g);
uint64_t p_sixteen(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k,
		   int l, int m, int n, int o, uint64_t p);

#endif
