/* SPDX-License-Identifier: MPL-2.0 */
/* What doctor finds in the places of the system, which a test has below a folder of its own. */
#include "service/doctor.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define GOOD(path)                                                                                           \
    "{\"name\": \"thunderseal\", \"description\": \"x\", \"path\": \"" path                                  \
    "\", \"type\": \"stdio\", \"allowed_extensions\": [\"companion@thunderseal\"]}"

struct computer {
    char folder[64], system[96], home[96];
    struct doctor doctor;
};

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static int set_up(void **state)
{
    struct computer *computer = calloc(1, sizeof *computer);

    strcpy(computer->folder, "/tmp/thunderseal-doctor-XXXXXX");
    if (mkdtemp(computer->folder) == NULL)
        return -1;
    snprintf(computer->system, sizeof computer->system, "%s/system", computer->folder);
    snprintf(computer->home, sizeof computer->home, "%s/home", computer->folder);
    computer->doctor.roots =
        (struct doctor_roots){.system = computer->system, .home = computer->home, .program = "/bin/sh"};
    *state = computer;
    return mkdir(computer->system, 0700) == 0 && mkdir(computer->home, 0700) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    struct computer *computer = *state;

    doctor_clear(&computer->doctor);
    nftw(computer->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(computer);
    return 0;
}

/* Writes a file below the computer's folder, and the folders above it. */
static void put(const struct computer *computer, const char *name, const char *text)
{
    char path[512], *slash;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", computer->folder, name);
    for (slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static const json_t *last(const struct computer *computer)
{
    const json_t *checks = computer->doctor.checks.checks;

    return json_array_get(checks, json_array_size(checks) - 1);
}

static void assert_finds(const struct computer *computer, const char *status, const char *words)
{
    const char *detail = json_string_value(json_object_get(last(computer), "detail"));

    if (strcmp(json_string_value(json_object_get(last(computer), "status")), status) != 0 ||
        strstr(detail, words) == NULL)
        fail_msg("not \"%s\" with \"%s\": %s", status, words, json_dumps(last(computer), 0));
}

#define USER "home/.mozilla/native-messaging-hosts/thunderseal.json"
#define SYSTEM "system/usr/lib/mozilla/native-messaging-hosts/thunderseal.json"
#define SYSTEM_64 "system/usr/lib64/mozilla/native-messaging-hosts/thunderseal.json"

static void the_manifest_of_the_system_counts_where_the_user_has_none(void **state)
{
    struct computer *computer = *state;

    doctor_manifest(&computer->doctor);
    assert_finds(computer, "fail", "no native manifest");
    put(computer, SYSTEM_64, GOOD("/bin/sh"));
    doctor_manifest(&computer->doctor);
    assert_finds(computer, "ok", "/usr/lib64/mozilla/");
    put(computer, SYSTEM, GOOD("/bin/sh"));
    doctor_manifest(&computer->doctor);
    assert_finds(computer, "ok", "/usr/lib/mozilla/");
}

static void the_users_manifest_counts_before_the_systems(void **state)
{
    struct computer *computer = *state;

    put(computer, SYSTEM, GOOD("/bin/sh"));
    put(computer, USER, GOOD("/bin/cat"));
    doctor_manifest(&computer->doctor);
    assert_finds(computer, "warn", "Thunderbird starts /bin/cat");
    put(computer, USER, GOOD("/nowhere"));
    doctor_manifest(&computer->doctor);
    assert_finds(computer, "fail", "/nowhere, which is not there");
}

static void a_users_manifest_that_is_passed_over_is_to_be_removed(void **state)
{
    struct computer *computer = *state;
    const char *remedy;

    put(computer, SYSTEM, GOOD("/bin/sh"));
    put(computer, USER, "{}");
    doctor_manifest(&computer->doctor);
    assert_finds(computer, "warn", "Thunderbird passes over");
    remedy = json_string_value(json_object_get(last(computer), "remedy"));
    assert_non_null(strstr(remedy, "Run: rm /tmp/thunderseal-doctor-"));
    assert_int_equal(system(strstr(remedy, "rm ")), 0);
    doctor_manifest(&computer->doctor);
    assert_finds(computer, "ok", "/usr/lib/mozilla/");
    put(computer, USER, GOOD("/bin/sh"));
    put(computer, SYSTEM, "nonsense");
    doctor_manifest(&computer->doctor);
    assert_finds(computer, "ok", USER);
}

static void every_thunderbird_counts_by_its_version(void **state)
{
    struct computer *computer = *state;

    doctor_thunderbird(&computer->doctor);
    assert_finds(computer, "warn", "No Thunderbird was found");
    put(computer, "system/opt/thunderbird/application.ini", "[App]\nName=Thunderbird\nVersion=139.0.2\n");
    doctor_find_applications(&computer->doctor);
    doctor_thunderbird(&computer->doctor);
    assert_finds(computer, "fail", "version 139.0.2; Thunderseal needs 140");
    put(computer, "system/usr/lib/thunderbird/application.ini",
        "[App]\nVersion=140.12.0\nSourceRepository=https://hg.mozilla.org/releases/"
        "comm-esr140\n[Gecko]\nVersion=1\n");
    doctor_find_applications(&computer->doctor);
    doctor_thunderbird(&computer->doctor);
    assert_finds(computer, "warn", "version 139.0.2");
    put(computer, "system/opt/thunderbird/application.ini", "[App]\nVersion=153.7.0\n");
    doctor_clear(&computer->doctor);
    computer->doctor.roots = (struct doctor_roots){.system = computer->system, .home = computer->home};
    doctor_find_applications(&computer->doctor);
    doctor_thunderbird(&computer->doctor);
    assert_finds(computer, "ok", "140.12.0 ESR in /tmp/");
}

static void a_thunderbird_in_a_sandbox_is_told_by_its_kind(void **state)
{
    struct computer *computer = *state;

    doctor_sandboxes(&computer->doctor);
    assert_finds(computer, "ok", "No Thunderbird in a sandbox");
    put(computer, "system/var/lib/flatpak/app/net.thunderbird.Thunderbird/x", "");
    doctor_sandboxes(&computer->doctor);
    assert_finds(computer, "fail", "is a Flatpak: it cannot start programs outside");
    put(computer, "system/snap/thunderbird/current/x", "");
    doctor_sandboxes(&computer->doctor);
    assert_finds(computer, "fail", "is a snap: it starts programs only through the desktop's portal");
    put(computer, "system/usr/lib/thunderbird/application.ini", "[App]\nVersion=140.12.0\n");
    doctor_find_applications(&computer->doctor);
    doctor_sandboxes(&computer->doctor);
    assert_finds(computer, "warn", "is a snap");
}

#define ETC "system/etc/thunderbird/policies/policies.json"
#define DISTRIBUTION "system/usr/lib/thunderbird/distribution/policies.json"
#define BLOCKED "{\"policies\": {\"ExtensionSettings\": {\"*\": {\"installation_mode\": \"blocked\"}}}}"

static void the_policies_in_etc_count_instead_of_those_beside_the_program(void **state)
{
    struct computer *computer = *state;

    put(computer, "system/usr/lib/thunderbird/application.ini", "[App]\nVersion=140.12.0\n");
    doctor_find_applications(&computer->doctor);
    doctor_policies(&computer->doctor);
    assert_finds(computer, "ok", "none");
    put(computer, DISTRIBUTION, BLOCKED);
    doctor_policies(&computer->doctor);
    assert_finds(computer, "fail", "distribution/policies.json blocks all add-ons");
    put(computer, ETC, "{\"policies\": {}}");
    doctor_policies(&computer->doctor);
    assert_finds(computer, "ok", "/etc/thunderbird/policies/policies.json");
    put(computer, ETC, "[]");
    doctor_policies(&computer->doctor);
    assert_finds(computer, "fail", "no object \"policies\"");
}

static void an_add_on_that_came_since_the_last_start_needs_a_restart(void **state)
{
    struct computer *computer = *state;

    put(computer, "home/.thunderbird/profiles.ini",
        "[Profile0]\nPath=abc.default\nIsRelative=1\nDefault=1\n");
    put(computer, "home/.thunderbird/abc.default/extensions.json", "{\"addons\": []}");
    put(computer, "system/usr/lib/thunderbird/application.ini", "[App]\nVersion=140.12.0\n");
    doctor_find_profiles(&computer->doctor);
    doctor_find_applications(&computer->doctor);
    doctor_add_on(&computer->doctor);
    assert_finds(computer, "fail", "is not in the profile");
    put(computer, "system/usr/lib/thunderbird/extensions/companion@thunderseal.xpi", "x");
    doctor_add_on(&computer->doctor);
    assert_finds(computer, "fail", "has not taken it up");
    assert_string_equal(json_string_value(json_object_get(last(computer), "remedy")), "Restart Thunderbird.");
}

static void preferences_of_the_system_suppress_experiments_and_the_profile_allows_them(void **state)
{
    struct computer *computer = *state;

    put(computer, "home/.thunderbird/profiles.ini", "[Profile0]\nPath=abc.default\nIsRelative=1\n");
    put(computer, "home/.thunderbird/abc.default/extensions.json", "{\"addons\": []}");
    put(computer, "system/etc/thunderbird/pref/local.js",
        "// pref(\"extensions.experiments.suppressed\", false);\npref('extensions.experiments.suppressed' , "
        "true);\n");
    doctor_find_profiles(&computer->doctor);
    doctor_experiments(&computer->doctor);
    assert_finds(computer, "fail", "extensions.experiments.suppressed is set");
    put(computer, "home/.thunderbird/abc.default/prefs.js",
        "user_pref(\"extensions.experiments.allowed\", \"a@b , companion@thunderseal ,c@d\");\n");
    doctor_experiments(&computer->doctor);
    assert_finds(computer, "ok", "lets the add-on hand over tokens");
    put(computer, "home/.thunderbird/abc.default/prefs.js",
        "user_pref(\"extensions.experiments.allowed\", "
        "\"companion@thundersealed,xcompanion@thunderseal\");\n");
    doctor_experiments(&computer->doctor);
    assert_finds(computer, "fail", "extensions.experiments.suppressed is set");
}

static void a_file_of_somebody_else_is_not_to_be_believed(void **state)
{
    struct computer *computer = *state;
    json_t *check = check_new("program", NULL, CHECK_OK, "Program");
    char path[160];

    put(computer, "home/file", "x");
    snprintf(path, sizeof path, "%s/file", computer->home);
    assert_true(doctor_trusted(check, path));
    assert_int_equal(chmod(path, 0664), 0);
    assert_false(doctor_trusted(check, path));
    assert_int_equal(check_status(check), CHECK_FAIL);
    json_decref(check);
    /* Only root can give a file away; everybody sees that what belongs to root may be believed. */
    check = check_new("program", NULL, CHECK_OK, "Program");
    assert_true(doctor_trusted(check, "/bin/sh"));
    if (geteuid() == 0) {
        assert_int_equal(chmod(path, 0644), 0);
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_false(doctor_trusted(check, path));
        assert_non_null(strstr(json_string_value(json_object_get(check, "remedy")), "Run: chown root /tmp/"));
    }
    json_decref(check);
}

static void network_file_systems_are_known(void **state)
{
    (void)state;
    assert_string_equal(doctor_network_file_system(0x6969), "NFS");
    assert_string_equal(doctor_network_file_system((long)(int)0xff534d42), "CIFS");
    assert_null(doctor_network_file_system(0xef53));     /* ext4 */
    assert_null(doctor_network_file_system(0x01021994)); /* tmpfs */
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_manifest_of_the_system_counts_where_the_user_has_none),
        TEST(the_users_manifest_counts_before_the_systems),
        TEST(a_users_manifest_that_is_passed_over_is_to_be_removed),
        TEST(every_thunderbird_counts_by_its_version),
        TEST(a_thunderbird_in_a_sandbox_is_told_by_its_kind),
        TEST(the_policies_in_etc_count_instead_of_those_beside_the_program),
        TEST(an_add_on_that_came_since_the_last_start_needs_a_restart),
        TEST(preferences_of_the_system_suppress_experiments_and_the_profile_allows_them),
        TEST(a_file_of_somebody_else_is_not_to_be_believed),
        TEST(network_file_systems_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
