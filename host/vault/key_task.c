/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/key_task.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>

/* Packets of fixed size with a length before what may be shorter: there is nothing to parse. */
struct task_packet {
    unsigned char kind, may_ask, has_secret;
    unsigned char key_id[ENVELOPE_KEY_ID_SIZE];
    unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE];
    unsigned char secret[ENVELOPE_KEY_SIZE];
    unsigned char passphrase_length[2]; /* high byte first */
    unsigned char passphrase[PASSPHRASE_MAX];
};

struct answer_packet {
    unsigned char outcome, has_secret;
    unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE];
    unsigned char secret[ENVELOPE_KEY_SIZE];
};

void key_task_clear(struct key_task *task)
{
    secret_wipe(&task->secret);
    secret_wipe(&task->passphrase);
    memset(task, 0, sizeof *task);
}

static int send_packet(int socket, const void *packet, size_t size)
{
    ssize_t sent;

    do
        sent = send(socket, packet, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size ? 0 : -1;
}

static int receive_packet(int socket, void *packet, size_t size)
{
    ssize_t received;

    do
        received = recv(socket, packet, size, 0);
    while (received < 0 && errno == EINTR);
    if (received == (ssize_t)size)
        return 0;
    if (received >= 0)
        errno = EPIPE;
    return -1;
}

int key_task_send(int socket, const struct key_task *task)
{
    struct task_packet packet = {.kind = (unsigned char)task->kind,
                                 .may_ask = task->may_ask,
                                 .has_secret = task->secret.length == ENVELOPE_KEY_SIZE};
    int result;

    if (task->passphrase.length > PASSPHRASE_MAX)
        return -1;
    memcpy(packet.key_id, task->key_id, sizeof packet.key_id);
    memcpy(packet.wrapped, task->wrapped, sizeof packet.wrapped);
    if (packet.has_secret)
        memcpy(packet.secret, task->secret.bytes, sizeof packet.secret);
    packet.passphrase_length[0] = (unsigned char)(task->passphrase.length >> 8);
    packet.passphrase_length[1] = (unsigned char)(task->passphrase.length & 0xff);
    if (task->passphrase.length > 0)
        memcpy(packet.passphrase, task->passphrase.bytes, task->passphrase.length);
    result = send_packet(socket, &packet, sizeof packet);
    sodium_memzero(&packet, sizeof packet);
    return result;
}

int key_task_receive(int socket, struct key_task *task)
{
    struct task_packet packet;
    size_t length;
    int result = -1;

    if (receive_packet(socket, &packet, sizeof packet) != 0)
        return -1;
    length = (size_t)(packet.passphrase_length[0] << 8 | packet.passphrase_length[1]);
    if (packet.kind <= KEY_TASK_WRAP && length <= PASSPHRASE_MAX &&
        (!packet.has_secret || secret_set(&task->secret, packet.secret, sizeof packet.secret) == 0) &&
        (length == 0 || secret_set(&task->passphrase, packet.passphrase, length) == 0)) {
        task->kind = packet.kind;
        task->may_ask = packet.may_ask != 0;
        memcpy(task->key_id, packet.key_id, sizeof task->key_id);
        memcpy(task->wrapped, packet.wrapped, sizeof task->wrapped);
        result = 0;
    }
    sodium_memzero(&packet, sizeof packet);
    return result;
}

int key_answer_send(int socket, const struct key_answer *answer)
{
    struct answer_packet packet = {.outcome = (unsigned char)answer->outcome,
                                   .has_secret = answer->secret.length == ENVELOPE_KEY_SIZE};
    int result;

    memcpy(packet.wrapped, answer->wrapped, sizeof packet.wrapped);
    if (packet.has_secret)
        memcpy(packet.secret, answer->secret.bytes, sizeof packet.secret);
    result = send_packet(socket, &packet, sizeof packet);
    sodium_memzero(&packet, sizeof packet);
    return result;
}

int key_answer_receive(int socket, struct key_answer *answer)
{
    struct answer_packet packet;
    int result = -1;

    if (receive_packet(socket, &packet, sizeof packet) != 0)
        return -1;
    if (packet.outcome < KEY_OUTCOMES &&
        (!packet.has_secret || secret_set(&answer->secret, packet.secret, sizeof packet.secret) == 0)) {
        answer->outcome = packet.outcome;
        memcpy(answer->wrapped, packet.wrapped, sizeof answer->wrapped);
        result = 0;
    } else {
        errno = EPIPE;
    }
    sodium_memzero(&packet, sizeof packet);
    return result;
}
