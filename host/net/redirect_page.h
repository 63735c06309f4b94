/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The fixed pages that the browser gets from the loopback redirect. Nothing of a request ever appears in
 * them.
 */
#ifndef THUNDERSEAL_NET_REDIRECT_PAGE_H
#define THUNDERSEAL_NET_REDIRECT_PAGE_H

#include <microhttpd.h>

enum redirect_page { REDIRECT_PAGE_NOT_FOUND, REDIRECT_PAGE_RECEIVED, REDIRECT_PAGE_REFUSED };

/* Queues the page with its status and headers; the connection ends after it. */
enum MHD_Result redirect_page_queue(struct MHD_Connection *connection, enum redirect_page page);

#endif
