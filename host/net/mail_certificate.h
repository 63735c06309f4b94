/* SPDX-License-Identifier: MPL-2.0 */
/* What libcurl knows of a server's certificate. For mail_connection.c; easy is a CURL. */
#ifndef THUNDERSEAL_NET_MAIL_CERTIFICATE_H
#define THUNDERSEAL_NET_MAIL_CERTIFICATE_H

#include "core/mail_result.h"

/* Name, issuer and expiry of the certificate that was shown, where CURLOPT_CERTINFO was set and it was seen.
 */
void mail_certificate_read(void *easy, struct mail_certificate *certificate);
/* Why it was refused. */
enum mail_certificate_fault mail_certificate_fault_of(void *easy);

#endif
