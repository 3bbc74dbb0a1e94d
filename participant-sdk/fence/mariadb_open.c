/* mariadb_open.c -- opening a connection strictly: settings, tables, their version. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "fence/mariadb_connection.h"
#include "fence/mariadb_sql.h"

enum {
    MARIADB_SCHEMA_VERSION = 1,
    MARIADB_OLDEST = 100500,
    CONNECT_TIMEOUT_S = 10,
    ANSWER_TIMEOUT_S = 60, /* of a server that has gone without a word, beyond a wait for a lock */
    TABLE_MISSING = 1146,
    TABLE_FORBIDDEN = 1142
};

/* libmariadb reads defaults_file while it connects, so after what it was told here, and what that says of
 * TLS counts: even that nothing is verified, and then that a server without TLS will do. */
static enum tercet_status check_tls(MYSQL *link, const char *tls_ca_file,
                                    struct tercet_error *error_out)
{
    my_bool verified = 0;
    const char *trusted = NULL;
    const char *trusted_directory = NULL;

    if (tls_ca_file == NULL) {
        return TERCET_OK;
    }
    (void)mysql_get_option(link, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verified);
    (void)mysql_get_option(link, MYSQL_OPT_SSL_CA, &trusted);
    (void)mysql_get_option(link, MYSQL_OPT_SSL_CAPATH, &trusted_directory);
    if (verified == 0 || trusted == NULL || strcmp(trusted, tls_ca_file) != 0 ||
        trusted_directory != NULL || mysql_get_ssl_cipher(link) == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_mariadb_options.tls_ca_file: defaults_file says otherwise: take "
                         "ssl-ca, ssl-capath and ssl-verify-server-cert out of it");
    }
    return TERCET_OK;
}

/* The same file may make libmariadb count rows that were found as rows that were changed, upon which
 * nobody could tell a repeat from a first; and connect anew by itself, in the middle of a transaction. */
static enum tercet_status check_defaults(MYSQL *link, struct tercet_error *error_out)
{
    static const my_bool no = 0;

    (void)mysql_options(link, MYSQL_OPT_RECONNECT, &no);
    if ((link->client_flag & CLIENT_FOUND_ROWS) != 0) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_mariadb_options.defaults_file: take return-found-rows out of it");
    }
    return TERCET_OK;
}

static enum tercet_status connect_link(struct mariadb_connection *connection,
                                       const struct mariadb_settings *settings,
                                       struct tercet_error *error_out)
{
    static const unsigned connect_s = CONNECT_TIMEOUT_S;
    const unsigned answer_s = ANSWER_TIMEOUT_S + settings->lock_timeout_s;
    static const my_bool yes = 1;
    MYSQL *const link = &connection->link;

