/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A simulator of the identity machine. One world is one identity: a machine with two host processes that
 * share a disk copy and a lock, its users, and a model of Microsoft's identity provider, for many days of
 * virtual time. Nothing in it waits, nothing is random but by the seed, so every failure can be replayed.
 */
#ifndef THUNDERSEAL_SIM_H
#define THUNDERSEAL_SIM_H

#include "books.h"

#define SECOND ((int64_t)1000) /* time in the simulator is true time in milliseconds */
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define NEVER INT64_MAX
#define EPOCH ((int64_t)1800000000) /* Unix seconds when a run starts: a Friday */

#define PROCESSES 2         /* Thunderbird's host, and the command line or a second profile's host */
#define PENDING_MAX 16      /* token.get in flight in one process */
#define WIRE_MAX 8          /* token requests under way, those of dead processes too */
#define FAILURES_AN_HOUR 40 /* backing off, it is about twenty */
#define FAMILIES_MAX 512
#define SIGN_INS_MAX 1024
#define REQUEST_DEADLINE (7500 * SECOND / 1000) /* the shell's, so that it answers within 8 s */
#define TRANSPORT_TIMEOUT (20 * SECOND)
#define CLIENT_ID "11111111-2222-3333-4444-555555555555"

/* --- random.c --- */
struct random {
    uint64_t state;
};
uint64_t random_next(struct random *random);
/* From low to high, both included. */
int64_t random_between(struct random *random, int64_t low, int64_t high);
bool random_chance(struct random *random, double probability);
/* Exponential with this mean, at least 1. */
int64_t random_after(struct random *random, double mean);

/* --- queue.c: what happens when; at the same time in the order of asking --- */
enum what {
    SESSION_START,
    SESSION_END,
    CONDITION,
    ACCOUNT_TROUBLE,
    CLOCK_JUMP,
    COMMAND,
    PROCESS_START,
    /* From here on: of one process, and only while it lives and its machine is awake. */
    PROCESS_STOP,
    MAIL_CHECK,
    WAKE,
    DEADLINE,
    CANCEL,
    LOCK_TRY,
    NOTICE,
    ANSWER,
    USER_SIGN_IN,
    REDIRECT,
    SIGN_IN_DEADLINE,
    ARRIVAL /* at the provider: of nobody here */
};
struct entry {
    int64_t at;
    uint64_t order;
    enum what what;
    int process;
    uint64_t instance; /* of the process */
    int64_t value;
};
struct queue {
    struct entry *entries; /* owned; a binary heap */
    size_t count, capacity;
    uint64_t order;
};
void queue_add(struct queue *queue, struct entry entry);
bool queue_take(struct queue *queue, struct entry *entry);
void queue_free(struct queue *queue);

/* --- one host process --- */
struct pending {
    uint64_t request; /* 0: free */
    enum resource resource;
    int64_t asked_at, min_ttl;
    bool rejecting, when_due, anyway;
    int64_t rejected; /* the token's index */
};
/* A 4xx answer, and of which grant's request. */
struct refusal {
    int64_t at; /* 0: none */
    int64_t sent_at;
    int64_t wall; /* when it came, as that process has it */
    uint64_t serial;
};
/* What was sent and answered for a resource, to find loops. */
struct history {
    int64_t sent_at[2];
    int64_t retry_after; /* true time before which the provider asked not to be asked */
    struct refusal refusal;
    int64_t fresh[6]; /* when tokens with an ordinary life came */
    int64_t failed_at[FAILURES_AN_HOUR];
    int64_t last_handed; /* token index + 1 */
    int64_t credit_at;   /* when the user or a start asked for another try; 0: answered */
};
struct process {
    bool alive, stopping, native;
    uint64_t instance;
    struct identity identity;
    struct effects effects;
    uint64_t seen_generation;
    bool seen_file, lock_wanted, locking; /* locking: it has the lock and is about to tell the core */
    int64_t started_at, wake_at, woken_at;
    uint64_t wake;
    int wakes_in_a_row;
    uint32_t family; /* of the grant held, + 1 */
    struct pending pending[PENDING_MAX];
    struct history history[RESOURCES];
    int64_t sign_in;        /* open at the client: its index + 1 */
    int64_t sign_in_before; /* while a second one is started */
    int retries_told;
    bool sign_in_planned, signing_out;
    uint32_t
        unsaved_family; /* + 1: of a renewal that could not be saved since the last good write; 0: none */
};

