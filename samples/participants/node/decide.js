'use strict';
// What is answered to a request: a pure function of the row, the mark and the request.
//
// Numbers come as JavaScript's own: the protocol keeps every int64 below 2^53.

// As in the table, and as FenceState has them.
const NONE = 0, TRIED = 1, CONFIRMED = 2, CANCELLED = 3, SUSPENDED = 4;
const STATE_NAMES = ['FENCE_STATE_NONE', 'FENCE_STATE_TRIED', 'FENCE_STATE_CONFIRMED',
  'FENCE_STATE_CANCELLED', 'FENCE_STATE_SUSPENDED'];

// Numbers, epochs and the ages of marks are [incarnation, number], incarnation first.
const less = (a, b) => (a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1]);
const same = (a, b) => a[0] === b[0] && a[1] === b[1];
const pair = (number) => [number.incarnation, number.number];

const done = (how, result = Buffer.alloc(0)) => ({verdict: 'VERDICT_DONE', how, result});

function no(verdict, code, text = '') {
  const bytes = Buffer.from(text).subarray(0, 252); // 255 at most, and a character may be cut
  return {verdict, reason: {code, text: bytes.toString()}};
}

const conflict = (kind, code, state) => ({
  ...no('VERDICT_CONFLICT', code), conflict: `CONFLICT_KIND_${kind}`, found: STATE_NAMES[state],
});

/** What is inserted where no row is; a confirm after a try may not make one. */
function wantedState(phase, confirmOnly) {
  if (phase === 'PHASE_TRY') return TRIED;
  if (phase === 'PHASE_CANCEL') return SUSPENDED;
  return confirmOnly ? CONFIRMED : NONE;
}

/** It ended, and its row was let go: below the mark, and not in its open list. */
const isPast = (seen, number) =>
  less(number, seen.low) && !seen.open.some((open) => same(open, number));

/** The table of section 5: {run}, the state that the business code leads to, or {reply}. */
function decide(row, past, request, confirmOnly) {
  const {phase} = request;
  if (!row) return decideNone(past, phase, confirmOnly);
  const {state} = row;
  if (!row.origin.equals(request.context.origin) || !same(row.number, pair(request.number)) ||
      !row.digest.equals(request.digest)) {
    return {reply: conflict('OTHER_TRANSACTION', 'TERCET_OTHER_TRANSACTION', state)};
  }
  if (phase === 'PHASE_TRY') {
    return {reply: state === TRIED || state === CONFIRMED ? done('HOW_REPEATED', row.result)
      : no('VERDICT_REFUSED', 'TERCET_TRY_AFTER_CANCEL')};
  }
  if (state === TRIED) return {run: phase === 'PHASE_CONFIRM' ? CONFIRMED : CANCELLED};
  if (phase === 'PHASE_CONFIRM') {
    return {reply: state === CONFIRMED ? done('HOW_REPEATED')
      : conflict('CANCELLED', 'TERCET_CONFIRM_AFTER_CANCEL', state)};
  }
  if (state === CONFIRMED) {
    return {reply: conflict('CONFIRMED', 'TERCET_CANCEL_AFTER_CONFIRM', state)};
  }
  return {reply: done(state === CANCELLED ? 'HOW_REPEATED' : 'HOW_EMPTY')};
}

function decideNone(past, phase, confirmOnly) {
  if (past) {
    return {reply: phase === 'PHASE_TRY' ? no('VERDICT_REFUSED', 'TERCET_FORGOTTEN')
      : conflict('FORGOTTEN', 'TERCET_FORGOTTEN', NONE)};
  }
  if (phase === 'PHASE_CANCEL') return {reply: done('HOW_EMPTY')}; // the SUSPENDED row is kept
  const run = wantedState(phase, confirmOnly);
  return run !== NONE ? {run}
    : {reply: conflict('NOT_TRIED', 'TERCET_CONFIRM_WITHOUT_TRY', NONE)};
}

function whatIsWrong(asker) {
  const fine = asker && asker.participant && asker.origin.length === 20 &&
    asker.incarnation > 0 && asker.epoch > 0;
  return fine ? null : 'context: participant, 20 bytes of origin, a positive incarnation and epoch';
}

function whatIsWrongWithBranch(request, phase) {
  if (request.phase !== phase) return "phase is not the method's";
  if (!/^[!-~]{1,128}$/.test(request.gid)) return 'gid: 1 to 128 of 0x21 to 0x7e';
  if (request.branch < 1 || request.branch > 64) return 'branch: 1 to 64';
  if (request.digest.length !== 16) return 'digest: 16 bytes';
  if (!request.number || request.number.incarnation <= 0 || request.number.number <= 0) {
    return 'number: positive';
  }
  return whatIsWrong(request.context);
}

module.exports = {NONE, TRIED, STATE_NAMES, less, pair, done, no, wantedState, isPast, decide,
  whatIsWrong, whatIsWrongWithBranch};
