/* arguments.h -- the command line of tercet-bench, checked. */
#ifndef BENCH_ARGUMENTS_H
#define BENCH_ARGUMENTS_H

#include <stdbool.h>

#include "load.h"
#include "participant.h"

struct arguments {
    struct load_options load;
    const struct store_kind *store;  /* the participants' */
    const char *participant_program; /* of each participant; NULL: this one */
    const char *database;            /* where its server is; NULL: it has none */
    uint32_t batch_max;              /* 0: the store's default */
    const char *coordinator;         /* NULL: beside this program */
    const char *directory;
    uint32_t connections; /* to each participant */
    uint32_t open;        /* transactions that stay open beside the load */
    bool floors;          /* measure them, too */
    bool json;
    bool unary_only;         /* of the initiator: no ExecuteStream */
    bool participant_stream; /* the coordinator uses Work where it is served */
};

/* Fills in the defaults, then what the words say.  Wrong use ends the process with 64, after a line that
 * says what is wrong. */
void arguments_parse(int count, char **words, struct arguments *arguments_out);

/* Whether each branch goes to its participant by a unary call. */
bool arguments_are_unary(const struct arguments *arguments);

#endif
