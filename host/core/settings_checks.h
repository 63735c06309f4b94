/* SPDX-License-Identifier: MPL-2.0 */
/* How the values of the configuration's keys are checked; for settings_table.c. */
#ifndef THUNDERSEAL_CORE_SETTINGS_CHECKS_H
#define THUNDERSEAL_CORE_SETTINGS_CHECKS_H

#include "core/settings.h"

/* Lists that stand in settings_table.c and hold for parts of values too; ended by NULL. */
extern const char *const settings_clouds[], *const settings_flows[];
extern const char settings_clouds_text[], settings_flows_text[]; /* what they say, as texts */

/* What the value must be, or NULL when it is that. */
const char *settings_check_tenant(const json_t *value);
const char *settings_check_client_id(const json_t *value);
const char *settings_check_public_key(const json_t *value);
const char *settings_check_path(const json_t *value);
const char *settings_check_proxy(const json_t *value);
const char *settings_check_bool(const json_t *value);
const char *settings_check_locale(const json_t *value);

/* Tell each part that is wrong. */
void settings_check_custom(const json_t *value, struct settings_faults *faults);
void settings_check_flows(const json_t *value, struct settings_faults *faults);
void settings_check_domains(const json_t *value, struct settings_faults *faults);
void settings_check_accounts(const json_t *value, struct settings_faults *faults);
void settings_check_audit(const json_t *value, struct settings_faults *faults);

/* Whether the value is one of these texts. */
bool settings_one_of(const json_t *value, const char *const *names);
/* Tells what the value that the pointer names must be; NULL: nothing is wrong. */
void settings_tell(struct settings_faults *faults, const char *expected TEXTS);
/* Tells that its member is not known. */
void settings_tell_unknown(struct settings_faults *faults, const json_t *object, const char *member,
                           const char *near);

#endif
