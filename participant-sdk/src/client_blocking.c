/* client_blocking.c -- the calls that wait: execute, the steps, and asking again.
 *
 * The caller's thread does everything: it sends, sleeps until the attempt has ended, judges it,
 * sleeps the back-off and sends again. */
#include <stdio.h>

#include "base/error.h"
#include "src/client_core.h"
#include "src/client_result.h"
#include "src/moment.h"
#include "tercet/client.h"

/* Where the caller sleeps while an attempt is under way. */
struct bench {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool ended;
};

static void attempt_ended(struct client_call *call)
{
    struct bench *bench = call->owner;

    (void)pthread_mutex_lock(&bench->mutex);
    bench->ended = true;
    (void)pthread_cond_signal(&bench->condition);
    (void)pthread_mutex_unlock(&bench->mutex);
}

/* Until the attempt has ended, or (until_ms) the back-off is over. */
static void sit(struct bench *bench, int64_t until_ms)
{
    (void)pthread_mutex_lock(&bench->mutex);
    while (!bench->ended && moment_ms() < until_ms) {
        moment_condition_wait(&bench->condition, &bench->mutex, until_ms);
    }
    bench->ended = false;
    (void)pthread_mutex_unlock(&bench->mutex);
}

static void carry(struct tercet_client *client, struct client_call *call)
{
    struct bench bench = {.ended = false};
    uint32_t delay_ms = 0;
    bool finished = false;

    (void)pthread_mutex_init(&bench.mutex, NULL);
    moment_condition_init(&bench.condition);
    /* cppcheck-suppress autoVariables ; every attempt has ended when this function returns */
    call->owner = &bench;
    call->ended = attempt_ended;
    while (!finished) {
        if (!client_attempt(client, call)) {
            client_call_give_up(call, TERCET_CALL_CANCELLED, "the client was destroyed");
            break;
        }
        sit(&bench, INT64_MAX);
        finished = client_call_judge(call, false, &delay_ms) == CLIENT_FINISH;
        if (!finished) {
            client_turn(client, call);
            sit(&bench, moment_ms() + delay_ms);
        }
    }
    (void)pthread_cond_destroy(&bench.condition);
    (void)pthread_mutex_destroy(&bench.mutex);
}

/* A result for what never was sent. */
static struct tercet_result *refuse(const char *gid, const struct tercet_error *error,
                                    bool not_started)
{
    struct tercet_result *result = client_result_create(gid);
    client_result_set_status(result, error->status, "", error->text);
    result->outcome = not_started ? TERCET_OUTCOME_NOT_STARTED : TERCET_OUTCOME_UNKNOWN;
    return result;
}

/* Carries out the request, which is taken; `status` is how making it went. */
static struct tercet_result *run(struct tercet_client *client, struct client_request *request,
                                 uint32_t timeout_ms, enum tercet_status status,
                                 struct tercet_error *error, const char *gid)
{
    const bool execute = request->method == CLIENT_EXECUTE;

    if (status == TERCET_OK && client == NULL) {
        status = error_set(error, TERCET_INVALID_ARGUMENT, "client: must not be NULL");
    }
    if (status == TERCET_OK && client_workers_on()) {
        status = error_set(error, TERCET_FAILED_PRECONDITION,
                           "a blocking call was made from a callback");
    }
    if (status == TERCET_OK) {
        status = client_enter(client, error);
    }
    if (status != TERCET_OK) {
        client_request_deinit(request);
        return refuse(gid, error, execute);
    }
    struct client_call *call = client_call_create(request, timeout_ms, client->reach_timeout_ms);
    carry(client, call);
    struct tercet_result *result = call->result;
    call->result = NULL;
    client_call_destroy(call);
    client_leave(client);
    return result;
}

static enum tercet_outcome deliver(struct tercet_result *result, struct tercet_result **result_out)
{
    const enum tercet_outcome outcome = result->outcome;

