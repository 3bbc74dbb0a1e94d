#include "sqlite_faults.h"

#include <dlfcn.h>
#include <sqlite3.h>

#include <cstdlib>
#include <cstring>

static int pretended_version = 0;

// In the program, so it is found before the library's.
extern "C" int sqlite3_libversion_number()
{
    static const auto real =
        reinterpret_cast<int (*)()>(dlsym(RTLD_NEXT, "sqlite3_libversion_number"));
    return pretended_version != 0 ? pretended_version : real();
}

namespace fence_test
{
namespace
{

struct Plan {
    bool on = false;
    SqliteFault kind = SqliteFault::kMemory;
    int at = 0;
    bool and_after = false;
    int calls = 0;
};
thread_local Plan plan;

bool Fails(SqliteFault kind)
{
    if (!plan.on || plan.kind != kind) {
        return false;
    }
    plan.calls++;
    return plan.calls == plan.at || (plan.and_after && plan.calls > plan.at);
}

// ---- Memory ----------------------------------------------------------------------------------------

sqlite3_mem_methods memory;

void *Malloc(int size)
{
    return Fails(SqliteFault::kMemory) ? nullptr : memory.xMalloc(size);
}

void *Realloc(void *was, int size)
{
    return Fails(SqliteFault::kMemory) ? nullptr : memory.xRealloc(was, size);
}

// ---- Disk ------------------------------------------------------------------------------------------

sqlite3_vfs *disk;

// SQLite makes room for this and, behind it, for the real file.
struct File {
    sqlite3_file base;
    sqlite3_file *real;
};

sqlite3_file *Real(sqlite3_file *file)
{
    return reinterpret_cast<File *>(file)->real;
}

int Read(sqlite3_file *file, void *to, int size, sqlite3_int64 from)
{
    return Fails(SqliteFault::kDisk) ? SQLITE_IOERR_READ
                                     : Real(file)->pMethods->xRead(Real(file), to, size, from);
}

int Write(sqlite3_file *file, const void *from, int size, sqlite3_int64 to)
{
    if (Fails(SqliteFault::kFull)) {
        return SQLITE_FULL;
    }
    return Fails(SqliteFault::kDisk) ? SQLITE_IOERR_WRITE
                                     : Real(file)->pMethods->xWrite(Real(file), from, size, to);
}

int Truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return Fails(SqliteFault::kDisk) ? SQLITE_IOERR_TRUNCATE
                                     : Real(file)->pMethods->xTruncate(Real(file), size);
}

int Sync(sqlite3_file *, int)
{
    return Fails(SqliteFault::kDisk) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

int FileSize(sqlite3_file *file, sqlite3_int64 *size)
{
    return Fails(SqliteFault::kDisk) ? SQLITE_IOERR_FSTAT
                                     : Real(file)->pMethods->xFileSize(Real(file), size);
}

int ShmMap(sqlite3_file *file, int region, int size, int extend, void volatile **to)
{
    return Fails(SqliteFault::kDisk)
               ? SQLITE_IOERR_SHMMAP
               : Real(file)->pMethods->xShmMap(Real(file), region, size, extend, to);
}

int ShmLock(sqlite3_file *file, int offset, int count, int flags)
{
    // Who lets go is not failed: SQLite takes it for granted that this works.
    const bool locks = (flags & SQLITE_SHM_LOCK) != 0;
    return locks && Fails(SqliteFault::kDisk)
               ? SQLITE_IOERR_SHMLOCK
               : Real(file)->pMethods->xShmLock(Real(file), offset, count, flags);
}

const sqlite3_io_methods methods = [] {
    sqlite3_io_methods made = {};
    made.iVersion = 2;
    made.xClose = [](sqlite3_file *file) { return Real(file)->pMethods->xClose(Real(file)); };
    made.xRead = Read;
    made.xWrite = Write;
    made.xTruncate = Truncate;
    made.xSync = Sync;
    made.xFileSize = FileSize;
    made.xLock = [](sqlite3_file *file, int level) {
        return Real(file)->pMethods->xLock(Real(file), level);
    };
    made.xUnlock = [](sqlite3_file *file, int level) {
        return Real(file)->pMethods->xUnlock(Real(file), level);
    };
    made.xCheckReservedLock = [](sqlite3_file *file, int *held) {
        return Real(file)->pMethods->xCheckReservedLock(Real(file), held);
    };
    made.xFileControl = [](sqlite3_file *file, int what, void *argument) {
        return Real(file)->pMethods->xFileControl(Real(file), what, argument);
    };
    made.xSectorSize = [](sqlite3_file *file) {
        return Real(file)->pMethods->xSectorSize(Real(file));
    };
    made.xDeviceCharacteristics = [](sqlite3_file *file) {
        return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
    };
    made.xShmMap = ShmMap;
    made.xShmLock = ShmLock;
    made.xShmBarrier = [](sqlite3_file *file) { Real(file)->pMethods->xShmBarrier(Real(file)); };
    made.xShmUnmap = [](sqlite3_file *file, int remove) {
        return Real(file)->pMethods->xShmUnmap(Real(file), remove);
    };
    return made;
}();

int Open(sqlite3_vfs *, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
    File *made = reinterpret_cast<File *>(file);
    made->base.pMethods = nullptr;
    made->real = reinterpret_cast<sqlite3_file *>(made + 1);
    if (Fails(SqliteFault::kDisk)) {
        return SQLITE_CANTOPEN;
    }
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0 && Fails(SqliteFault::kWriting)) {
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    }
    const int code = disk->xOpen(disk, name, made->real, flags, flags_out);
    if (made->real->pMethods != nullptr) {
        made->base.pMethods = &methods;
    }
    return code;
}

// Before anybody uses SQLite: its memory cannot be exchanged later.
const bool installed = [] {
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory) != SQLITE_OK) {
        abort();
    }
    sqlite3_mem_methods wrapped = memory;
    wrapped.xMalloc = Malloc;
    wrapped.xRealloc = Realloc;
    // Without a store of small pieces beside it every allocation comes by here.
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &wrapped) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK) {
        abort();
    }
    return true;
}();

sqlite3_vfs failing;

} // namespace

SqliteFaultsPossible::SqliteFaultsPossible()
{
    if (disk == nullptr) {
        disk = sqlite3_vfs_find(nullptr);
        failing = *disk;
        failing.zName = "failing";
        failing.szOsFile = static_cast<int>(sizeof(File)) + disk->szOsFile;
        failing.xOpen = Open;
        failing.xDelete = [](sqlite3_vfs *, const char *name, int) {
            return disk->xDelete(disk, name, 0);
        };
    }
    if (!installed || sqlite3_vfs_register(&failing, 1) != SQLITE_OK) {
        abort();
    }
}

SqliteFaultsPossible::~SqliteFaultsPossible()
{
    sqlite3_vfs_unregister(&failing);
}

void PretendSqliteVersion(int number)
{
    pretended_version = number;
}

SqliteFaultAt::SqliteFaultAt(SqliteFault kind, int at, bool and_after)
{
    plan = Plan{true, kind, at, and_after, 0};
}

SqliteFaultAt::~SqliteFaultAt()
{
    plan.on = false;
}

bool SqliteFaultAt::reached() const
{
    return plan.calls >= plan.at;
}

} // namespace fence_test
