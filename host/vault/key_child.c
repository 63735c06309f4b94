/* SPDX-License-Identifier: MPL-2.0 */
/* The child that waits for a key store, so that the program does not have to. */
#include "vault/key_task.h"
#include "vault/secret_service.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

static void tell_asking(void *context)
{
    const struct key_answer asking = {.outcome = KEY_ASKING};

    (void)key_answer_send(*(int *)context, &asking);
}

static void open_wrapped(const struct key_task *task, struct key_answer *answer)
{
    switch (passphrase_open(&answer->secret, task->wrapped, &task->passphrase)) {
    case PASSPHRASE_OPENED:
        answer->outcome = KEY_DONE;
        break;
    case PASSPHRASE_WRONG:
        answer->outcome = KEY_WRONG_PASSPHRASE;
        break;
    case PASSPHRASE_NO_MEMORY:
    default:
        answer->outcome = KEY_NO_MEMORY;
        break;
    }
}

static void do_task(const struct key_task *task, struct key_answer *answer, int *socket)
{
    answer->outcome = KEY_FAILED;
    switch (task->kind) {
    case KEY_TASK_LOOK_UP:
    case KEY_TASK_STORE:
    case KEY_TASK_DROP:
        secret_service_do(task, answer, tell_asking, socket);
        break;
    case KEY_TASK_OPEN:
        open_wrapped(task, answer);
        break;
    case KEY_TASK_WRAP:
        answer->outcome = passphrase_wrap(answer->wrapped, &task->secret, task->key_id, &task->passphrase,
                                          &passphrase_cost_default) == 0
                              ? KEY_DONE
                              : KEY_NO_MEMORY;
        break;
    case KEY_TASK_NONE:
    default:
        break;
    }
}

/* Nobody would read the answer of a child whose parent is gone; it may have gone before we could ask to be
 * told. */
static bool parent_lives(int socket)
{
    struct pollfd hang_up = {.fd = socket};

    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && poll(&hang_up, 1, 0) == 0;
}

int key_child_run(void)
{
    struct key_task task = {0};
    struct key_answer answer = {0};
    int socket = KEY_CHILD_FD;
    int result = EX_USAGE;

    /* What the libraries start must not hold the socket open. */
    if (fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 && parent_lives(socket) &&
        key_task_receive(socket, &task) == 0) {
        do_task(&task, &answer, &socket);
        result = key_answer_send(socket, &answer) == 0 ? 0 : EX_IOERR;
    }
    secret_wipe(&answer.secret);
    key_task_clear(&task);
    return result;
}
