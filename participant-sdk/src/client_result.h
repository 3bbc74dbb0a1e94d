/* client_result.h -- the answer that the caller gets, made of the coordinator's messages.
 *
 * A result owns the message that it was made from and points into it.  Nothing in it is believed
 * beyond its meaning: an outcome stands only when the reply is of the gid that was asked for, its
 * outcome is a value that this version knows, and its state does not contradict it. */
#ifndef TERCET_SRC_CLIENT_RESULT_H
#define TERCET_SRC_CLIENT_RESULT_H

#include "src/client_policy.h"
#include "tercet/client.h"
#include "tercet/v1/coordinator.pb-c.h"

TERCET_BEGIN_DECLS

/* What a Transaction says about the question: was `wait` reached for `gid`? */
enum client_answer client_answer_transaction(const Tercet__V1__Transaction *reply, const char *gid,
                                             enum tercet_wait wait);

/* What a TryReply says. */
enum client_answer client_answer_try(const Tercet__V1__TryReply *reply);

/* A result without an answer; `gid` is copied, NULL is "". */
struct tercet_result *client_result_create(const char *gid);

/* Replace what the coordinator has told.  The message is taken. */
void client_result_take_transaction(struct tercet_result *base, Tercet__V1__Transaction *reply);
void client_result_take_try(struct tercet_result *base, Tercet__V1__TryReply *reply,
                            uint32_t number);

/* How the call ended: code and text are copied and cut to fit; NULL is "". */
void client_result_set_status(struct tercet_result *base, enum tercet_status status,
                              const char *code, const char *text);

/* The verdict of the TryReply that it took; UNSPECIFIED without one. */
enum tercet_verdict client_result_verdict(const struct tercet_result *base);

TERCET_END_DECLS

#endif
