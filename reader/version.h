/* SPDX-License-Identifier: MIT */
/*
 * version.h - the version that the program says it is.
 */
#ifndef INV_READER_VERSION_H
#define INV_READER_VERSION_H

#define INV_VERSION_TEXT "0.1.0"

#endif
