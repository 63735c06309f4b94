/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tells the one right request at the loopback redirect from all others, inside libmicrohttpd's calls. Right
 * answers are put aside for the listener to deliver when libmicrohttpd has returned.
 */
#ifndef THUNDERSEAL_NET_REDIRECT_REQUESTS_H
#define THUNDERSEAL_NET_REDIRECT_REQUESTS_H

#include "net/redirect_listener.h"

#include <microhttpd.h>

struct redirect_requests {
    struct secret state; /* what the answer must carry; empty: everything is refused */
    uint16_t port;
    bool closed; /* the listener is: nothing is right any more */
    struct redirect_answer arrived[REDIRECT_CONNECTIONS_MAX];
    size_t arrived_count;
    size_t answering; /* right answers whose pages are not yet sent */
};

/* For MHD_OPTION_URI_LOG_CALLBACK, MHD_start_daemon and MHD_OPTION_NOTIFY_COMPLETED; context is the above. */
void *redirect_requests_target(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result redirect_requests_handle(void *context, struct MHD_Connection *connection, const char *url,
                                         const char *method, const char *version, const char *upload,
                                         size_t *upload_size, void **request_context);
void redirect_requests_completed(void *context, struct MHD_Connection *connection, void **request_context,
                                 enum MHD_RequestTerminationCode code);

#endif
