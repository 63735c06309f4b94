/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One entry of the log, for an administrator who looks for a fault: the name of an event, and fields with
 * their types. No field can hold a text, so no secret and no address gets in (DESIGN 6.5): a word comes from
 * a list in log_entry.c, an id is the 16 bytes of a GUID, an account the hash that the audit log has for it.
 */
#ifndef THUNDERSEAL_CORE_LOG_ENTRY_H
#define THUNDERSEAL_CORE_LOG_ENTRY_H

#include "core/guid.h"
#include "core/problem.h"
#include <stdint.h>

#define LOG_TEXT_MAX 1024    /* an entry with every field stays below half of it */
#define LOG_JOURNAL_MAX 2048 /* the same: the fields stand twice in a datagram */
#define LOG_HASH_BYTES 16

/* From what somebody must act on to what only a debugging person reads. */
enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

/* Names on the wire, and at which level. Those that the audit log has too are called the same there. */
#define LOG_EVENTS(X)                                                                                        \
    X(LOG_STARTED, "started", LEVEL_INFO)                                                                    \
    X(LOG_ENDED, "ended", LEVEL_INFO)                                                                        \
    X(LOG_SETTINGS_REFUSED, "settings-refused", LEVEL_WARNING) /* count: warnings about the configuration */ \
    X(LOG_ACCOUNT_ADDED, "account-added", LEVEL_INFO)                                                        \
    X(LOG_ACCOUNT_CHANGED, "account-changed", LEVEL_INFO)                                                    \
    X(LOG_ACCOUNT_REMOVED, "account-removed", LEVEL_INFO)                                                    \
    X(LOG_ACCOUNT_FORGOTTEN, "account-forgotten", LEVEL_INFO)                                                \
    X(LOG_SIGN_IN_STARTED, "sign-in-started", LEVEL_INFO)                                                    \
    X(LOG_SIGN_IN_REFUSED, "sign-in-refused", LEVEL_WARNING) /* a try that failed; the sign-in goes on */    \
    X(LOG_SIGNED_IN, "signed-in", LEVEL_INFO)                                                                \
    X(LOG_SIGN_IN_FAILED, "sign-in-failed", LEVEL_WARNING)                                                   \
    X(LOG_IMPORTED, "imported", LEVEL_INFO)                                                                  \
    X(LOG_IMPORT_FAILED, "import-failed", LEVEL_WARNING)                                                     \
    X(LOG_SIGNED_OUT, "signed-out", LEVEL_INFO)                                                              \
    X(LOG_RENEWED, "renewed", LEVEL_INFO)                                                                    \
    X(LOG_RENEWAL_FAILED, "renewal-failed", LEVEL_WARNING)                                                   \
    X(LOG_TOKEN_HANDED_OVER, "token-handed-over", LEVEL_INFO) /* the first of a resource in a process */     \
    X(LOG_NOT_SAVED, "not-saved", LEVEL_ERROR)                                                               \
    X(LOG_VAULT_DAMAGED, "vault-damaged", LEVEL_ERROR)                                                       \
    X(LOG_VAULT_LOCKED, "vault-locked", LEVEL_WARNING)                                                       \
    X(LOG_VAULT_UNLOCKED, "vault-unlocked", LEVEL_INFO)                                                      \
    X(LOG_KEY_CHANGED, "key-changed", LEVEL_INFO)                                                            \
    X(LOG_HEALTH_CHECKED, "health-checked", LEVEL_INFO)                                                      \
    X(LOG_REQUEST, "request", LEVEL_DEBUG)                                                                   \
    X(LOG_REQUEST_REFUSED, "request-refused", LEVEL_DEBUG)                                                   \
    X(LOG_TOKEN_GIVEN, "token-given", LEVEL_DEBUG) /* what: from the cache or renewed */                     \
    X(LOG_STATE, "state", LEVEL_DEBUG)                                                                       \
    X(LOG_LOCK_AWAITED, "lock-awaited", LEVEL_DEBUG)                                                         \
    X(LOG_LOCK_HELD, "lock-held", LEVEL_DEBUG)                                                               \
    X(LOG_LOCK_RELEASED, "lock-released", LEVEL_DEBUG)                                                       \
    X(LOG_TOKEN_REQUEST, "token-request", LEVEL_DEBUG)                                                       \
    X(LOG_TOKEN_ANSWER, "token-answer", LEVEL_DEBUG)                                                         \
    X(LOG_SAVED, "saved", LEVEL_DEBUG)                                                                       \
    X(LOG_TIMER, "timer", LEVEL_DEBUG)                                                                       \
    X(LOG_CLOCK_CHANGED, "clock-changed", LEVEL_DEBUG)                                                       \
    X(LOG_NETWORK_CHANGED, "network-changed", LEVEL_DEBUG)

#define LOG_EVENT_NUMBER(number, name, level) number,
enum log_event { LOG_EVENTS(LOG_EVENT_NUMBER) LOG_EVENT_COUNT };
#undef LOG_EVENT_NUMBER

/* A word of the list; zeroed: none. */
struct log_word {
    unsigned index;
};

/* What stands for an address; zeroed: none. */
struct log_hash {
    unsigned char bytes[LOG_HASH_BYTES];
};

/* A field that is zero is absent. */
#define LOG_FIELDS(X)                                                                                        \
    X(struct log_hash, account)                                                                              \
    X(struct log_word, resource)                                                                             \
    X(struct log_word, method)                                                                               \
    X(struct log_word, state)                                                                                \
    X(struct log_word, rpc_method)                                                                           \
    X(struct log_word, what)                                                                                 \
    X(struct log_word, by)                                                                                   \
    X(enum problem_kind, kind)                                                                               \
    X(struct log_word, stage)                                                                                \
    X(int64_t, http_status)                                                                                  \
    X(int64_t, aadsts)                                                                                       \
    X(int64_t, exit_status)                                                                                  \
    X(int64_t, count)                                                                                        \
    X(int64_t, seconds)                                                                                      \
    X(int64_t, milliseconds)                                                                                 \
    X(struct guid, request_id)     /* client-request-id: what Entra's sign-in log calls correlation id */    \
    X(struct guid, correlation_id) /* that an error of the identity provider names, if it is another */

struct log_entry {
    enum log_event event;
    bool repeated; /* told before: one level lower */
#define LOG_MEMBER(type, name) type name;
    LOG_FIELDS(LOG_MEMBER)
#undef LOG_MEMBER
};

/* The word, or none when the list has no such. NULL is none. */
struct log_word log_word_of(const char *text);
/* The hash of its 32 hexadecimal digits, or none. */
struct log_hash log_hash_of(const char *hex);
/* The event of that name; false when there is none. */
bool log_event_of(const char *name, enum log_event *event);
/* Kind, stage, AADSTS number and correlation id of a problem. request_id counts: set it before. */
void log_entry_problem(struct log_entry *entry, const struct problem *problem);

enum log_level log_entry_level(const struct log_entry *entry);
/* "error" … "debug". */
const char *log_level_name(enum log_level level);
/* false: no level is called so. */
bool log_level_of(const char *name, enum log_level *level);

/* "renewed account=… milliseconds=12", without a newline. Its length. */
size_t log_entry_text(char text[LOG_TEXT_MAX], const struct log_entry *entry);
/* A datagram of systemd's journal: FIELD=value lines (systemd, "Native Journal Protocol"). Its length. */
size_t log_entry_journal(char datagram[LOG_JOURNAL_MAX], const struct log_entry *entry);

#endif