struct disk {
    bool exists, round_trip; /* through the record as the vault keeps it */
    uint64_t generation;
    struct identity copy; /* what is kept of it */
    struct secret payload;
    uint32_t family, number; /* family + 1 */
    uint64_t serial, grant_serial;
};

enum habit { HABIT_ALWAYS_ON, HABIT_OFFICE, HABIT_EVENINGS };

struct totals {
    uint64_t identities, events, asks, requests, renewals, crashes, strict_losses, losses_unsaved;
    uint64_t sign_ins, sign_outs, causes[CAUSES], answered_with_problem;
    double ideal;
};

struct world {
    uint64_t seed;
    int index;
    struct random random;
    struct queue queue;
    int64_t now, end;
    /* machine */
    bool awake;
    enum habit habit;
    bool second_profile, uses_graph;
    bool powered_off;
    int64_t boot, wakes_at, clock_offset, woke_at, jumped_at;
    double drift;
    uint32_t clock_jumps;
    /* users */
    uint64_t last_request;
    struct sign_in_attempt sign_ins[SIGN_INS_MAX];
    int64_t sign_in_count, signed_in_at;
    /* shared */
    struct process processes[PROCESSES];
    uint64_t instances; /* processes started so far */
    struct disk disk;
    int lock_holder; /* -1: nobody */
    /* provider */
    bool strict;
    bool no_locks; /* the home directory is on a file system that knows none: both always get them */
    struct family families[FAMILIES_MAX];
    uint32_t family_count;
    struct token *tokens; /* owned */
    int64_t token_count, token_capacity;
    struct wire wires[WIRE_MAX];
    const struct wire *answering; /* while its answer is delivered */
    bool conditions[CONDITIONS];
    int64_t condition_ended[CONDITIONS];
    int64_t trouble_at; /* when a request last met one */
    struct refusal refusals_on_disk[RESOURCES];
    /* load */
    int64_t ideal_until[RESOURCES];
    double ideal;
    uint64_t requests, excused_requests;

    struct totals *totals;
    bool tracing, verbose;
    bool failed;
    char rule[256];
    int64_t failed_at;
};

/* --- world.c: machines and users --- */
void world_open(struct world *world, uint64_t seed, int index, int days, struct totals *totals);
/* Until the end, or until a rule is broken. */
void world_run(struct world *world);
void world_close(struct world *world);
void later(struct world *world, int64_t delay, enum what what, int process, int64_t value);
void network_changed_for_all(struct world *world);
void tell_time(struct world *world);

/* --- conditions.c: what goes wrong around, and when --- */
void conditions_start(struct world *world);
void condition_toggle(struct world *world, enum condition condition);
void account_trouble(struct world *world);
void clock_jump(struct world *world);

/* --- user.c, signing_in.c --- */
void mail_check(struct world *world, int process);
void request_ends(struct world *world, int process, uint64_t request, bool cancelled);
/* "Renew now", whatever there is. */
void renew_anyway(struct world *world, int process);
/* A reply or a notification with a problem; some only the user can solve. */
void user_is_told(struct world *world, int process, const struct problem *problem);
void user_signs_in(struct world *world, int process);
void user_redirected(struct world *world, int process, int64_t sign_in);
void sign_in_expired(struct world *world, int process, int64_t sign_in);
void command_run(struct world *world, bool sign_out_now);

