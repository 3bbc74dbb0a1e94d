// SQLite's memory and its disk, which fail where a test says so; everything else is the real SQLite.
#ifndef TERCET_TESTS_FENCE_SQLITE_FAULTS_H
#define TERCET_TESTS_FENCE_SQLITE_FAULTS_H

namespace fence_test
{

enum class SqliteFault {
    kMemory, // an allocation
    kDisk,   // a call to a file: open, read, write, sync, truncate, and those of the shared index
    kFull,   // a write, as on a disk that is full
    kWriting // a database is opened for writing: it can only be read
};

// While it lives, files that are opened can be made to fail.  None of them is synced: no test loses power.
class SqliteFaultsPossible
{
  public:
    SqliteFaultsPossible();
    ~SqliteFaultsPossible();
    SqliteFaultsPossible(const SqliteFaultsPossible &) = delete;
    SqliteFaultsPossible &operator=(const SqliteFaultsPossible &) = delete;
};

// While it lives, the calls of this thread are counted, and the one that stands at `at` (from 1) fails;
// with `and_after` all that follow fail too.
class SqliteFaultAt
{
  public:
    SqliteFaultAt(SqliteFault kind, int at, bool and_after);
    ~SqliteFaultAt();
    SqliteFaultAt(const SqliteFaultAt &) = delete;
    SqliteFaultAt &operator=(const SqliteFaultAt &) = delete;
    bool reached() const;
};

// What SQLite says that its version is; 0: the truth.
void PretendSqliteVersion(int number);

} // namespace fence_test

#endif
