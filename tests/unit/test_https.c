/* SPDX-License-Identifier: MPL-2.0 */
/* HTTPS requests as far as they go without a TLS server: each failure names its stage, and each callback
 * comes once. */
#include "net/https.h"
#include "net/trust_anchors.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 20000
#define TIMEOUT_MS 10000

static char key_log[64];

struct fixture {
    struct loop *loop;
    struct https *https;
    uint16_t port;
    int listener; /* -1: nobody listens at port */
    int accepted;
    struct loop_watch *watch;
    struct loop_watch *accepted_watch;
    const char *reply;
    char heard[2048];
    bool connected;
    int answers;
    int expected;
    char stage[16];
    char detail[256];
    long status;
    bool free_in_callback;
    bool again_in_callback;
};

static void on_deadline(void *context)
{
    (void)context;
    fail_msg("the event did not come");
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    fixture->loop = loop_new();
    assert_non_null(fixture->loop);
    loop_timer_start(fixture->loop, DEADLINE_MS, on_deadline, NULL);
    fixture->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fixture->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fixture->listener, (struct sockaddr *)&address, &size), 0);
    fixture->port = ntohs(address.sin_port);
    fixture->accepted = -1;
    fixture->expected = 1;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    https_free(fixture->https);
    loop_free(fixture->loop);
    close(fixture->listener);
    if (fixture->accepted >= 0)
        close(fixture->accepted);
    free(fixture);
    return 0;
}

static void post(struct fixture *fixture, const char *url, int64_t timeout_ms);

static void on_answer(void *context, struct https_answer *answer)
{
    struct fixture *fixture = context;

    fixture->answers++;
    fixture->status = answer->status;
    snprintf(fixture->stage, sizeof fixture->stage, "%s",
             answer->failed_stage == NULL ? "" : answer->failed_stage);
    snprintf(fixture->detail, sizeof fixture->detail, "%s", answer->detail);
    if (fixture->free_in_callback) {
        https_free(fixture->https);
        fixture->https = NULL;
    }
    if (fixture->again_in_callback) {
        fixture->again_in_callback = false;
        post(fixture, "http://localhost/", TIMEOUT_MS);
    }
    if (fixture->answers == fixture->expected)
        loop_stop(fixture->loop);
}

static void post(struct fixture *fixture, const char *url, int64_t timeout_ms)
{
    struct secret form = {0};
    int before = fixture->answers;

    assert_int_equal(secret_set(&form, "grant_type=refresh_token&refresh_token=hidden", 45), 0);
    assert_int_equal(
        https_post_form(fixture->https, url, &form, HTTPS_TOKEN_ANSWER_MAX, timeout_ms, on_answer, fixture),
        0);
    assert_null(form.bytes);
    assert_int_equal(fixture->answers, before);
}

/* Posts to the port over https, or to url, and waits for the answer. */
static void ask(struct fixture *fixture, const char *ca_file, const char *proxy, const char *url,
                int64_t timeout_ms)
{
    char own_url[64];

    snprintf(own_url, sizeof own_url, "https://127.0.0.1:%u/token", (unsigned)fixture->port);
    fixture->https = https_new(fixture->loop, ca_file, proxy);
    assert_non_null(fixture->https);
    post(fixture, url == NULL ? own_url : url, timeout_ms);
    assert_int_equal(https_in_flight(fixture->https), 1);
    loop_run(fixture->loop);
    assert_int_equal(fixture->answers, 1);
    assert_int_equal(https_in_flight(fixture->https), 0);
    assert_null(strstr(fixture->detail, "hidden"));
}

/* --- a server that says one thing to whoever connects --- */

static void on_heard(void *context, int fd, unsigned ready)
{
    struct fixture *fixture = context;
    size_t have = strlen(fixture->heard);
    ssize_t count = read(fd, fixture->heard + have, sizeof fixture->heard - 1 - have);

    (void)ready;
    if (count > 0 && fixture->reply != NULL)
        assert_int_equal(send(fd, fixture->reply, strlen(fixture->reply), MSG_NOSIGNAL),
                         strlen(fixture->reply));
    if (count <= 0 || fixture->reply != NULL) {
        shutdown(fd, SHUT_WR);
        loop_unwatch(fixture->loop, fixture->accepted_watch);
    }
}

static void on_connect(void *context, int fd, unsigned ready)
{
    struct fixture *fixture = context;

    (void)ready;
    fixture->connected = true;
    fixture->accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
    fixture->accepted_watch = loop_watch_fd(fixture->loop, fixture->accepted, LOOP_READ, on_heard, fixture);
    loop_unwatch(fixture->loop, fixture->watch);
}

