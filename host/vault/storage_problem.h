/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a failed system call means to the user: PROBLEM_STORAGE with a cause and a next step in plain words.
 */
#ifndef THUNDERSEAL_VAULT_STORAGE_PROBLEM_H
#define THUNDERSEAL_VAULT_STORAGE_PROBLEM_H

#include "core/problem.h"

/* Room for two paths and a sentence; problem_set cuts what is longer than a problem holds. */
#define STORAGE_TEXT_MAX (2 * 4096 + 512)

/* path could not be <done> ("written", "read", "removed": a text) because of the errno. */
void storage_problem(struct problem *problem, const char *done TEXTS, const char *path, int error);

#endif