    if (mysql_init(link) == NULL) {
        return error_set(error_out, TERCET_UNAVAILABLE, "MariaDB: out of memory");
    }
    connection->linked = true;
    (void)mysql_options(link, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    (void)mysql_options(link, MYSQL_OPT_READ_TIMEOUT, &answer_s);
    (void)mysql_options(link, MYSQL_OPT_WRITE_TIMEOUT, &answer_s);
    if (settings->defaults_file != NULL) {
        (void)mysql_options(link, MYSQL_READ_DEFAULT_FILE, settings->defaults_file);
        (void)mysql_options(link, MYSQL_READ_DEFAULT_GROUP, "client");
    }
    if (settings->tls_ca_file != NULL) {
        (void)mysql_ssl_set(link, NULL, NULL, settings->tls_ca_file, NULL, NULL);
        (void)mysql_options(link, MYSQL_OPT_SSL_ENFORCE, &yes);
        (void)mysql_options(link, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    }
    if (mysql_real_connect(link, settings->host, settings->user, settings->password,
                           settings->database, settings->port, settings->unix_socket,
                           CLIENT_MULTI_STATEMENTS) == NULL) {
        return error_set(error_out, TERCET_UNAVAILABLE, "MariaDB: %s (%u)", mysql_error(link),
                         mysql_errno(link));
    }
    const enum tercet_status status = check_defaults(link, error_out);
    return status != TERCET_OK ? status : check_tls(link, settings->tls_ca_file, error_out);
}

/* Runs a text of one or more statements whose rows nobody needs. */
static enum tercet_status run_text(struct mariadb_connection *connection, const char *sql,
                                   const char *what, struct tercet_error *error_out)
{
    MYSQL *const link = &connection->link;
    int more = mysql_real_query(link, sql, (unsigned long)strlen(sql));

    while (more == 0) {
        mysql_free_result(mysql_store_result(link));
        if (mysql_errno(link) != 0) {
            break;
        }
        more = mysql_next_result(link);
    }
    return mysql_errno(link) == 0 ? TERCET_OK : mariadb_explain(connection, what, error_out);
}

/* The first row of one statement; `row_out` NULL when there is none.  The result is the caller's. */
static enum tercet_status read_row(struct mariadb_connection *connection, const char *sql,
                                   const char *what, MYSQL_RES **result_out, MYSQL_ROW *row_out,
                                   struct tercet_error *error_out)
{
    MYSQL *const link = &connection->link;

    if (mysql_real_query(link, sql, (unsigned long)strlen(sql)) != 0) {
        return mariadb_explain(connection, what, error_out);
    }
    *result_out = mysql_store_result(link);
    if (*result_out == NULL) {
        return mariadb_explain(connection, what, error_out);
    }
    *row_out = mysql_fetch_row(*result_out);
    return TERCET_OK;
}

/* ---- Settings --------------------------------------------------------------------------------- */

static enum tercet_status judge_server(MYSQL_ROW row, enum tercet_mariadb_isolation isolation,
                                       struct tercet_error *error_out)
{
    if (row == NULL) {
        return error_set(error_out, TERCET_UNAVAILABLE, "MariaDB: the server tells no settings");
    }
    if (strcmp(row[0], "1") != 0) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "MariaDB: innodb_flush_log_at_trx_commit is %s, and the server may forget "
                         "what it has acknowledged: set it to 1",
                         row[0]);
    }
    if (strcmp(row[1], "0") != 0) {
        return error_set(error_out, TERCET_UNAVAILABLE, "MariaDB: the server is read only");
    }
    if (strcmp(row[2], "1") == 0 && strcmp(row[4], "1") != 0) {
        return error_set(
            error_out, TERCET_FAILED_PRECONDITION,
            "MariaDB: the server writes a binary log, and with sync_binlog = %s it may "
            "forget what it has acknowledged: set it to 1",
            row[4]);
    }
    if (isolation == TERCET_MARIADB_READ_COMMITTED && strcmp(row[2], "1") == 0 &&
        strcmp(row[3], "STATEMENT") == 0) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "MariaDB: READ COMMITTED needs binlog_format ROW or MIXED, not STATEMENT");
    }
    return TERCET_OK;
}

static enum tercet_status configure(struct mariadb_connection *connection,
                                    const struct mariadb_settings *settings,
                                    struct tercet_error *error_out)
{
    static const char *const levels[] = {
        [TERCET_MARIADB_READ_COMMITTED] = "READ COMMITTED",
        [TERCET_MARIADB_REPEATABLE_READ] = "REPEATABLE READ",
        [TERCET_MARIADB_SERIALIZABLE] = "SERIALIZABLE",
    };
    char text[300];
    MYSQL_RES *result = NULL;
    MYSQL_ROW row = NULL;

    if (mysql_get_server_version(&connection->link) < MARIADB_OLDEST ||
        strstr(mysql_get_server_info(&connection->link), "MariaDB") == NULL) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "MariaDB 10.5 or newer is needed, and this is %s",
                         mysql_get_server_info(&connection->link));
    }
    (void)snprintf(text, sizeof text,
                   "ROLLBACK; SET SESSION autocommit = 0, innodb_lock_wait_timeout = %u,"
                   " sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES');"
                   " SET SESSION TRANSACTION ISOLATION LEVEL %s",
                   settings->lock_timeout_s, levels[settings->isolation]);
    enum tercet_status status = run_text(connection, text, "cannot be set up", error_out);
    if (status == TERCET_OK) {
        status = read_row(connection,
                          "SELECT @@innodb_flush_log_at_trx_commit, @@global.read_only, @@log_bin,"
                          " @@binlog_format, @@sync_binlog",
                          "cannot be set up", &result, &row, error_out);
    }
    if (status == TERCET_OK) {
        status = judge_server(row, settings->isolation, error_out);
    }
    mysql_free_result(result);
    return status;
}

/* ---- Tables ----------------------------------------------------------------------------------- */