static void serve(struct fixture *fixture, const char *reply)
{
    fixture->reply = reply;
    assert_int_equal(listen(fixture->listener, 4), 0);
    fixture->watch = loop_watch_fd(fixture->loop, fixture->listener, LOOP_READ, on_connect, fixture);
}

/* --- promises --- */

static void nobody_listening_is_stage_connect(void **state)
{
    struct fixture *fixture = *state;

    ask(fixture, NULL, "", NULL, TIMEOUT_MS);
    assert_string_equal(fixture->stage, "connect");
    assert_int_equal(fixture->status, 0);
    assert_string_not_equal(fixture->detail, "");
}

static void a_name_that_cannot_be_is_stage_dns(void **state)
{
    struct fixture *fixture = *state;

    /* A label has at most 63 bytes, so no resolver is asked. */
    ask(fixture, NULL, "",
        "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid/",
        TIMEOUT_MS);
    assert_string_equal(fixture->stage, "dns");
}

static void plain_http_is_refused_before_anything_is_sent(void **state)
{
    struct fixture *fixture = *state;
    char url[64];

    serve(fixture, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)fixture->port);
    ask(fixture, NULL, "", url, TIMEOUT_MS);
    assert_string_equal(fixture->stage, "http");
    assert_false(fixture->connected);
}

static void other_schemes_and_nonsense_are_refused(void **state)
{
    static const char *const urls[] = {
        "file:///etc/passwd", "ftp://127.0.0.1/",  "gopher://127.0.0.1/", "", "https://", "https:///", "://",
        "https://\x01/",      "imaps://127.0.0.1/"};
    struct fixture *fixture = *state;

    fixture->https = https_new(fixture->loop, NULL, "");
    fixture->expected = sizeof urls / sizeof *urls;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        post(fixture, urls[i], TIMEOUT_MS);
    loop_run(fixture->loop);
    assert_string_not_equal(fixture->stage, "");
}

static void a_server_without_tls_is_stage_tls(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ask(fixture, NULL, "", NULL, TIMEOUT_MS);
    assert_string_equal(fixture->stage, "tls");
    assert_int_equal(fixture->status, 0);
    assert_null(strstr(fixture->heard, "hidden"));
}

static void a_silent_server_is_stage_timeout(void **state)
{
    struct fixture *fixture = *state;
    int64_t start = loop_monotonic_ms();

    serve(fixture, NULL);
    ask(fixture, NULL, "", NULL, 300);
    assert_string_equal(fixture->stage, "timeout");
    assert_true(loop_monotonic_ms() - start < 5000);
}

static void a_proxy_that_is_not_there_is_stage_proxy(void **state)
{
    struct fixture *fixture = *state;
    char proxy[64];

    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", (unsigned)fixture->port);
    ask(fixture, NULL, proxy, "https://login.example/token", TIMEOUT_MS);
    assert_string_equal(fixture->stage, "proxy");
}

static void a_proxy_of_the_environment_that_is_not_there_is_stage_proxy(void **state)
{
    struct fixture *fixture = *state;
    char proxy[64];

    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", (unsigned)fixture->port);
    setenv("https_proxy", proxy, 1);
    ask(fixture, NULL, NULL, "https://login.example/token", TIMEOUT_MS);
    unsetenv("https_proxy");
    assert_string_equal(fixture->stage, "proxy");
}

static void a_proxy_that_refuses_is_stage_proxy(void **state)
{
    struct fixture *fixture = *state;
    char proxy[64];

    serve(fixture,
          "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nRetry-After: 9\r\n\r\n");
    snprintf(proxy, sizeof proxy, "127.0.0.1:%u", (unsigned)fixture->port);
    ask(fixture, NULL, proxy, "https://login.example/token", TIMEOUT_MS);
    assert_string_equal(fixture->stage, "proxy");
    assert_int_equal(fixture->status, 0);
    assert_int_equal(strncmp(fixture->heard, "CONNECT login.example:443 ", 26), 0);
    assert_null(strstr(fixture->heard, "hidden"));
}

static void a_proxy_that_hangs_up_is_stage_proxy(void **state)
{
    struct fixture *fixture = *state;
    char proxy[64];

    serve(fixture, "");
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", (unsigned)fixture->port);
    ask(fixture, NULL, proxy, "https://login.example/token", TIMEOUT_MS);
    assert_string_equal(fixture->stage, "proxy");
    assert_null(strstr(fixture->heard, "hidden"));
}

