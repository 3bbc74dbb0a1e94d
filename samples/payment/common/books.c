/* books.c -- which databases there are, see books.h. */
#include "common/books.h"

#include <stdlib.h>
#include <string.h>

enum { DECIMAL = 10 };

static const struct books *const all_books[] = {
    &books_sqlite,
    &books_leveldb,
#ifdef PAYMENT_POSTGRES
    &books_postgres,
#endif
#ifdef PAYMENT_MARIADB
    &books_mariadb,
#endif
};

const char books_known[] = "sqlite, leveldb"
#ifdef PAYMENT_POSTGRES
                           ", postgres"
#endif
#ifdef PAYMENT_MARIADB
                           ", mariadb"
#endif
    ;

const struct books *books_find(const char *store)
{
    for (size_t i = 0; i < sizeof all_books / sizeof all_books[0]; i++) {
        if (strcmp(all_books[i]->store, store) == 0) {
            return all_books[i];
        }
    }
    return NULL;
}

int64_t books_number(const struct books_row *row, size_t column)
{
    return strtoll(row->text[column], NULL, DECIMAL);
}
