/* service.h -- the frame of a service: flags, database, demo data, serving until SIGTERM.
 *
 *   account --database account.db --seed     adds the demo data, once, and ends
 *   account --database account.db            serves
 *   account --store postgres --database 'dbname=account'
 *
 * Each of the four services is a program of its own with a database of its own.  They share this
 * frame and call.h, and nothing of their business. */
#ifndef SAMPLES_PAYMENT_COMMON_SERVICE_H
#define SAMPLES_PAYMENT_COMMON_SERVICE_H

#include "common/call.h"

struct service {
    const char *name;   /* default of --name, and the program's */
    const char *listen; /* default of --listen */
    const char *about;  /* one sentence for --help */
    const char *schema_sql;
    /* Adds demo data set number :set, see seed.h. */
    const char *seed_sql;
    const char *action; /* the one action that it serves */
    struct call_table table;
};

/* The whole program.  Returns its exit code: 0, 1 (cannot serve; the reason is on standard error)
 * or EXIT_USAGE. */
int service_main(const struct service *service, int argc, char **argv);

#endif
