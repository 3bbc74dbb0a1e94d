/* asker.c -- see asker.h. */
#include "src/asker.h"

#include "rpc/rpc_answers.h"
#include "src/work.h"

void asker_reply(const struct asker *asker, const Tercet__V1__BranchReply *reply)
{
    if (asker->call != NULL) {
        rpc_unary_reply(asker->call, &reply->base);
    } else {
        work_answer(asker, reply);
    }
}

void asker_fail(const struct asker *asker, enum tercet_status status, const char *text)
{
    if (asker->call != NULL) {
        rpc_unary_fail(asker->call, status, text, NULL);
    } else {
        work_fail(asker, status, text);
    }
}

uint32_t asker_timeout_ms(const struct asker *asker)
{
    return asker->call != NULL ? rpc_unary_timeout_ms(asker->call) : TERCET_FOREVER;
}

void asker_announce(const struct asker *asker)
{
    if (asker->stream != NULL) {
        rpc_answers_announce(asker->stream);
    }
}
