/* SPDX-License-Identifier: MIT */
/*
 * stubs.h - sixty-four of something: X(000) to X(077), the numbers octal.
 *
 * For families of static stubs, one for each probe (INV_PROBE_FILE_MAX) or binding.
 */
#ifndef INV_PRELOAD_STUBS_H
#define INV_PRELOAD_STUBS_H

#define INV_EIGHT(X, d) X(d##0) X(d##1) X(d##2) X(d##3) X(d##4) X(d##5) X(d##6) X(d##7)
#define INV_SIXTY_FOUR(X)                                                                          \
	INV_EIGHT(X, 00)                                                                           \
	INV_EIGHT(X, 01)                                                                           \
	INV_EIGHT(X, 02)                                                                           \
	INV_EIGHT(X, 03)                                                                           \
	INV_EIGHT(X, 04)                                                                           \
	INV_EIGHT(X, 05)                                                                           \
	INV_EIGHT(X, 06)                                                                           \
	INV_EIGHT(X, 07)

#endif
