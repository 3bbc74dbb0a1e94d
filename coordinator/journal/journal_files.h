/* journal_files.h -- the few things that the journal asks of a file system. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_FILES_H
#define COORDINATOR_JOURNAL_JOURNAL_FILES_H

#include "tercet/tercet.h"

/* "directory/name"; to be freed. */
char *files_join(const char *directory, const char *name);

/* UNAVAILABLE with errno in the system's words: "cannot <what> <path>: ...". */
enum tercet_status files_failed(struct tercet_error *error_out, const char *what, const char *path);

/* Is there something of this name?  UNAVAILABLE: the system cannot tell at the moment, which must
 * not be taken for damage. */
TERCET_MUST_CHECK enum tercet_status files_look(const char *path, bool *there_out,
                                                struct tercet_error *error_out);

/* Makes a new file with these bytes and syncs it. */
TERCET_MUST_CHECK enum tercet_status files_write_new(const char *path, struct tercet_bytes bytes,
                                                     struct tercet_error *error_out);

/* At most `size` bytes.  NOT_FOUND, or UNAVAILABLE. */
TERCET_MUST_CHECK enum tercet_status files_read(const char *path, void *data_out, size_t size,
                                                size_t *size_out, struct tercet_error *error_out);

/* A new file with the bytes of another, synced. */
TERCET_MUST_CHECK enum tercet_status files_copy(const char *from, const char *to,
                                                struct tercet_error *error_out);

/* A file's or a directory's own fsync. */
TERCET_MUST_CHECK enum tercet_status files_sync(const char *path, struct tercet_error *error_out);

/* Syncs every file in a directory, and the directory. */
TERCET_MUST_CHECK enum tercet_status files_sync_all(const char *directory,
                                                    struct tercet_error *error_out);

TERCET_MUST_CHECK enum tercet_status files_make_directory(const char *path,
                                                          struct tercet_error *error_out);

TERCET_MUST_CHECK enum tercet_status files_rename(const char *from, const char *to,
                                                  struct tercet_error *error_out);

/* Removes a directory with the plain files in it.  OK when there is none. */
TERCET_MUST_CHECK enum tercet_status files_remove_directory(const char *path,
                                                            struct tercet_error *error_out);

/* All names in a directory but "." and "..", sorted. */
struct files_names {
    char **items;
    size_t count;
};
TERCET_MUST_CHECK enum tercet_status files_list(const char *directory,
                                                struct files_names *names_out,
                                                struct tercet_error *error_out);
void files_names_deinit(struct files_names *names);

/* Bytes of all files in a directory; those that vanish meanwhile do not count. */
int64_t files_bytes_in(const char *directory);

#endif
