/* SPDX-License-Identifier: MPL-2.0 */
#include "net/mail_certificate.h"

#include <curl/curl.h>
#include <string.h>

static void take_name(char name[MAIL_NAME_SIZE], const char *value)
{
    mail_copy_line(name, MAIL_NAME_SIZE, value, strlen(value));
}

void mail_certificate_read(void *easy, struct mail_certificate *certificate)
{
    const struct curl_certinfo *chain = NULL;
    const struct curl_slist *fact;

    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL ||
        chain->num_of_certs < 1)
        return;
    /* The server's own comes first. */
    for (fact = chain->certinfo[0]; fact != NULL; fact = fact->next) {
        if (strncmp(fact->data, "Subject:", 8) == 0)
            take_name(certificate->name, fact->data + 8);
        else if (strncmp(fact->data, "Issuer:", 7) == 0)
            take_name(certificate->issuer, fact->data + 7);
        else if (strncmp(fact->data, "Expire date:", 12) == 0)
            certificate->expires = curl_getdate(fact->data + 12, NULL);
    }
    if (certificate->expires < 0)
        certificate->expires = 0;
}

enum mail_certificate_fault mail_certificate_fault_of(void *easy)
{
    long code = 0;

    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &code);
    switch (code) { /* OpenSSL's numbers: X509_V_ERR_… of openssl-verification-options(1) and x509_vfy.h */
    case 0:         /* the chain was good */
    case 1:         /* libcurl's beginning: it looks at the name first, once the handshake is through */
        return MAIL_CERTIFICATE_WRONG_NAME;
    case 9:
        return MAIL_CERTIFICATE_NOT_YET_VALID;
    case 10:
        return MAIL_CERTIFICATE_EXPIRED;
    case 18:
        return MAIL_CERTIFICATE_SELF_SIGNED;
    case 2:  /* no issuer found */
    case 19: /* a chain of its own */
    case 20:
    case 21:
        return MAIL_CERTIFICATE_UNKNOWN_ISSUER;
    case 62:
        return MAIL_CERTIFICATE_WRONG_NAME;
    default:
        return MAIL_CERTIFICATE_OTHER;
    }
}
