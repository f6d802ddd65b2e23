/* SPDX-License-Identifier: MIT */
/*
 * cxx_name.h - the readable name of a C++ type, from its mangled one.
 *
 * Types that are thrown are classes and builtins: `St13runtime_error`, `N3sim7TimeoutE`,
 * `i`. Those are all that is understood; anything else (templates, local classes) keeps its
 * mangled name. __cxa_demangle of the program was rejected: it allocates, and would be
 * called while an exception is in flight.
 */
#ifndef INV_PRELOAD_CXX_NAME_H
#define INV_PRELOAD_CXX_NAME_H

#include <stddef.h>

/*
 * Writes the name to out[size], NUL-terminated; what does not fit is cut.
 * Returns: its length.
 */
size_t inv_cxx_name(const char *mangled, size_t length, char *out, size_t size);

#endif
