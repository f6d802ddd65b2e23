/* SPDX-License-Identifier: MIT */
/*
 * children.h - INVREG_CHILDREN=ignore: the process that binds first is the one observed.
 *
 * A child by fork is told by record.h; an image that is executed has only its environment to
 * tell whether it is that process in a new image or a child of it, so the first binding writes
 * who it is behind the word: `ignore:PID:START`.
 */
#ifndef INV_PRELOAD_CHILDREN_H
#define INV_PRELOAD_CHILDREN_H

#include <stdbool.h>

#include "shm/proc.h"

/* For what this process will execute, which binds now. Returns: whether its children are ignored.
 */
bool inv_children_ignored(const struct inv_self *self);

/* Whether an observed process that ignores its children, and is not this one, executed us. */
bool inv_children_is_ignored(const struct inv_self *self);

#endif
