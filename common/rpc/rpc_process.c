/* rpc_process.c -- see rpc_process.h.
 *
 * The mutex guards only the list of log users.  It is held while a line is handed over, so that a
 * runtime's log function is never called after rpc_process_leave(); core is never called under it,
 * since core may log at any time. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "rpc/rpc_process.h"

#include <dlfcn.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/thread.h"

enum { LINE_SIZE = 512 };

static pthread_once_t process_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t process_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rpc_process_user *process_users; /* oldest first */

/* The part of core's file name that says something. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void route_log(gpr_log_func_args *args)
{
    if (args->severity != GPR_LOG_SEVERITY_ERROR) {
        return;
    }
    char line[LINE_SIZE];
    (void)snprintf(line, sizeof line, "%s (%s:%d)", args->message, base_name(args->file),
                   args->line);
    for (char *at = line; *at != '\0'; at++) {
        if (*at == '\n') {
            *at = ' ';
        }
    }
    pthread_mutex_lock(&process_mutex);
    for (const struct rpc_process_user *user = process_users; user != NULL; user = user->next) {
        if (user->log != NULL) {
            user->log(line, user->log_context);
            break;
        }
    }
    pthread_mutex_unlock(&process_mutex);
}

/* Debian builds abseil without NDEBUG: its mutexes then end the process on a potential cycle of lock
 * orders, and core has such.  Found by name so that we do not depend on it; where the symbol is
 * absent there is nothing to disarm. */
static void disarm_deadlock_detector(void)
{
    static const char name[] =
        "_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE";
    void (*set_mode)(int) = NULL;
    void *const symbol = dlsym(RTLD_DEFAULT, name);
    static_assert(sizeof symbol == sizeof set_mode, "dlsym gives functions too");
    memcpy(&set_mode, &symbol, sizeof set_mode);
    if (set_mode != NULL) {
        set_mode(0); /* kIgnore */
    }
}

static void prepare_process(void)
{
    disarm_deadlock_detector();
    gpr_set_log_function(route_log);
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
}

/* Two system calls less for each call that one of our threads makes: they have all signals blocked. */
void rpc_signals_block(sigset_t *before_out)
{
    sigset_t all;
    if (thread_is_ours()) {
        return;
    }
    (void)sigfillset(&all);
    tercet_assert(pthread_sigmask(SIG_BLOCK, &all, before_out) == 0);
}

void rpc_signals_restore(const sigset_t *before)
{
    if (!thread_is_ours()) {
        tercet_assert(pthread_sigmask(SIG_SETMASK, before, NULL) == 0);
    }
}

void rpc_process_enter(struct rpc_process_user *user)
{
    (void)pthread_once(&process_once, prepare_process);
    user->next = NULL;
    pthread_mutex_lock(&process_mutex);
    struct rpc_process_user **link = &process_users;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = user;
    pthread_mutex_unlock(&process_mutex);
    grpc_init();
}

void rpc_process_leave(struct rpc_process_user *user)
{
    grpc_shutdown();
    pthread_mutex_lock(&process_mutex);
    struct rpc_process_user **link = &process_users;
    while (*link != NULL && *link != user) {
        link = &(*link)->next;
    }
    tercet_assert(*link == user);
    *link = user->next;
    pthread_mutex_unlock(&process_mutex);
}
