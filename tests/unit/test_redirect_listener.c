/* SPDX-License-Identifier: MPL-2.0 */
/* The loopback redirect through real sockets: wrong requests get 404, and the right one still comes through.
 */
#include "net/https.h"
#include "net/redirect_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define STATE "c3RhdGU"
#define CODE "0.AX-code_1"
#define RIGHT_TARGET "/?code=" CODE "&state=" STATE
#define DEADLINE_MS 15000
#define ANSWER_MAX 16384

struct fixture {
    struct loop *loop;
    struct redirect_listener *listener;
    struct loop_timer *deadline;
    uint16_t port;
    int answers;
    char code[64];
    char error[64];
    bool close_when_answered;
};

struct client {
    struct loop *loop;
    struct loop_watch *watch;
    int fd;
    const char *request;
    size_t left;
    char answer[ANSWER_MAX];
    size_t got;
    bool ended;
    bool stop_at_end;
};

static void on_answer(void *context, struct redirect_answer *answer)
{
    struct fixture *fixture = context;

    fixture->answers++;
    snprintf(fixture->code, sizeof fixture->code, "%s", secret_expose(&answer->code));
    snprintf(fixture->error, sizeof fixture->error, "%s", answer->error == NULL ? "" : answer->error);
    if (fixture->close_when_answered) {
        redirect_listener_close(fixture->listener);
        fixture->listener = NULL;
    }
}

static void on_deadline(void *context)
{
    (void)context;
    fail_msg("the event did not come");
}

static void stop(void *context)
{
    loop_stop(context);
}

static void open_listener(struct fixture *fixture, const char *host)
{
    struct problem problem = {0};
    struct secret state = {0};

    fixture->listener = redirect_listener_open(fixture->loop, host, on_answer, fixture, &problem);
    assert_non_null(fixture->listener);
    fixture->port = redirect_listener_port(fixture->listener);
    assert_int_not_equal(fixture->port, 0);
    assert_int_equal(secret_set(&state, STATE, strlen(STATE)), 0);
    assert_int_equal(redirect_listener_expect(fixture->listener, &state), 0);
    secret_wipe(&state);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->loop = loop_new();
    assert_non_null(fixture->loop);
    fixture->deadline = loop_timer_start(fixture->loop, DEADLINE_MS, on_deadline, NULL);
    open_listener(fixture, "localhost");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    redirect_listener_close(fixture->listener);
    loop_free(fixture->loop);
    free(fixture);
    return 0;
}

/* --- a browser --- */

static void client_end(struct client *client)
{
    loop_unwatch(client->loop, client->watch);
    client->watch = NULL;
    client->ended = true;
    if (client->stop_at_end)
        loop_stop(client->loop);
}

static void on_client(void *context, int fd, unsigned ready)
{
    struct client *client = context;
    ssize_t count;

    if (ready & LOOP_WRITE && client->left > 0) {
        count = send(fd, client->request, client->left, MSG_NOSIGNAL);
        if (count > 0) {
            client->request += count;
            client->left -= (size_t)count;
        } else if (errno != EAGAIN) {
            client->left = 0;
        }
        if (client->left == 0)
            loop_watch_interest(client->watch, LOOP_READ);
    }
    if (ready & LOOP_READ) {
        count = recv(fd, client->answer + client->got, sizeof client->answer - 1 - client->got, 0);
        if (count > 0)
            client->got += (size_t)count;
        else if (count == 0 || errno != EAGAIN)
            client_end(client);
    }
}

#define MAPPED (-4) /* a family of ours: IPv4 from an IPv6 socket, as some browsers do */

static int connect_to(int family, uint16_t port)
{
    struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(port)};
    int fd = socket(family == MAPPED ? AF_INET6 : family, SOCK_STREAM, 0);
    int result;

    if (fd < 0)
        return -1;
    if (family == MAPPED)
        inet_pton(AF_INET6, "::ffff:127.0.0.1", &six.sin6_addr);
    if (family == AF_INET)
        result = connect(fd, (struct sockaddr *)&four, sizeof four);
    else
        result = connect(fd, (struct sockaddr *)&six, sizeof six);
    if (result != 0) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void client_start(struct fixture *fixture, struct client *client, int family, const char *request)
{
    *client = (struct client){
        .loop = fixture->loop, .request = request, .left = strlen(request), .stop_at_end = true};
    client->fd = connect_to(family, fixture->port);
    assert_true(client->fd >= 0);
    client->watch = loop_watch_fd(fixture->loop, client->fd, LOOP_READ | (client->left > 0 ? LOOP_WRITE : 0),
                                  on_client, client);
    assert_non_null(client->watch);
}

