// journal_child -- a process that opens a journal for the tests:
//   journal_child open DIRECTORY    opens, says the status, holds it until its input ends
//   journal_child write DIRECTORY   writes for ever; says each LSN once it is durable
//   journal_child move DIRECTORY    the same with outcomes, which another thread moves meanwhile
//   journal_child limit DIRECTORY   the same under a limit on the size of files
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "unit/journal/journal_fixture.h"

namespace
{

void Say(const std::string &line)
{
    const std::string whole = line + "\n";
    if (write(1, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) {
        _exit(2);
    }
}

// Puts "t/" LSN, and every third time removes an older one.
void WriteForEver(struct journal *journal)
{
    journal_head head;
    journal_read_head(journal, &head);
    journal_batch batch;
    journal_batch_init(&batch);
    const std::string value(300, 'v');
    for (int64_t lsn = head.lsn + 1;; lsn++) {
        char key[32];
        snprintf(key, sizeof key, "t/%016" PRIx64, static_cast<uint64_t>(lsn));
        digest128 hash = {0, 0};
        batch.lsn = lsn;
        batch.next_number = head.next_number + (lsn - head.lsn);
        journal_batch_put(&batch, tercet_bytes_of_text(key),
                          tercet_bytes_of(value.data(), value.size()), &hash);
        journal_write(journal, &batch);
        journal_batch_clear(&batch);
        Say(std::to_string(lsn));
    }
}

// Puts outcomes of yesterday, named by LSN; the other thread does nothing but upkeep.
[[noreturn]] void MoveForEver(struct journal *journal)
{
    std::thread([journal] {
        for (int64_t now = tercet::kNow;; now += 30000) { // so that every call may begin a pass
            journal_maintain(journal, now % (3600 * 1000) + tercet::kNow);
        }
    }).detach();
    tercet::Batch batch;
    for (;;) {
        const int64_t lsn = tercet::Head(journal).lsn + 1;
        tercet::PutOutcome(&batch, "gid" + std::to_string(lsn), tercet::kNow - tercet::kDay);
        batch.Write(journal);
        Say(std::to_string(lsn));
    }
}

} // namespace

int main(int count, char **arguments)
{
    if (count != 3) {
        return 2;
    }
    const std::string command = arguments[1];
    journal_leveldb_options options = {};
    options.directory = arguments[2];
    options.write_buffer_bytes = 64 * 1024;
    struct journal *journal = nullptr;
    tercet_error error = {};
    tercet_status status = journal_leveldb_open(&options, 1800000000000, &journal, &error);
    if (command == "open") {
        Say(tercet_status_name(status));
        char c = 0;
        while (status == TERCET_OK && read(0, &c, 1) == 1) {
        }
        journal_close(journal);
        return 0;
    }
    if (status != TERCET_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 3;
    }
    if (command == "limit") {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit limit = {20000, 20000};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
            return 4;
        }
    }
    Say("open");
    if (command == "move") {
        MoveForEver(journal);
    }
    WriteForEver(journal);
}