/* --- host.c, process.c: the shell around the core --- */
struct moment world_moment(const struct world *world);
void process_start(struct world *world, int process, bool native);
/* End of input: asked for nothing more, it ends when what it sent is answered. */
void process_stop(struct world *world, int process);
void process_die(struct world *world, int process);
void deliver(struct world *world, int process, struct event *event);
void deliver_plain(struct world *world, int process, enum event_kind kind);
void notice(struct world *world, int process);
void lock_try(struct world *world, int process);
void unlock(struct world *world, int process);
void see_removed(struct world *world, int process);
/* Nothing on the wire, nothing being saved. */
bool at_rest(const struct identity *identity);

/* --- disk.c --- */
enum write_result { WRITTEN, WRITE_CONFLICT, WRITE_GONE, WRITE_FAILED };
enum write_result disk_write(struct world *world, int process);
/* The copy, for EVENT_REPLACED; identity_clear it. */
void disk_read(struct world *world, int process, struct identity *copy);
void disk_remove(struct world *world, int process);

/* --- provider.c --- */
uint32_t provider_new_family(struct world *world, bool wrong_account, int64_t last_used);
/* What concerns every request alike. True when it came to nothing. */
bool provider_in_trouble(struct world *world, struct reply *reply);
void provider_refresh(struct world *world, struct wire *wire);
void provider_redeem(struct world *world, struct wire *wire);
/* Whether a refresh with this token would be answered well now. */
bool provider_accepts(const struct world *world, uint32_t family, uint32_t number, enum resource resource);
int64_t provider_issue(struct world *world, uint32_t family, enum resource resource);

/* --- network.c --- */
void network_send(struct world *world, int process);
void network_arrival(struct world *world, int wire);
void network_answer(struct world *world, int wire);
/* The process is dead: nobody will take its answers. */
void network_forget(struct world *world, int process);

/* --- wording.c: tokens as text, answers as JSON --- */
#define TOKEN_TEXT 32
void refresh_token_text(char text[TOKEN_TEXT], const struct world *world, uint32_t family, uint32_t number);
bool refresh_token_read(const struct world *world, const struct secret *secret, uint32_t *family,
                        uint32_t *number);
void access_token_text(char text[TOKEN_TEXT], const struct world *world, int64_t token);
/* The token's index, or -1 when it was not issued to this identity. */
int64_t access_token_read(const struct world *world, const struct secret *secret);
void answer_make(struct world *world, const struct wire *wire, struct token_answer *answer);

/* --- invariants.c, handed_out.c, written.c, load.c --- */
void fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What a step must not change, as it was before. */
struct glance {
    uint64_t serial, renewals;
    enum problem_kind dead;
    uint32_t family; /* + 1 */
    bool suspended[IDENTITY_RESOURCES_MAX];
    enum problem_kind problems[IDENTITY_RESOURCES_MAX];
};
void glance_take(struct glance *glance, const struct world *world, int process);
void check_step(struct world *world, int process, const struct event *event, const struct glance *before);
/* After a step and all that followed from it. */
void check_at_rest(struct world *world, int process);
void check_reply_token(struct world *world, int process, const struct pending *pending,
                       const struct effect *effect, enum event_kind trigger);
void check_reply_problem(struct world *world, int process, const struct pending *pending,
                         const struct problem *problem, enum event_kind trigger);
void check_signed_in(struct world *world, int process);
void check_send(struct world *world, int process);
void check_written(struct world *world, int process);
void check_not_written(struct world *world, int process);
void check_end(struct world *world);
void load_sent(struct world *world, int process, enum resource resource);
void load_new_grant(struct process *process);
void load_answered(struct world *world, const struct wire *wire);
void load_written(struct world *world, int process);
void load_retry_allowed(struct world *world, int process);
void ideal_use(struct world *world, enum resource resource);
void ideal_while_running(struct world *world);
/* nine_o_clock.c: all sign in at the same moment; NULL, or what is wrong. */
const char *check_jitter(uint64_t seed);

/* trace.c: the last lines of a world that is replayed. */
void trace(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_event(struct world *world, int process, const struct event *event);
void trace_effect(struct world *world, int process, const struct effect *effect);
void trace_print(void);

#endif
