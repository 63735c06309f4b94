/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Scopes (RFC 6749 section 3.3) in Entra's form "resource/Permission". Lists are one string, separated by
 * single blanks, as they stand in a request. Scopes are compared without case: Entra answers in its own
 * (FACTS 1.3).
 */
#ifndef THUNDERSEAL_CORE_SCOPE_H
#define THUNDERSEAL_CORE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#define SCOPE_SIZE 256       /* one scope with its NUL: Entra's longest are under 100 */
#define SCOPE_LIST_SIZE 1024 /* a list with its NUL: all mail and Graph permissions we know take 500 */
#define RESOURCE_SIZE 256    /* a resource URL with its NUL */

/* A scope-token of the RFC, at most SCOPE_SIZE - 1 bytes. */
bool scope_valid(const char *scope);
/* openid, profile, email, offline_access: they belong to no resource. */
bool scope_is_openid(const char *scope);
/* The resource of "https://host/Permission" into resource; false for a bare name. */
bool scope_resource(char resource[RESOURCE_SIZE], const char *scope);

bool scope_list_contains(const char *list, const char *scope);
/* Appends unless it is in there. 0, or -1 when the list is full. */
int scope_list_add(char list[SCOPE_LIST_SIZE], const char *scope);
/* Takes the first scope off *rest into scope; false at the end. Overlong ones are skipped. */
bool scope_list_next(const char **rest, char scope[SCOPE_SIZE]);
/* Those of list that belong to resource into out (which may not be list). */
void scope_list_of_resource(char out[SCOPE_LIST_SIZE], const char *list, const char *resource);
/* How many resources the list spans, counted up to most + 1. */
size_t scope_list_resources(const char *list, size_t most);
/* Those of wanted that list lacks, openid ones aside, into out. */
void scope_list_missing(char out[SCOPE_LIST_SIZE], const char *list, const char *wanted);

#endif