static void client_drop(struct client *client)
{
    loop_unwatch(client->loop, client->watch);
    close(client->fd);
}

/* One whole exchange; the answer stays in *client. */
static void exchange(struct fixture *fixture, struct client *client, int family, const char *request)
{
    client_start(fixture, client, family, request);
    while (!client->ended)
        loop_run(fixture->loop);
    close(client->fd);
}

static const char *request_text(struct fixture *fixture, const char *method, const char *target,
                                const char *host)
{
    static char text[1024];

    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: %s:%u\r\nAccept: */*\r\n\r\n", method, target, host,
             (unsigned)fixture->port);
    return text;
}

static bool is_status(const struct client *client, const char *status)
{
    return strncmp(client->answer, "HTTP/1.1 ", 9) == 0 && strncmp(client->answer + 9, status, 3) == 0;
}

static void assert_refused(struct fixture *fixture, const char *request)
{
    struct client client;
    int before = fixture->answers;

    exchange(fixture, &client, AF_INET, request);
    if (!is_status(&client, "404"))
        fail_msg("not 404:\n%s\n%s", request, client.answer);
    assert_int_equal(fixture->answers, before);
}

static void assert_right_request_works(struct fixture *fixture)
{
    struct client client;
    int before = fixture->answers;

    exchange(fixture, &client, AF_INET, request_text(fixture, "GET", RIGHT_TARGET, "localhost"));
    assert_true(is_status(&client, "200"));
    assert_int_equal(fixture->answers, before + 1);
    assert_string_equal(fixture->code, CODE);
    assert_string_equal(fixture->error, "");
}

/* --- promises --- */

static void the_right_request_brings_the_code(void **state)
{
    struct fixture *fixture = *state;
    struct client client;

    exchange(fixture, &client, AF_INET, request_text(fixture, "GET", RIGHT_TARGET, "localhost"));
    assert_true(is_status(&client, "200"));
    assert_int_equal(fixture->answers, 1);
    assert_string_equal(fixture->code, CODE);
    assert_non_null(strstr(client.answer, "<title>Thunderseal</title>"));
    assert_non_null(strstr(client.answer, "You can close this window and go back to Thunderbird."));
}

static void every_name_of_loopback_is_served(void **state)
{
    struct fixture *fixture = *state;
    struct client client;

    exchange(fixture, &client, AF_INET, request_text(fixture, "GET", RIGHT_TARGET, "127.0.0.1"));
    assert_true(is_status(&client, "200"));
    exchange(fixture, &client, AF_INET, request_text(fixture, "GET", RIGHT_TARGET, "[::1]"));
    assert_true(is_status(&client, "200"));
    assert_int_equal(fixture->answers, 2);
}

static bool have_ipv6(void)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool have = fd >= 0 && bind(fd, (struct sockaddr *)&six, sizeof six) == 0;

    if (fd >= 0)
        close(fd);
    return have;
}

static void localhost_means_ipv6_too(void **state)
{
    struct fixture *fixture = *state;
    struct client client;

    if (!have_ipv6()) { /* then IPv4 alone must do */
        assert_right_request_works(fixture);
        return;
    }
    exchange(fixture, &client, AF_INET6, request_text(fixture, "GET", RIGHT_TARGET, "localhost"));
    assert_true(is_status(&client, "200"));
    assert_string_equal(fixture->code, CODE);
}

static void for_127_0_0_1_only_ipv4_listens(void **state)
{
    struct fixture *fixture = *state;

    redirect_listener_close(fixture->listener);
    open_listener(fixture, "127.0.0.1");
    assert_int_equal(connect_to(AF_INET6, fixture->port), -1);
    assert_right_request_works(fixture);
}

