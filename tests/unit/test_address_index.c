/* SPDX-License-Identifier: MPL-2.0 */
/* The index of addresses says what a walk through all entries would say, whatever happened before. */
#include "core_support.h"
#include "service/service_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES 24
#define ADDRESSES 40
#define ROUNDS 20000

static struct service *service;
static struct entry *entries[ENTRIES];

static struct entry *make_entry(unsigned number)
{
    struct identity_key key = {.authority = "https://login.test", .tenant = "t", .client_id = "c"};

    snprintf(key.sign_in_as, sizeof key.sign_in_as, "who%u@contoso.test", number);
    return entry_make(service, &key);
}

static int open_service(void **state)
{
    struct problem problem;
    unsigned i;

    service = calloc(1, sizeof *service);
    if (service == NULL || core_open(state) != 0)
        return -1;
    /* One that is not there: nothing is read or written. */
    service->vault = vault_open("/nonexistent/thunderseal", "file", &problem);
    if (service->vault == NULL)
        return -1;
    for (i = 0; i < ENTRIES; i++)
        entries[i] = make_entry(i);
    return 0;
}

static int close_service(void **state)
{
    entries_free(service);
    assert_int_equal(service->vacant_count, 0);
    vault_close(service->vault);
    free(service);
    return core_close(state);
}

/* Sometimes in capitals: names are compared without case. */
static void name_address(char name[ACCOUNT_NAME_SIZE], uint32_t random)
{
    snprintf(name, ACCOUNT_NAME_SIZE, random & 1 ? "user%u@contoso.test" : "USER%u@Contoso.test",
             (random >> 8) % ADDRESSES);
}

static bool has(const struct entry *entry, const char *account)
{
    json_t *address;
    size_t i;

    json_array_foreach(entry->addresses, i, address)
    {
        if (account_name_equal(json_string_value(address), account))
            return true;
    }
    return false;
}

static void check(const char *account)
{
    const struct entry *found = entry_of(service, account), *entry;
    bool moves = false, served = false;
    size_t vacant = 0;

    for (entry = service->entries; entry != NULL; entry = entry->next) {
        moves = moves || account_name_equal(entry->moving, account);
        served = served || has(entry, account);
        vacant += json_array_size(entry->addresses) == 0 ? 1 : 0;
        assert_int_equal(entry_has_address(entry, account), has(entry, account));
    }
    assert_int_equal(service->vacant_count, vacant);
    assert_int_equal(found != NULL, moves || served);
    if (found != NULL)
        assert_true(moves ? account_name_equal(found->moving, account) : has(found, account));
}

static void the_index_agrees_with_the_lists(void **state)
{
    char name[ACCOUNT_NAME_SIZE];
    uint32_t random = 7;
    size_t round;

    (void)state;
    for (round = 0; round < ROUNDS; round++) {
        struct entry *entry;
        random = random * 1664525U + 1013904223U;
        entry = entries[(random >> 16) % ENTRIES];
        name_address(name, random);
        switch ((random >> 24) % 8) {
        case 0:
            entry_clear_addresses(entry);
            break;
        case 1:
            entry_set_moving(entry, name);
            break;
        case 2:
            entry_set_moving(entry, "");
            break;
        case 3:
        case 4:
            entry_remove_address(entry, name);
            break;
        default:
            assert_int_equal(entry_add_address(entry, name), 0);
        }
        check(name);
    }
}

static void an_address_that_moves_is_spoken_for_by_where_it_goes(void **state)
{
    (void)state;
    assert_int_equal(entry_add_address(entries[0], "moves@contoso.test"), 0);
    entry_set_moving(entries[1], "Moves@contoso.test");
    assert_ptr_equal(entry_of(service, "moves@contoso.test"), entries[1]);
    assert_ptr_equal(entry_other_with(entries[1], "moves@contoso.test"), entries[0]);
    entry_set_moving(entries[1], "");
    assert_ptr_equal(entry_of(service, "moves@contoso.test"), entries[0]);
    assert_null(entry_other_with(entries[0], "moves@contoso.test"));
}

static void swept_entries_are_found_no_more(void **state)
{
    const struct identity_key key = entries[2]->identity.key;
    size_t i;

    (void)state;
    for (i = 0; i < ENTRIES; i++) {
        entry_set_moving(entries[i], "");
        entry_clear_addresses(entries[i]);
    }
    assert_int_equal(entry_add_address(entries[3], "stays@contoso.test"), 0);
    entry_set_moving(entries[4], "comes@contoso.test");
    entries_sweep(service);
    assert_null(entry_by_key(service, &key));
    assert_ptr_equal(entry_of(service, "stays@contoso.test"), entries[3]);
    assert_ptr_equal(entry_of(service, "comes@contoso.test"), entries[4]);
    assert_int_equal(service->vacant_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_agrees_with_the_lists),
        cmocka_unit_test(an_address_that_moves_is_spoken_for_by_where_it_goes),
        cmocka_unit_test(swept_entries_are_found_no_more),
    };
    return cmocka_run_group_tests(tests, open_service, close_service);
}
