/* SPDX-License-Identifier: MPL-2.0 */
#include "service/keys_parts.h"
#include "service/service_parts.h"
void key_change_resume(struct keys *keys)
{
    (void)keys;
}
void key_change_free(struct key_change_run *change)
{
    (void)change;
}
json_t *method_key_show(struct service *service, struct rpc_request *request, struct problem *problem)
{
    (void)service;
    (void)request;
    (void)problem;
    return json_object();
}
json_t *method_key_change(struct service *service, struct rpc_request *request, struct problem *problem)
{
    (void)service;
    (void)request;
    (void)problem;
    return json_object();
}