static void a_server_that_hangs_up_is_stage_tls(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, "");
    ask(fixture, NULL, "", NULL, TIMEOUT_MS);
    assert_string_equal(fixture->stage, "tls");
}

static void a_proxy_name_that_cannot_be_is_stage_proxy(void **state)
{
    struct fixture *fixture = *state;

    ask(fixture, NULL,
        "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid:80", NULL,
        TIMEOUT_MS);
    assert_string_equal(fixture->stage, "proxy");
}

static void a_ca_file_that_is_not_there_is_stage_tls(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, NULL);
    ask(fixture, "/nonexistent/ca.pem", "", NULL, TIMEOUT_MS);
    assert_string_equal(fixture->stage, "tls");
}

static void the_ca_file_stands_beside_the_anchors_of_the_system(void **state)
{
    char path[] = "/tmp/thunderseal-test-XXXXXX";
    int fd = mkstemp(path);
    size_t length = 0;
    size_t only = 0;
    char *both;

    (void)state;
    assert_int_equal(write(fd, "OURS", 4), 4);
    both = trust_anchors_read(path, &length);
    assert_non_null(both);
    assert_memory_equal(both + length - 5, "OURS\n", 5);
    only = length - 5;
    if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0)
        assert_true(only > 1000);
    free(both);
    close(fd);
    unlink(path);
    assert_null(trust_anchors_read(path, &length));
    assert_null(trust_anchors_read("/tmp", &length));
    assert_null(trust_anchors_read("/dev/zero", &length));
}

static void freeing_drops_requests_without_a_callback(void **state)
{
    struct fixture *fixture = *state;
    char url[64];

    serve(fixture, NULL);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)fixture->port);
    fixture->https = https_new(fixture->loop, NULL, "");
    for (int i = 0; i < 3; i++)
        post(fixture, url, TIMEOUT_MS);
    assert_int_equal(https_in_flight(fixture->https), 3);
    https_free(fixture->https);
    fixture->https = NULL;
    assert_int_equal(fixture->answers, 0);
}

static void a_callback_may_free_everything(void **state)
{
    struct fixture *fixture = *state;

    fixture->https = https_new(fixture->loop, NULL, "");
    fixture->free_in_callback = true;
    for (int i = 0; i < 3; i++)
        post(fixture, "http://localhost/", TIMEOUT_MS);
    loop_run(fixture->loop);
    assert_int_equal(fixture->answers, 1);
}

static void a_callback_may_ask_again(void **state)
{
    struct fixture *fixture = *state;

    fixture->https = https_new(fixture->loop, NULL, "");
    fixture->again_in_callback = true;
    fixture->expected = 2;
    post(fixture, "http://localhost/", TIMEOUT_MS);
    loop_run(fixture->loop);
    assert_int_equal(fixture->answers, 2);
}

static void the_key_log_of_the_environment_is_ignored(void **state)
{
    (void)state;
    assert_null(getenv("SSLKEYLOGFILE"));
    assert_int_equal(access(key_log, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_listening_is_stage_connect),
        TEST(a_name_that_cannot_be_is_stage_dns),
        TEST(plain_http_is_refused_before_anything_is_sent),
        TEST(other_schemes_and_nonsense_are_refused),
        TEST(a_server_without_tls_is_stage_tls),
        TEST(a_silent_server_is_stage_timeout),
        TEST(a_proxy_that_is_not_there_is_stage_proxy),
        TEST(a_proxy_of_the_environment_that_is_not_there_is_stage_proxy),
        TEST(a_proxy_that_refuses_is_stage_proxy),
        TEST(a_proxy_that_hangs_up_is_stage_proxy),
        TEST(a_server_that_hangs_up_is_stage_tls),
        TEST(a_proxy_name_that_cannot_be_is_stage_proxy),
        TEST(a_ca_file_that_is_not_there_is_stage_tls),
        TEST(the_ca_file_stands_beside_the_anchors_of_the_system),
        TEST(freeing_drops_requests_without_a_callback),
        TEST(a_callback_may_free_everything),
        TEST(a_callback_may_ask_again),
        TEST(the_key_log_of_the_environment_is_ignored),
    };

    signal(SIGPIPE, SIG_IGN);
    snprintf(key_log, sizeof key_log, "/tmp/thunderseal-test-keylog-%d", (int)getpid());
    setenv("SSLKEYLOGFILE", key_log, 1);
    unsetenv("https_proxy");
    unsetenv("HTTPS_PROXY");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    if (sodium_init() < 0 || secret_arena_open() != 0 || https_global_init() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
