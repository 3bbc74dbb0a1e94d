// ledger.cc -- see ledger.h.
#include "simulation/ledger.h"

#include <cstring>

namespace simulation
{
namespace
{

// What stands under `key`, through the open transaction; zeros when there is nothing.
template <typename T> T Get(kv_fence *fence, tercet_bytes key)
{
    T value{};
    tercet_bytes found{};
    if (kv_fence_get(fence, key, &found, nullptr) == TERCET_OK && found.size == sizeof value) {
        memcpy(&value, found.data, sizeof value);
    }
    return value;
}

template <typename T> void Put(kv_fence *fence, tercet_bytes key, const T &value)
{
    const tercet_bytes bytes = tercet_bytes_of(&value, sizeof value);
    overlay_put(&fence->overlay, key, &bytes);
}

} // namespace

AccountKey KeyOfAccount(uint32_t account)
{
    return {{'A', static_cast<uint8_t>(account)}};
}

LineKey KeyOfLine(uint32_t act, uint32_t branch)
{
    return {{'L', static_cast<uint8_t>(act >> 24), static_cast<uint8_t>(act >> 16),
             static_cast<uint8_t>(act >> 8), static_cast<uint8_t>(act),
             static_cast<uint8_t>(branch)}};
}

bool ReadAccountKey(tercet_bytes key, uint32_t *account)
{
    const auto *bytes = static_cast<const uint8_t *>(key.data);
    const bool is = key.size == sizeof(AccountKey) && bytes[0] == 'A';
    if (is) {
        *account = bytes[1];
    }
    return is;
}

bool ReadLineKey(tercet_bytes key, uint32_t *act, uint32_t *branch)
{
    const auto *bytes = static_cast<const uint8_t *>(key.data);
    const bool is = key.size == sizeof(LineKey) && bytes[0] == 'L';
    if (is) {
        *act = (static_cast<uint32_t>(bytes[1]) << 24) | (static_cast<uint32_t>(bytes[2]) << 16) |
               (static_cast<uint32_t>(bytes[3]) << 8) | bytes[4];
        *branch = bytes[5];
    }
    return is;
}

Account AccountAtFirst()
{
    Account account{};
    account.free = MONEY_AT_FIRST;
    account.coupons = COUPONS_AT_FIRST;
    return account;
}

bool Affords(const Account &account, const Payload &payload)
{
    switch (payload.kind) {
    case Kind::DEBIT:
        return account.free >= payload.amount;
    case Kind::COUPON:
        return account.coupons >= payload.amount;
    case Kind::CREDIT:
    case Kind::NOTE:
        break;
    }
    return true;
}

void Apply(Account &account, const Payload &payload, tercet_phase phase)
{
    const int32_t amount = payload.amount;
    const bool tries = phase == TERCET_PHASE_TRY;
    const bool confirms = phase == TERCET_PHASE_CONFIRM;
    switch (payload.kind) {
    case Kind::DEBIT:
        account.reserved += tries ? amount : -amount;
        account.free -= tries ? amount : 0;
        account.free += !tries && !confirms ? amount : 0;
        account.out += confirms ? amount : 0;
        break;
    case Kind::CREDIT:
        account.announced += tries ? amount : -amount;
        account.in += confirms ? amount : 0;
        account.free += confirms ? amount : 0;
        break;
    case Kind::COUPON:
        account.coupons_reserved += tries ? amount : -amount;
        account.coupons -= tries ? amount : 0;
        account.coupons += !tries && !confirms ? amount : 0;
        account.coupons_used += confirms ? amount : 0;
        break;
    case Kind::NOTE:
        account.notes += confirms ? 1 : 0;
        break;
    }
}

bool AddsUp(const Account &account)
{
    return account.free + account.reserved + account.out - account.in == MONEY_AT_FIRST &&
           account.coupons + account.coupons_reserved + account.coupons_used == COUPONS_AT_FIRST &&
           account.free >= 0 && account.reserved >= 0 && account.out >= 0 &&
           account.announced >= 0 && account.in >= 0 && account.coupons >= 0 &&
           account.coupons_reserved >= 0 && account.coupons_used >= 0 && account.notes >= 0;
}

bool IsAtRest(const Account &account)
{
    return account.reserved == 0 && account.announced == 0 && account.coupons_reserved == 0;
}

bool ChangeLedger(kv_fence *fence, const Payload &payload, tercet_phase phase)
{
    const AccountKey account_name = KeyOfAccount(payload.account);
    const LineKey line_name = KeyOfLine(payload.act, payload.branch);
    const tercet_bytes account_key = tercet_bytes_of(account_name.bytes, sizeof account_name.bytes);
    const tercet_bytes line_key = tercet_bytes_of(line_name.bytes, sizeof line_name.bytes);
    auto account = Get<Account>(fence, account_key);
    if (phase == TERCET_PHASE_TRY && !Affords(account, payload)) {
        return false;
    }
    auto line = Get<Line>(fence, line_key);
    line.payload = payload;
    line.tries = static_cast<uint8_t>(line.tries + (phase == TERCET_PHASE_TRY ? 1 : 0));
    line.confirms = static_cast<uint8_t>(line.confirms + (phase == TERCET_PHASE_CONFIRM ? 1 : 0));
    line.cancels = static_cast<uint8_t>(line.cancels + (phase == TERCET_PHASE_CANCEL ? 1 : 0));
    Apply(account, payload, phase);
    Put(fence, account_key, account);
    Put(fence, line_key, line);
    return true;
}

} // namespace simulation
