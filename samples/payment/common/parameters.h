/* parameters.h -- a statement's ":name" in the words of a database that counts its parameters. */
#ifndef SAMPLES_PAYMENT_COMMON_PARAMETERS_H
#define SAMPLES_PAYMENT_COMMON_PARAMETERS_H

#include "common/books.h"

enum { PARAMETERS_MAX = 32, PARAMETERS_SQL_SIZE = 2048 };

struct parameters {
    char sql[PARAMETERS_SQL_SIZE];
    size_t count;
    const json_t *values[PARAMETERS_MAX]; /* integers and strings, in the order of the text */
};

/* Writes `sql` with "?" for each ":name", or "$1", "$2" and so on when `numbered`.  False and a
 * sentence when a name has no value, or the statement is too long. */
bool parameters_read(const char *sql, const json_t *values, bool numbered,
                     struct parameters *parameters_out, char error_out[BOOKS_ERROR_SIZE]);

#endif
