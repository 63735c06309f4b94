/* SPDX-License-Identifier: MPL-2.0 */
#ifndef THUNDERSEAL_SERVICE_NATIVE_H
#define THUNDERSEAL_SERVICE_NATIVE_H

/* The only add-on that may talk to this program (protocol section 1). */
#define EXTENSION_ID "companion@thunderseal"

/* Serves Thunderbird on stdin and stdout until the input ends. The exit status. */
int native_run(void);

#endif
