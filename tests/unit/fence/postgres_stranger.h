// postgres_stranger.h -- a participant without the library, over the fence as functions (sql/postgres_functions.sql).
#ifndef TERCET_TESTS_FENCE_POSTGRES_STRANGER_H
#define TERCET_TESTS_FENCE_POSTGRES_STRANGER_H

#include <memory>
#include <string>

#include "postgres_backend.h"

namespace fence_test
{

extern const char *const kPhaseNames[];

// Of Ask: origin 1; digest 1, or another.  `more` stands behind the context's last field.
std::string ContextOf(const Ask &ask, const std::string &more = "");
std::string RequestOf(const Ask &ask, const std::string &more = "");

// Made at 10, so that Ask's epoch has made it.
std::string MarkOf(int64_t lsn, int64_t low, const std::string &open = "");

std::string Quoted(const std::string &text);
bool Has(const std::string &text, const std::string &words);

// It serves the actions "debit" and, confirm-only, "credit" as "account".
class Stranger
{
  public:
    explicit Stranger(const std::string &directory,
                      const std::string &isolation = "read committed");
    ~Stranger();
    Stranger(const Stranger &) = delete;
    Stranger &operator=(const Stranger &) = delete;

    // The first value; or the SQLSTATE of what failed, with an exclamation mark.
    std::string Do(const std::string &sql);

    std::string Accept(const std::string &method, const std::string &request);
    std::string Accept(const Ask &ask, const std::string &more = "");

    // In the transaction that is open, or in one of its own: what is answered.
    std::string Serve(const std::string &method, const std::string &request);
    std::string Serve(const Ask &ask);

    // A branch as the manual says, with one effect in it; as a coordinator, who asks again.
    std::string Run(const Ask &ask, const std::string &result = "");

    std::string Apply(int64_t lsn, int64_t low, const std::string &open = "");

  private:
    PGconn *link_;
};

// With the functions in the directory's schema, and the library beside them.
class PostgresFunctions : public ServerTest
{
  protected:
    void SetUp() override;

    std::unique_ptr<Harness> harness;
    std::unique_ptr<Stranger> stranger;
    std::string text; // the functions
};

} // namespace fence_test

#endif