static void an_error_brings_the_other_page(void **state)
{
    struct fixture *fixture = *state;
    struct client client;

    exchange(fixture, &client, AF_INET,
             request_text(fixture, "GET", "/?error=access_denied&error_description=%3Cb%3Ex&state=" STATE,
                          "localhost"));
    assert_true(is_status(&client, "200"));
    assert_int_equal(fixture->answers, 1);
    assert_string_equal(fixture->error, "access_denied");
    assert_string_equal(fixture->code, "");
    assert_non_null(strstr(client.answer, "not completed"));
    assert_null(strstr(client.answer, "<b>"));
}

static void wrong_requests_get_404_and_the_right_one_still_works(void **state)
{
    static const char *const targets[] = {
        "/favicon.ico",
        "/",
        "/?",
        "//?code=" CODE "&state=" STATE,
        "/x?code=" CODE "&state=" STATE,
        "/%2e?code=" CODE "&state=" STATE,
        "/%00?code=" CODE "&state=" STATE,
        "/.?code=" CODE "&state=" STATE,
        "?code=" CODE "&state=" STATE,
        "*?code=" CODE "&state=" STATE,
        "http://localhost/?code=" CODE "&state=" STATE,
        "/?code=" CODE "&state=wrong",
        "/?code=" CODE,
        "/?state=" STATE,
        "/?code=" CODE "&state=" STATE "&state=" STATE,
        "/?code=" CODE "&error=access_denied&state=" STATE,
        "/?code=" CODE "&code=" CODE "&state=" STATE,
        "/?code=%zz&state=" STATE,
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_refused(fixture, request_text(fixture, "GET", targets[i], "localhost"));
    assert_right_request_works(fixture);
}

static void only_get_is_served(void **state)
{
    static const char *const methods[] = {"HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "PATCH"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        assert_refused(fixture, request_text(fixture, methods[i], RIGHT_TARGET, "localhost"));
    assert_refused(fixture, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\na=b&c");
    assert_right_request_works(fixture);
}

static void only_our_own_host_is_served(void **state)
{
    struct fixture *fixture = *state;
    char text[512];
    static const char *const hosts[] = {"evil.example", "LOCALHOST.evil", "localhost.",
                                        "127.0.0.2",    "0.0.0.0",        "::1"};

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        assert_refused(fixture, request_text(fixture, "GET", RIGHT_TARGET, hosts[i]));
    assert_refused(fixture, "GET " RIGHT_TARGET " HTTP/1.1\r\n\r\n");
    assert_refused(fixture, "GET " RIGHT_TARGET " HTTP/1.1\r\nHost:\r\n\r\n");
    assert_refused(fixture, "GET " RIGHT_TARGET " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_refused(fixture, "GET " RIGHT_TARGET " HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
    snprintf(text, sizeof text,
             "GET " RIGHT_TARGET " HTTP/1.1\r\nHost: localhost:%u\r\nHost: evil.example\r\n\r\n",
             (unsigned)fixture->port);
    assert_refused(fixture, text);
    assert_right_request_works(fixture);
}

static void before_a_state_is_expected_everything_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct problem problem = {0};
    struct client client;

    redirect_listener_close(fixture->listener);
    fixture->listener = redirect_listener_open(fixture->loop, "localhost", on_answer, fixture, &problem);
    assert_non_null(fixture->listener);
    fixture->port = redirect_listener_port(fixture->listener);
    exchange(fixture, &client, AF_INET, request_text(fixture, "GET", "/?code=a&state=", "localhost"));
    assert_true(is_status(&client, "404"));
    assert_int_equal(fixture->answers, 0);
}

static void assert_headers(const struct client *client)
{
    assert_non_null(strstr(client->answer, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(client->answer, "\r\nReferrer-Policy: no-referrer\r\n"));
    assert_non_null(strstr(client->answer, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(client->answer, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(client->answer, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
    assert_non_null(
        strstr(client->answer, "\r\nContent-Security-Policy: default-src 'none'; style-src 'sha256-"));
    assert_null(strstr(client->answer, STATE));
    assert_null(strstr(client->answer, CODE));
    assert_null(strstr(client->answer, "secret-text"));
}

static void every_page_has_the_promised_headers_and_reflects_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct client client;

    exchange(fixture, &client, AF_INET,
             request_text(fixture, "GET", "/secret-text?secret-text", "localhost"));
    assert_headers(&client);
    exchange(fixture, &client, AF_INET, request_text(fixture, "GET", RIGHT_TARGET, "localhost"));
    assert_headers(&client);
    exchange(fixture, &client, AF_INET,
             request_text(fixture, "GET", "/?error=secret-text&state=" STATE, "localhost"));
    assert_true(is_status(&client, "200"));
    assert_headers(&client);
}

static void the_policy_allows_just_the_style_of_the_page(void **state)
{
    struct fixture *fixture = *state;
    struct client client;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL)];
    const char *style;
    const char *end;

    exchange(fixture, &client, AF_INET, request_text(fixture, "GET", "/", "localhost"));
    style = strstr(client.answer, "<style>");
    end = strstr(client.answer, "</style>");
    assert_non_null(style);
    assert_non_null(end);
    style += strlen("<style>");
    crypto_hash_sha256(hash, (const unsigned char *)style, (unsigned long long)(end - style));
    sodium_bin2base64(text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    assert_non_null(strstr(client.answer, text));
}

static void a_connection_held_open_does_not_block_the_right_one(void **state)
{
    struct fixture *fixture = *state;
    struct client idle;
    struct client half;

    client_start(fixture, &idle, AF_INET, "");
    client_start(fixture, &half, AF_INET, "GET / HTTP/1.1\r\nHost: loc");
    assert_right_request_works(fixture);
    assert_false(idle.ended);
    client_drop(&idle);
    client_drop(&half);
}

static void more_connections_than_the_bound_only_delay_the_right_one(void **state)
{
    struct fixture *fixture = *state;
    static struct client idle[REDIRECT_CONNECTIONS_MAX + 4];
    struct client right;

    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) {
        client_start(fixture, &idle[i], AF_INET, "");
        idle[i].stop_at_end = false;
    }
    /* They end after their five seconds, and the right one gets its place. */
    client_start(fixture, &right, AF_INET, request_text(fixture, "GET", RIGHT_TARGET, "localhost"));
    while (!right.ended)
        loop_run(fixture->loop);
    assert_true(is_status(&right, "200"));
    assert_int_equal(fixture->answers, 1);
    assert_true(idle[0].ended);
    assert_false(idle[REDIRECT_CONNECTIONS_MAX + 3].ended);
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
        client_drop(&idle[i]);
    close(right.fd);
}

struct drip {
    struct fixture *fixture;
    struct client client;
};

static void on_drip(void *context)
{
    struct drip *drip = context;

    if (drip->client.ended)
        return;
    send(drip->client.fd, "x", 1, MSG_NOSIGNAL);
    loop_timer_start(drip->fixture->loop, 200, on_drip, drip);
}

static void a_slow_request_ends_however_alive_it_looks(void **state)
{
    struct fixture *fixture = *state;
    struct drip drip = {.fixture = fixture};
    int64_t start = loop_monotonic_ms();

    client_start(fixture, &drip.client, AF_INET, "GET /");
    on_drip(&drip);
    while (!drip.client.ended)
        loop_run(fixture->loop);
    assert_true(loop_monotonic_ms() - start < (REDIRECT_CONNECTION_TIMEOUT_S + 2) * 1000);
    assert_int_equal(fixture->answers, 0);
    close(drip.client.fd);
    /* The last drip finds its client ended and starts no more. */
    loop_timer_start(fixture->loop, 250, stop, fixture->loop);
    loop_run(fixture->loop);
}

static void headers_beyond_the_bound_end_the_connection(void **state)
{
    struct fixture *fixture = *state;
    struct client client;
    size_t size = 4 * REDIRECT_REQUEST_MAX;
    char *request = malloc(size + 1);
    int begin = snprintf(
        request, size, "GET " RIGHT_TARGET " HTTP/1.1\r\nHost: localhost:%u\r\nX: ", (unsigned)fixture->port);

    memset(request + begin, 'x', size - (size_t)begin);
    memcpy(request + size - 4, "\r\n\r\n", 5);
    exchange(fixture, &client, AF_INET, request);
    free(request);
    assert_false(is_status(&client, "200"));
    assert_int_equal(fixture->answers, 0);
    assert_right_request_works(fixture);
}

static void bytes_that_are_not_http_harm_nothing(void **state)
{
    static const char *const bytes[] = {
        "\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "GET\r\n\r\n",
        "GET  \r\n\r\n",
        "GET " RIGHT_TARGET "\r\n\r\n",
        "GET " RIGHT_TARGET " HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "GET " RIGHT_TARGET " HTTP/1.1\r\nHost localhost\r\n\r\n",
        "GET " RIGHT_TARGET " HTTP/1.1\r\n Host: localhost\r\n: x\r\n\r\n",
    };
    struct fixture *fixture = *state;
    struct client odd;
    struct client next;

    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        client_start(fixture, &odd, AF_INET, bytes[i]);
        odd.stop_at_end = false;
        exchange(fixture, &next, AF_INET, request_text(fixture, "GET", "/", "localhost"));
        assert_true(is_status(&next, "404"));
        assert_false(is_status(&odd, "200"));
        client_drop(&odd);
    }
    assert_int_equal(fixture->answers, 0);
    assert_right_request_works(fixture);
}

/* In a child: the right request as another user; exits with 0 when nothing came back. */
static void ask_as_another_user(int family, uint16_t port, const char *request)
{
    char byte;
    int fd;

    if (setgid(65534) != 0 || setuid(65534) != 0)
        _exit(2);
    fd = connect_to(family, port);
    if (fd < 0)
        _exit(3);
    fcntl(fd, F_SETFL, 0);
    send(fd, request, strlen(request), MSG_NOSIGNAL);
    _exit(recv(fd, &byte, 1, 0) > 0 ? 1 : 0);
}

static void on_child_gone(void *context, int fd, unsigned ready)
{
    (void)fd;
    (void)ready;
    loop_stop(context);
}

static void assert_another_user_is_refused(struct fixture *fixture, int family)
{
    const char *request = request_text(fixture, "GET", RIGHT_TARGET, "localhost");
    struct loop_watch *watch;
    int alive[2]; /* its end is the child's */
    int status;
    pid_t child;

    assert_int_equal(pipe(alive), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        ask_as_another_user(family, fixture->port, request);
    close(alive[1]);
    watch = loop_watch_fd(fixture->loop, alive[0], LOOP_READ, on_child_gone, fixture->loop);
    loop_run(fixture->loop);
    loop_unwatch(fixture->loop, watch);
    close(alive[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(fixture->answers, 0);
}

static void another_user_gets_no_answer(void **state)
{
    struct fixture *fixture = *state;

    if (getuid() != 0) { /* only root can become somebody else */
        assert_right_request_works(fixture);
        return;
    }
    assert_another_user_is_refused(fixture, AF_INET);
    if (have_ipv6())
        assert_another_user_is_refused(fixture, AF_INET6);
    if (have_ipv6())
        assert_another_user_is_refused(fixture, MAPPED);
    assert_right_request_works(fixture);
}

static void an_ipv4_connection_may_come_from_an_ipv6_socket(void **state)
{
    struct fixture *fixture = *state;
    struct client client;

    if (!have_ipv6()) { /* then IPv4 alone must do */
        assert_right_request_works(fixture);
        return;
    }
    exchange(fixture, &client, MAPPED, request_text(fixture, "GET", RIGHT_TARGET, "127.0.0.1"));
    assert_true(is_status(&client, "200"));
}

static void restore_descriptors(void *context)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    (void)context;
}

static void without_descriptors_the_connection_waits_quietly(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;
    struct rusage before;
    struct rusage after;
    struct client client;

    client_start(fixture, &client, AF_INET, request_text(fixture, "GET", RIGHT_TARGET, "localhost"));
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &limit);
    loop_timer_start(fixture->loop, 500, restore_descriptors, NULL);
    getrusage(RUSAGE_SELF, &before);
    while (!client.ended)
        loop_run(fixture->loop);
    getrusage(RUSAGE_SELF, &after);
    assert_true(is_status(&client, "200"));
    assert_true(after.ru_nvcsw - before.ru_nvcsw < 100);
    close(client.fd);
}

static void closing_in_the_callback_still_sends_the_page(void **state)
{
    struct fixture *fixture = *state;
    struct client idle;
    struct client right;

    fixture->close_when_answered = true;
    client_start(fixture, &idle, AF_INET, "");
    exchange(fixture, &right, AF_INET, request_text(fixture, "GET", RIGHT_TARGET, "localhost"));
    assert_true(is_status(&right, "200"));
    assert_non_null(strstr(right.answer, "</html>"));
    assert_int_equal(fixture->answers, 1);
    assert_null(fixture->listener);
    assert_int_equal(connect_to(AF_INET, fixture->port), -1);
    client_drop(&idle);
}

static void two_right_requests_in_one_turn_bring_one_callback_after_a_close(void **state)
{
    struct fixture *fixture = *state;
    struct client clients[2];

    fixture->close_when_answered = true;
    for (size_t i = 0; i < 2; i++)
        client_start(fixture, &clients[i], AF_INET, request_text(fixture, "GET", RIGHT_TARGET, "localhost"));
    while (!clients[0].ended || !clients[1].ended)
        loop_run(fixture->loop);
    assert_int_equal(fixture->answers, 1);
    close(clients[0].fd);
    close(clients[1].fd);
}

static void closing_frees_the_port_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct client idle;

    client_start(fixture, &idle, AF_INET, "");
    loop_timer_start(fixture->loop, 20, stop, fixture->loop);
    loop_run(fixture->loop);
    redirect_listener_close(fixture->listener);
    fixture->listener = NULL;
    assert_int_equal(connect_to(AF_INET, fixture->port), -1);
    while (!idle.ended)
        loop_run(fixture->loop);
    close(idle.fd);
}

static void a_taken_ipv6_port_means_another_port(void **state)
{
    enum { SQUATTED = 2000 };
    static int squatters[SQUATTED];
    struct fixture *fixture = *state;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    if (!have_ipv6()) { /* then IPv4 alone must do */
        assert_right_request_works(fixture);
        return;
    }
    redirect_listener_close(fixture->listener);
    for (int i = 0; i < SQUATTED; i++) {
        squatters[i] = socket(AF_INET6, SOCK_STREAM, 0);
        six.sin6_port = htons((uint16_t)(32768 + i));
        if (squatters[i] >= 0 && bind(squatters[i], (struct sockaddr *)&six, sizeof six) == 0)
            listen(squatters[i], 1);
    }
    /* Whichever port it gets is ours in both families: what comes over IPv6 reaches us. */
    for (int i = 0; i < 40; i++) {
        struct problem problem = {0};
        struct client client;
        struct secret expected = {0};
        struct redirect_listener *listener =
            redirect_listener_open(fixture->loop, "localhost", on_answer, fixture, &problem);
        assert_non_null(listener);
        assert_int_equal(secret_set(&expected, STATE, strlen(STATE)), 0);
        redirect_listener_expect(listener, &expected);
        secret_wipe(&expected);
        fixture->port = redirect_listener_port(listener);
        exchange(fixture, &client, AF_INET6, request_text(fixture, "GET", RIGHT_TARGET, "localhost"));
        assert_true(is_status(&client, "200"));
        redirect_listener_close(listener);
    }
    for (int i = 0; i < SQUATTED; i++)
        close(squatters[i]);
    fixture->listener = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_right_request_brings_the_code),
        TEST(every_name_of_loopback_is_served),
        TEST(localhost_means_ipv6_too),
        TEST(for_127_0_0_1_only_ipv4_listens),
        TEST(an_error_brings_the_other_page),
        TEST(wrong_requests_get_404_and_the_right_one_still_works),
        TEST(only_get_is_served),
        TEST(only_our_own_host_is_served),
        TEST(before_a_state_is_expected_everything_is_refused),
        TEST(every_page_has_the_promised_headers_and_reflects_nothing),
        TEST(the_policy_allows_just_the_style_of_the_page),
        TEST(a_connection_held_open_does_not_block_the_right_one),
        TEST(more_connections_than_the_bound_only_delay_the_right_one),
        TEST(a_slow_request_ends_however_alive_it_looks),
        TEST(headers_beyond_the_bound_end_the_connection),
        TEST(bytes_that_are_not_http_harm_nothing),
        TEST(another_user_gets_no_answer),
        TEST(an_ipv4_connection_may_come_from_an_ipv6_socket),
        TEST(without_descriptors_the_connection_waits_quietly),
        TEST(closing_in_the_callback_still_sends_the_page),
        TEST(two_right_requests_in_one_turn_bring_one_callback_after_a_close),
        TEST(closing_frees_the_port_at_once),
        TEST(a_taken_ipv6_port_means_another_port),
    };

    if (sodium_init() < 0 || secret_arena_open() != 0 || https_global_init() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