static enum tercet_status check_version(struct mariadb_connection *connection, bool *missing_out,
                                        struct tercet_error *error_out)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row = NULL;
    enum tercet_status status =
        read_row(connection, "SELECT version FROM tercet_schema WHERE id = 1",
                 "cannot read the fence's tables", &result, &row, error_out);
    const unsigned code = mysql_errno(&connection->link);

    *missing_out = status == TERCET_INTERNAL && code == TABLE_MISSING;
    if (*missing_out) {
        status =
            error_set(error_out, TERCET_FAILED_PRECONDITION,
                      "MariaDB: the database has no tercet_schema: run sql/mariadb.sql there, or "
                      "set create_tables");
    } else if (status == TERCET_INTERNAL && code == TABLE_FORBIDDEN) {
        status = error_set(error_out, TERCET_FAILED_PRECONDITION,
                           "MariaDB: %s: run the GRANTs that sql/mariadb.sql names",
                           mysql_error(&connection->link));
    } else if (status == TERCET_INTERNAL) {
        status = error_set(error_out, TERCET_DATA_LOSS, "MariaDB: tercet_schema cannot be read: %s",
                           mysql_error(&connection->link));
    } else if (status == TERCET_OK && row == NULL) {
        status = error_set(error_out, TERCET_DATA_LOSS, "MariaDB: tercet_schema has lost its row");
    } else if (status == TERCET_OK && strtol(row[0], NULL, 10) != MARIADB_SCHEMA_VERSION) {
        status =
            error_set(error_out, TERCET_FAILED_PRECONDITION,
                      "MariaDB: the fence's tables have version %s, and this library knows %d: "
                      "they were made by a newer one; use that",
                      row[0], MARIADB_SCHEMA_VERSION);
    }
    mysql_free_result(result);
    return status;
}

static enum tercet_status check_tables(struct mariadb_connection *connection,
                                       struct tercet_error *error_out)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row = NULL;
    enum tercet_status status =
        read_row(connection,
                 "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
                 " AND engine = 'InnoDB' AND table_name IN"
                 " ('tercet_schema', 'tercet_scope', 'tercet_fence')",
                 "cannot read the fence's tables", &result, &row, error_out);

    if (status == TERCET_OK && (row == NULL || strcmp(row[0], "3") != 0)) {
        status =
            error_set(error_out, TERCET_FAILED_PRECONDITION,
                      "MariaDB: the fence's three tables are not all there for this user, or not "
                      "all InnoDB: make them by sql/mariadb.sql");
    }
    mysql_free_result(result);
    return status;
}

static enum tercet_status prepare_tables(struct mariadb_connection *connection, bool create,
                                         struct tercet_error *error_out)
{
    bool missing = false;
    enum tercet_status status = check_version(connection, &missing, create ? NULL : error_out);

    if (missing && create) {
        status = run_text(connection, mariadb_sql, "cannot make the fence's tables", error_out);
    }
    if (create && (status == TERCET_OK || !missing)) {
        status = check_version(connection, &missing, error_out);
    }
    if (status == TERCET_OK) {
        status = check_tables(connection, error_out);
    }
    return status == TERCET_OK ? run_text(connection, "ROLLBACK", "cannot be read", error_out)
                               : status;
}

enum tercet_status mariadb_connection_open(void *self, void **connection_out,
                                           struct tercet_error *error_out)
{
    struct mariadb_settings *const settings = self;
    struct mariadb_connection *connection = xcalloc(1, sizeof *connection);
    connection->base.dialect = &mariadb_dialect;
    enum tercet_status status = connect_link(connection, settings, error_out);

    if (status == TERCET_OK && settings->setup_sql != NULL) {
        status = run_text(connection, settings->setup_sql, "setup_sql", error_out);
        status = status == TERCET_INTERNAL ? TERCET_INVALID_ARGUMENT : status;
    }
    if (status == TERCET_OK) {
        status = configure(connection, settings, error_out);
    }
    if (status == TERCET_OK) {
        status = prepare_tables(connection, settings->create_tables, error_out);
    }
    if (status != TERCET_OK) {
        mariadb_connection_close(connection);
        return sql_open_status(status, error_out);
    }
    if (settings->create_tables) { /* the store's first, and nobody else connects yet */
        settings->create_tables = false;
    }
    *connection_out = connection;
    return TERCET_OK;
}

void mariadb_connection_close(void *connection)
{
    struct mariadb_connection *self = connection;

    for (unsigned i = 0; i < self->base.queued; i++) {
        mysql_free_result(self->answers[i].rows);
    }
    if (self->linked) {
        mysql_close(&self->link);
    }
    buffer_deinit(&self->text);
    free(self);
}
