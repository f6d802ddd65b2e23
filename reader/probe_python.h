/* SPDX-License-Identifier: MIT */
/*
 * probe_python.h - what `invreg probe` runs in the program's interpreter.
 *
 * The text of reader/probe_python, made part of the program when it is built: there is no file
 * to be found at run time. What it takes and answers is in its first part.
 */
#ifndef INV_READER_PROBE_PYTHON_H
#define INV_READER_PROBE_PYTHON_H

extern const char inv_probe_python[]; /* NUL-terminated */

/* Before an answer on its standard output; what stands before it is not ours. */
#define INV_PROBE_PYTHON_MARK "\001invreg\001"

#endif
