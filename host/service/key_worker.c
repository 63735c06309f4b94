/* SPDX-License-Identifier: MPL-2.0 */
#include "service/key_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A keyring that is open answers in milliseconds. */
#define ANSWER_MS 5000
/* Argon2id takes half a second on a quiet machine, and twenty times that on one that is starting its desktop.
 */
#define DERIVE_MS 30000
/* Somebody has to find the window and type a password. */
#define ASKING_MS 60000

struct key_worker {
    struct loop *loop;
    pid_t process;
    int socket;
    struct loop_watch *watch;
    struct loop_timer *deadline;
    bool asking;
    key_worker_done *done;
    void *context;
};

/*
 * An exec, not a mere fork: libsecret and GLib start threads and keep what they see, so they get a process
 * that has none of our threads, tokens or descriptors. /proc/self/exe is the running program even after an
 * upgrade has replaced its file.
 */
static int spawn(pid_t *process, int socket)
{
    char name[] = "thunderseal", argument[] = KEY_CHILD_ARGUMENT;
    char *arguments[] = {name, argument, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int result = -1;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    if (posix_spawnattr_init(&attributes) != 0)
        goto out;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if (posix_spawnattr_setsigdefault(&attributes, &defaults) == 0 &&
        posix_spawnattr_setpgroup(&attributes, 0) == 0 && /* Ctrl-C is for us alone: it goes with us */
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, socket, KEY_CHILD_FD) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawn_file_actions_addclosefrom_np(&actions, KEY_CHILD_FD + 1) == 0)
        result = posix_spawn(process, "/proc/self/exe", &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
out:
    posix_spawn_file_actions_destroy(&actions);
    return result == 0 ? 0 : -1;
}

void key_worker_stop(struct key_worker *worker)
{
    if (worker == NULL)
        return;
    loop_unwatch(worker->loop, worker->watch);
    loop_timer_cancel(worker->loop, worker->deadline);
    if (worker->socket >= 0)
        close(worker->socket);
    if (worker->process > 0) {
        kill(worker->process, SIGKILL);
        while (waitpid(worker->process, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(worker);
}

static void finish(struct key_worker *worker, struct key_answer *answer)
{
    key_worker_done *done = worker->done;
    void *context = worker->context;

    key_worker_stop(worker);
    done(context, answer);
    secret_wipe(&answer->secret);
}

static void deadline_passed(void *context)
{
    struct key_worker *worker = context;
    struct key_answer answer = {.outcome = KEY_TIMED_OUT};

    worker->deadline = NULL;
    finish(worker, &answer);
}

static void set_deadline(struct key_worker *worker, int64_t milliseconds)
{
    loop_timer_cancel(worker->loop, worker->deadline);
    worker->deadline = loop_timer_start(worker->loop, milliseconds, deadline_passed, worker);
}

static void answered(void *context, int fd, unsigned ready)
{
    struct key_worker *worker = context;
    struct key_answer answer = {0};

    (void)ready;
    if (key_answer_receive(fd, &answer) != 0) {
        if (errno == EAGAIN)
            return;
        answer.outcome = KEY_DIED;
    }
    if (answer.outcome == KEY_ASKING) {
        worker->asking = true;
        set_deadline(worker, ASKING_MS);
        return;
    }
    finish(worker, &answer);
}

struct key_worker *key_worker_start(struct loop *loop, const struct key_task *task, key_worker_done *done,
                                    void *context)
{
    struct key_worker *worker = calloc(1, sizeof *worker);
    int sockets[2] = {-1, -1};

    if (worker == NULL)
        return NULL;
    worker->loop = loop;
    worker->done = done;
    worker->context = context;
    worker->socket = -1;
    /* The task fits into the socket's buffer, so that neither this nor the child's answer can block. */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        goto fail;
    worker->socket = sockets[0];
    if (fcntl(sockets[0], F_SETFL, O_NONBLOCK) != 0 || key_task_send(sockets[0], task) != 0 ||
        spawn(&worker->process, sockets[1]) != 0)
        goto fail;
    close(sockets[1]);
    sockets[1] = -1;
    worker->watch = loop_watch_fd(loop, worker->socket, LOOP_READ, answered, worker);
    set_deadline(worker, task->kind == KEY_TASK_OPEN || task->kind == KEY_TASK_WRAP ? DERIVE_MS : ANSWER_MS);
    if (worker->watch != NULL && worker->deadline != NULL)
        return worker;
fail:
    if (sockets[1] >= 0)
        close(sockets[1]);
    key_worker_stop(worker);
    return NULL;
}

bool key_worker_asking(const struct key_worker *worker)
{
    return worker != NULL && worker->asking;
}
