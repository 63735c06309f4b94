/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Anchors: an envelope's header names how far the log went when it was sealed. A log that has lost its end
 * since cannot keep that from whoever holds the device key.
 */
#include "vault/audit_internal.h"

#include "vault/vault_internal.h"

#include <sodium.h>
#include <string.h>

void audit_expect_place(struct audit *audit, const struct audit_place *place)
{
    if (place->seq > audit->expected.seq)
        audit->expected = *place;
}

static int key_id_hex(const struct audit *audit, char hex[2 * ENVELOPE_KEY_ID_SIZE + 1])
{
    if (!audit->vault->has_key)
        return -1;
    sodium_bin2hex(hex, 2 * ENVELOPE_KEY_ID_SIZE + 1, audit->vault->key.recipient.id, ENVELOPE_KEY_ID_SIZE);
    return 0;
}

/* An anchor must not outlive what it names: the log is on disk before the envelope is. */
static void bring_up_to_date(struct audit *audit)
{
    struct problem problem;
    struct audit_file file;

    if (!audit_may_try(audit) || audit_flush(audit, &problem) != 0 ||
        audit->seen.unnoted.damage != AUDIT_SOUND)
        return;
    /* What other processes appended counts too. */
    if (audit->synced != audit->offset) {
        bool safe = audit_file_open(&file, audit->vault, false, &problem) == AUDIT_FILE_HAD &&
                    audit_file_sync(&file, &problem) == 0;
        audit_file_close(&file);
        if (!safe)
            return;
        audit->synced = audit->offset;
    }
    audit->expected = audit->seen.at;
}

json_t *audit_anchor(struct audit *audit, int64_t now)
{
    char key_id[2 * ENVELOPE_KEY_ID_SIZE + 1], mac[2 * AUDIT_MAC_SIZE + 1];

    audit->now = now;
    if (audit->enabled)
        bring_up_to_date(audit);
    /* Only then: it may have turned out that the key was changed. */
    if (key_id_hex(audit, key_id) != 0 || audit->expected.seq == 0)
        return NULL;
    sodium_bin2hex(mac, sizeof mac, audit->expected.mac, sizeof audit->expected.mac);
    return json_pack("{s:s, s:I, s:s}", "key", key_id, "count", (json_int_t)audit->expected.seq, "head", mac);
}

/* That of another key speaks of another log: a backup's, or the one before the key was changed. */
void audit_expect(struct audit *audit, const json_t *anchor)
{
    const char *key = json_string_value(json_object_get(anchor, "key"));
    const char *head = json_string_value(json_object_get(anchor, "head"));
    char key_id[2 * ENVELOPE_KEY_ID_SIZE + 1];
    struct audit_place place = {.seq = (uint64_t)json_integer_value(json_object_get(anchor, "count"))};
    size_t length = 0;

    audit_mind_key(audit);
    if (key == NULL || head == NULL || key_id_hex(audit, key_id) != 0 || strcmp(key, key_id) != 0 ||
        sodium_hex2bin(place.mac, sizeof place.mac, head, strlen(head), NULL, &length, NULL) != 0 ||
        length != sizeof place.mac)
        return;
    audit_expect_place(audit, &place);
}