    if (result_out != NULL) {
        *result_out = result;
    } else {
        tercet_result_destroy(result);
    }
    return outcome;
}

enum tercet_outcome tercet_client_execute(struct tercet_client *client,
                                          const struct tercet_transaction *transaction,
                                          struct tercet_result **result_out)
{
    struct client_request request = {.method = CLIENT_EXECUTE};
    struct tercet_error error = {0};
    const enum tercet_status status =
        client_request_execute(transaction, moment_unix_ms(), &request, &error);
    const char *gid = status == TERCET_OK ? transaction->gid : "";
    return deliver(run(client, &request, request.timeout_ms, status, &error, gid), result_out);
}

enum tercet_status tercet_client_begin(struct tercet_client *client,
                                       const struct tercet_transaction *transaction,
                                       struct tercet_error *error_out)
{
    struct client_request request = {.method = CLIENT_BEGIN};
    struct tercet_error error = {0};
    enum tercet_status status =
        client_request_begin(transaction, moment_unix_ms(), &request, &error);
    uint32_t timeout_ms = request.timeout_ms;
    if (timeout_ms == 0 && client != NULL) {
        timeout_ms = client->step_timeout_ms;
    }
    struct tercet_result *result = run(client, &request, timeout_ms, status, &error, "");

    status = result->status;
    if (status != TERCET_OK) {
        (void)error_set(error_out, status, "%s", result->status_text);
    } else if (result->outcome != TERCET_OUTCOME_UNKNOWN) {
        status = error_set(error_out, TERCET_FAILED_PRECONDITION, "%s is decided already: %s",
                           result->gid, tercet_outcome_name(result->outcome));
    }
    tercet_result_destroy(result);
    return status;
}

static uint32_t step_timeout_ms(const struct tercet_client *client)
{
    return client == NULL ? 0 : client->step_timeout_ms;
}

enum tercet_verdict tercet_client_try(struct tercet_client *client, const char *gid,
                                      uint32_t number, const struct tercet_branch *branch,
                                      struct tercet_result **result_out)
{
    struct client_request request = {.method = CLIENT_TRY};
    struct tercet_error error = {0};
    const enum tercet_status status = client_request_try(gid, number, branch, &request, &error);
    struct tercet_result *result =
        run(client, &request, step_timeout_ms(client), status, &error, gid);
    const enum tercet_verdict verdict = client_result_verdict(result);
    (void)deliver(result, result_out);
    return verdict;
}

enum tercet_outcome tercet_client_confirm(struct tercet_client *client, const char *gid,
                                          struct tercet_result **result_out)
{
    struct client_request request = {.method = CLIENT_CONFIRM};
    struct tercet_error error = {0};
    const enum tercet_status status = client_request_confirm(gid, &request, &error);
    return deliver(run(client, &request, step_timeout_ms(client), status, &error, gid), result_out);
}

enum tercet_outcome tercet_client_cancel(struct tercet_client *client, const char *gid,
                                         const char *text, struct tercet_result **result_out)
{
    struct client_request request = {.method = CLIENT_CANCEL};
    struct tercet_error error = {0};
    const enum tercet_status status = client_request_cancel(gid, text, &request, &error);
    return deliver(run(client, &request, step_timeout_ms(client), status, &error, gid), result_out);
}

enum tercet_outcome tercet_client_query(struct tercet_client *client, const char *gid,
                                        enum tercet_wait wait, uint32_t timeout_ms,
                                        struct tercet_result **result_out)
{
    struct client_request request = {.method = CLIENT_GET};
    struct tercet_error error = {0};
    const enum tercet_status status = client_request_get(gid, wait, &request, &error);
    /* The network's time is not the caller's: what is answered at once still has to arrive. */
    const bool at_once = timeout_ms == 0 || wait == TERCET_WAIT_BEGIN;
    const uint32_t patience_ms = at_once ? step_timeout_ms(client) : timeout_ms;
    return deliver(run(client, &request, patience_ms, status, &error, gid), result_out);
}
