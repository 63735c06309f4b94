/* SPDX-License-Identifier: MPL-2.0 */
#include "net/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    struct loop *loop;
    struct loop_watch *watch;
    struct loop_timer *timer;
    child_done *done;
    void *context;
    size_t result_size;
    pid_t process;
    int pipe;
};

/* ---- in the child ---- */

static void close_others(int pipe)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        _exit(1);
    if (pipe > 3)
        (void)close_range(3, (unsigned)pipe - 1, 0);
    (void)close_range((unsigned)pipe + 1, ~0U, 0);
}

static void be_child(pid_t parent, int pipe, size_t size, child_work *work, void *context)
{
    unsigned char result[CHILD_RESULT_MAX];
    int status = 1;

    /* It ends with us, also when we died before the call. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    close_others(pipe);
    if (work(context, result, size) == 0 && write(pipe, result, size) == (ssize_t)size)
        status = 0;
    sodium_memzero(result, sizeof result);
    _exit(status);
}

/* ---- in the parent ---- */

static void release(struct child *child, bool kill_it)
{
    if (kill_it)
        (void)kill(child->process, SIGKILL);
    while (waitpid(child->process, NULL, 0) < 0 && errno == EINTR)
        ;
    loop_unwatch(child->loop, child->watch);
    loop_timer_cancel(child->loop, child->timer);
    close(child->pipe);
    free(child);
}

static void end(struct child *child, struct secret *result)
{
    child_done *done = child->done;
    void *context = child->context;

    release(child, true);
    done(context, result);
    secret_wipe(result);
}

static void pipe_ready(void *context, int fd, unsigned ready)
{
    struct child *child = context;
    struct secret result = {0};
    ssize_t length = -1;

    (void)ready;
    if (secret_reserve(&result, child->result_size) == 0)
        length = read(fd, result.bytes, result.length);
    if (length < 0 && (errno == EINTR || errno == EAGAIN) && result.bytes != NULL) {
        secret_wipe(&result);
        return;
    }
    if (length != (ssize_t)child->result_size)
        secret_wipe(&result);
    end(child, &result);
}

static void deadline_passed(void *context)
{
    struct child *child = context;
    struct secret nothing = {0};

    child->timer = NULL;
    end(child, &nothing);
}

struct child *child_start(struct loop *loop, size_t result_size, int64_t deadline_ms, child_work *work,
                          child_done *done, void *context)
{
    struct child *child = result_size <= CHILD_RESULT_MAX ? calloc(1, sizeof *child) : NULL;
    pid_t parent = getpid();
    int ends[2];

    if (child == NULL)
        return NULL;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        free(child);
        return NULL;
    }
    *child = (struct child){
        .loop = loop, .done = done, .context = context, .result_size = result_size, .pipe = ends[0]};
    child->process = fork();
    if (child->process == 0)
        be_child(parent, ends[1], result_size, work, context);
    close(ends[1]);
    if (child->process < 0) {
        close(ends[0]);
        free(child);
        return NULL;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    child->watch = loop_watch_fd(loop, ends[0], LOOP_READ, pipe_ready, child);
    child->timer = loop_timer_start(loop, deadline_ms, deadline_passed, child);
    if (child->watch != NULL && child->timer != NULL)
        return child;
    release(child, true);
    return NULL;
}

void child_stop(struct child *child)
{
    if (child != NULL)
        release(child, true);
}
