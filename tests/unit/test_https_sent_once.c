/* SPDX-License-Identifier: MPL-2.0 */
/* A token request leaves this machine at most once, even when a connection kept from an earlier one breaks
 * (DESIGN section 3.3). The server is `openssl s_server`: what it prints is what came over TLS, what it is
 * told is what it sends, and "q" cuts the connection without a word and waits for the next. */
#include "net/https.h"

#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 20000
#define TIMEOUT_MS 10000

static const char form_text[] = "grant_type=refresh_token&refresh_token=0.AXYZ";
static const char answer_text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

static char folder[] = "/tmp/thunderseal-test-XXXXXX";
static char certificate[64];
static char key[64];

struct fixture {
    struct loop *loop;
    struct https *https;
    pid_t server;
    int to_server;
    int from_server;
    struct loop_watch *watch;
    char heard[65536];
    size_t heard_length;
    char url[64];
    int requests; /* whole forms that the server has got */
    int answered; /* so many of them get an answer, the others a broken connection */
    int answers;
    char stage[16];
    long status;
};

static void on_deadline(void *context)
{
    (void)context;
    fail_msg("the event did not come");
}

static void tell(const struct fixture *fixture, const char *text)
{
    assert_int_equal(write(fixture->to_server, text, strlen(text)), strlen(text));
}

static int count(const char *text, const char *wanted)
{
    int found = 0;

    while ((text = strstr(text, wanted)) != NULL) {
        found++;
        text += strlen(wanted);
    }
    return found;
}

/* The first words of the server name its port; after that it prints requests. */
static void on_heard(void *context, int fd, unsigned ready)
{
    static const char port_words[] = "ACCEPT 127.0.0.1:";
    struct fixture *fixture = context;
    size_t room = sizeof fixture->heard - 1 - fixture->heard_length;
    ssize_t got = read(fd, fixture->heard + fixture->heard_length, room);
    const char *port;

    (void)ready;
    assert_true(got > 0);
    fixture->heard_length += (size_t)got;
    port = strstr(fixture->heard, port_words);
    if (fixture->url[0] == '\0' && port != NULL && strchr(port, '\n') != NULL) {
        snprintf(fixture->url, sizeof fixture->url, "https://127.0.0.1:%d/token",
                 atoi(port + sizeof port_words - 1));
        loop_stop(fixture->loop);
    }
    while (fixture->requests < count(fixture->heard, form_text))
        tell(fixture, fixture->requests++ < fixture->answered ? answer_text : "q\n");
}

static void start_server(struct fixture *fixture)
{
    int input[2];
    int output[2];

    assert_int_equal(pipe(input), 0);
    assert_int_equal(pipe(output), 0);
    fixture->server = fork();
    assert_true(fixture->server >= 0);
    if (fixture->server == 0) {
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        close(input[1]);
        close(output[0]);
        execlp("openssl", "openssl", "s_server", "-4", "-accept", "127.0.0.1:0", "-cert", certificate, "-key",
               key, (char *)NULL);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    fixture->to_server = input[1];
    fixture->from_server = output[0];
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->loop = loop_new();
    assert_non_null(fixture->loop);
    loop_timer_start(fixture->loop, DEADLINE_MS, on_deadline, NULL);
    start_server(fixture);
    fixture->watch = loop_watch_fd(fixture->loop, fixture->from_server, LOOP_READ, on_heard, fixture);
    loop_run(fixture->loop);
    fixture->https = https_new(fixture->loop, certificate, "");
    assert_non_null(fixture->https);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    https_free(fixture->https);
    loop_unwatch(fixture->loop, fixture->watch);
    loop_free(fixture->loop);
    close(fixture->to_server);
    close(fixture->from_server);
    kill(fixture->server, SIGKILL);
    waitpid(fixture->server, NULL, 0);
    free(fixture);
    return 0;
}

static void on_answer(void *context, struct https_answer *answer)
{
    struct fixture *fixture = context;

    fixture->answers++;
    fixture->status = answer->status;
    snprintf(fixture->stage, sizeof fixture->stage, "%s",
             answer->failed_stage == NULL ? "" : answer->failed_stage);
    assert_null(strstr(answer->detail, "0.AXYZ"));
    loop_stop(fixture->loop);
}

static void post(struct fixture *fixture)
{
    struct secret form = {0};

    assert_int_equal(secret_set(&form, form_text, sizeof form_text - 1), 0);
    assert_int_equal(https_post_form(fixture->https, fixture->url, &form, HTTPS_TOKEN_ANSWER_MAX, TIMEOUT_MS,
                                     on_answer, fixture),
                     0);
    loop_run(fixture->loop);
}

/* --- promises --- */

static void requests_in_a_row_share_a_connection(void **state)
{
    struct fixture *fixture = *state;

    fixture->answered = 3;
    for (int i = 0; i < 3; i++) {
        post(fixture);
        assert_string_equal(fixture->stage, "");
        assert_int_equal(fixture->status, 200);
    }
    assert_int_equal(fixture->requests, 3);
    assert_int_equal(count(fixture->heard, "BEGIN SSL SESSION"), 1);
    assert_int_equal(count(fixture->heard, "Content-Length: 45\r\n"), 3);
    assert_int_equal(count(fixture->heard, "Content-Type: application/x-www-form-urlencoded\r\n"), 3);
    assert_int_equal(count(fixture->heard, "Expect:"), 0);
    assert_int_equal(count(fixture->heard, "Transfer-Encoding:"), 0);
}

static void a_kept_connection_that_breaks_is_an_error_and_no_second_request(void **state)
{
    struct fixture *fixture = *state;

    fixture->answered = 1;
    post(fixture);
    assert_int_equal(fixture->status, 200);
    post(fixture);
    assert_string_equal(fixture->stage, "http");
    assert_int_equal(fixture->answers, 2);
    assert_int_equal(fixture->requests, 2);
    assert_int_equal(count(fixture->heard, "BEGIN SSL SESSION"), 1);
}

static void a_new_connection_that_breaks_is_an_error_and_no_second_request(void **state)
{
    struct fixture *fixture = *state;

    post(fixture);
    assert_string_equal(fixture->stage, "http");
    assert_int_equal(fixture->requests, 1);
}

static void after_a_break_the_next_request_is_answered(void **state)
{
    struct fixture *fixture = *state;

    post(fixture);
    fixture->answered = 2;
    post(fixture);
    assert_int_equal(fixture->status, 200);
    assert_int_equal(fixture->requests, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int make_certificate(void **state)
{
    char command[512];

    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
    snprintf(key, sizeof key, "%s/key.pem", folder);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test "
             "-addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null",
             key, certificate);
    return system(command) == 0 ? 0 : -1;
}

static int remove_certificate(void **state)
{
    (void)state;
    unlink(certificate);
    unlink(key);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_in_a_row_share_a_connection),
        TEST(a_kept_connection_that_breaks_is_an_error_and_no_second_request),
        TEST(a_new_connection_that_breaks_is_an_error_and_no_second_request),
        TEST(after_a_break_the_next_request_is_answered),
    };

    signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0 || secret_arena_open() != 0 || https_global_init() != 0)
        return 1;
    return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
