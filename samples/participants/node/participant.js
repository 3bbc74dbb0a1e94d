'use strict';
// The protocol's half of a participant, over PostgreSQL: docs/protocol.md, sections 3 to 7.
//
// Whatever the network does to a call (twice, late, in the wrong order), its effect happens at most
// once, because a row of tercet_fence is written in the same local transaction as the business change.
// The table of what to answer is in decide.js; business code is in bank.js and knows nothing of this.
//
// Not here: the stream Work, without which every request is a call of its own.

const grpc = require('@grpc/grpc-js');
const pg = require('pg');
const {NONE, TRIED, STATE_NAMES, less, pair, done, no, wantedState, isPast, decide, whatIsWrong,
  whatIsWrongWithBranch} = require('./decide');

// BIGINT as a number, not as text: nothing here reaches 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Business code says no to a try. */
class Refused extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

/** A gRPC status instead of a verdict. */
class Status extends Error {
  constructor(code, text) {
    super(text);
    this.grpc = {code, details: text};
  }
}

/** Another transaction held the row and rolled back. */
class BeginAgain extends Error {}

const METHODS = {PHASE_TRY: 'try', PHASE_CONFIRM: 'confirm', PHASE_CANCEL: 'cancel'};

class Participant {
  /**
   * `actions` maps names to objects with try, confirm, cancel (db, payload) and confirmOnly.  Each runs
   * in the transaction that also writes the fence row: it may touch `db` and nothing else, and neither
   * commits nor rolls back.  It may run more than once.
   */
  constructor(name, database, actions) {
    this.name = name;
    this.actions = actions;
    this.pool = new pg.Pool({connectionString: database, max: 16});
    // A connection that is lost between two statements is an event, which nobody else listens to.
    const lost = (error) => console.error(`a connection was lost: ${error.message}`);
    this.pool.on('error', lost).on('connect', (connection) => connection.on('error', lost));
    this.raised = new Map(); // origin -> the (incarnation, epoch) that tercet_mark is known to hold
  }

  /** The methods of tercet.v1.Participant, for grpc.Server.addService. */
  methods() {
    const unary = (serve) => (call, callback) => serve(call.request).then(
      (reply) => callback(null, reply),
      (error) => callback(error.grpc || {code: grpc.status.UNAVAILABLE, details: error.message}));
    return {
      Try: unary((request) => this.serve(request, 'PHASE_TRY')),
      Confirm: unary((request) => this.serve(request, 'PHASE_CONFIRM')),
      Cancel: unary((request) => this.serve(request, 'PHASE_CANCEL')),
      Describe: unary((request) => this.describe(request)),
      Inspect: unary((request) => this.inspect(request)),
    };
  }

  async serve(request, phase) {
    const wrong = whatIsWrongWithBranch(request, phase);
    if (wrong) throw new Status(grpc.status.INVALID_ARGUMENT, wrong);
    if (request.context.participant !== this.name) {
      return no('VERDICT_LATER', 'TERCET_WRONG_PARTICIPANT', `this is ${this.name}`);
    }
    const action = this.actions.get(request.action);
    if (!action) throw new Status(grpc.status.FAILED_PRECONDITION, 'TERCET_UNKNOWN_ACTION');
    if (phase === 'PHASE_TRY' && action.confirmOnly) {
      throw new Status(grpc.status.INVALID_ARGUMENT, 'this action is not tried');
    }
    // Deadlocks are rolled back by PostgreSQL and run again.  Everything else that fails, a commit of
    // unknown outcome too, is LATER: the coordinator asks again, and then the row tells.
    let last;
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        await this.raiseEpoch(request.context);
        if (request.context.mark) await this.applyMark(request.context);
        return await this.transaction('READ COMMITTED', (db) => this.branch(db, request, action),
          (reply) => reply.verdict === 'VERDICT_DONE'); // what is not DONE leaves nothing behind
      } catch (error) {
        if (error instanceof Status) throw error;
        last = error;
        if (!(error instanceof BeginAgain || error.code === '40001' || error.code === '40P01')) break;
      }
    }
    this.raised.delete(request.context.origin.toString('hex')); // it may be another database by now
    return no('VERDICT_LATER', 'TERCET_HANDLER_FAILED', last.message);
  }

  /** Commits what `work` did if its result is to be kept, and only then returns it. */
  async transaction(isolation, work, isKept = () => true) {
    const db = await this.pool.connect();
    let broken = true; // a connection that failed in the middle is not used again
    try {
      await db.query(`BEGIN ISOLATION LEVEL ${isolation}`);
      try {
        const made = await work(db);
        await db.query(isKept(made) ? 'COMMIT' : 'ROLLBACK');
        broken = false;
        return made;
      } catch (error) {
        await db.query('ROLLBACK').then(() => { broken = false; }, () => {});
        throw error;
      }
    } finally {
      db.release(broken);
    }
  }

  /** Insert or lock the row, then read epoch and mark, then decide, then run. */
  async branch(db, request, action) {
    const wanted = wantedState(request.phase, action.confirmOnly);
    const key = [Buffer.from(request.gid), request.branch];
    let row = null;
    if (wanted === NONE || !(await this.insert(db, key, request, wanted))) {
      row = await lockRow(db, key);
      if (!row && wanted !== NONE) throw new BeginAgain('the row is gone again');
    }
    const seen = await this.readMark(db, request.context, 'FOR SHARE');
    const {run, reply} = decide(row, isPast(seen, pair(request.number)), request, action.confirmOnly);
    return {...(reply || await call(db, key, request, action, run)),
      markIncarnation: seen.age[0], markLsn: seen.age[1]};
  }

  /** False: there is a row.  Another transaction of the same key is waited for. */
  async insert(db, key, request, state) {
    const {number, context} = request;
    const {rowCount} = await db.query(
      `INSERT INTO tercet_fence
         (gid, branch, participant, origin, incarnation, number, digest, action, state, result)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '') ON CONFLICT (gid, branch) DO NOTHING`,
      [...key, this.name, context.origin, ...pair(number), request.digest, request.action, state]);
    return rowCount === 1;
  }

  /** A locking read: after the row, never before it. */
  async readMark(db, asker, lock) {
    const {rows: [row]} = await db.query(
      `SELECT incarnation, epoch, mark_incarnation, mark_lsn, low_incarnation, low_number, open
       FROM tercet_mark WHERE participant = $1 AND origin = $2 ${lock}`, [this.name, asker.origin]);
    if (!row) throw new Error('the epoch that was stored is gone');
    const epoch = [row.incarnation, row.epoch];
    if (less([asker.incarnation, asker.epoch], epoch)) {
      throw new Status(grpc.status.FAILED_PRECONDITION, 'TERCET_OLD_EPOCH: a newer start was seen');
    }
    return {epoch, age: [row.mark_incarnation, row.mark_lsn],
      low: [row.low_incarnation, row.low_number], open: JSON.parse(row.open.toString() || '[]')};
  }

  /** Once for each start of the coordinator, and durable before anything else is done for it. */
  async raiseEpoch(asker) {
    const origin = asker.origin.toString('hex');
    const asks = [asker.incarnation, asker.epoch];
    if (this.raised.has(origin) && !less(this.raised.get(origin), asks)) return;
    await this.pool.query(
      `INSERT INTO tercet_mark (participant, origin, incarnation, epoch) VALUES ($1, $2, $3, $4)
       ON CONFLICT (participant, origin) DO UPDATE
       SET incarnation = excluded.incarnation, epoch = excluded.epoch
       WHERE (tercet_mark.incarnation, tercet_mark.epoch) < (excluded.incarnation, excluded.epoch)`,
      [this.name, asker.origin, ...asks]);
    this.raised.set(origin, asks);
  }

  /** Lets rows go: no call for them can come any more that would not be refused. */
  applyMark(asker) {
    const {mark} = asker;
    const age = [mark.asOfIncarnation, mark.asOfLsn];
    const low = mark.low ? pair(mark.low) : [0, 0];
    const open = mark.open.map(pair);
    const mine = [this.name, asker.origin];
    return this.transaction('READ COMMITTED', async (db) => {
      const seen = await this.readMark(db, asker, 'FOR UPDATE');
      if (!less(seen.age, age)) return; // older, or known: an older list would open what is closed
      await db.query(
        `UPDATE tercet_mark SET mark_incarnation = $3, mark_lsn = $4, low_incarnation = $5,
           low_number = $6, open = $7 WHERE participant = $1 AND origin = $2`,
        [...mine, ...age, ...low, Buffer.from(JSON.stringify(open))]);
      // A TRIED row holds a reservation: it stays, and an operator looks.
      await db.query(
        `DELETE FROM tercet_fence WHERE participant = $1 AND origin = $2
           AND (incarnation, number) < ($3, $4) AND state <> 1
           AND (incarnation, number) NOT IN (SELECT * FROM unnest($5::bigint[], $6::bigint[]))`,
        [...mine, ...low, open.map((one) => one[0]), open.map((one) => one[1])]);
    });
  }

  async describe({context: asker}) {
    check(asker); // asked under another name it tells its own
    await this.raiseEpoch(asker); // durable before anything is told
    // One snapshot: a mark that is read apart can be older than the rows that it has let go.
    return this.transaction('REPEATABLE READ READ ONLY', async (db) => {
      const seen = await this.readMark(db, asker, '');
      const {rows: [{store_id: storeId}]} = await db.query('SELECT store_id FROM tercet_store');
      const mine = 'FROM tercet_fence WHERE participant = $1 AND origin = $2';
      const {rows: [{count}]} = await db.query(`SELECT count(*) ${mine}`, [this.name, asker.origin]);
      const {rows: [highest]} = await db.query(`SELECT incarnation, number ${mine}
        ORDER BY incarnation DESC, number DESC LIMIT 1`, [this.name, asker.origin]);
      const named = ([incarnation, number]) => ({incarnation, number});
      const mark = seen.age[0] ? {asOfIncarnation: seen.age[0], asOfLsn: seen.age[1],
        low: named(seen.low), open: seen.open.map(named)} : null;
      return {
        participant: this.name, protocol: 1, software: 'bank example in Node',
        actions: [...this.actions].map(([name, {confirmOnly}]) => ({name, confirmOnly})),
        stores: [{kind: 'postgresql', storeId, incarnation: seen.epoch[0], epoch: seen.epoch[1], mark,
          highest, rows: count}],
      };
    });
  }

  async inspect(request) {
    check(request.context);
    if (request.context.participant !== this.name) {
      throw new Status(grpc.status.FAILED_PRECONDITION, `this is ${this.name}`);
    }
    const values = [];
    const put = (...more) => more.map((value) => `$${values.push(value)}`).join(', ');
    let where;
    if (request.gid) {
      where = `gid = ${put(Buffer.from(request.gid))}`;
      if (request.branch) where += ` AND branch = ${put(request.branch)}`;
    } else {
      where = `participant = ${put(this.name)} AND origin = ${put(request.context.origin)}`;
      const bound = (how, [incarnation, number]) => {
        where += ` AND (incarnation, number) ${how} (${put(incarnation, number)})`;
      };
      if (request.from) bound('>=', pair(request.from));
      if (request.below) bound('<', pair(request.below));
      if (request.pageToken) bound('>', request.pageToken.split('.').map(Number)); // the last row
    }
    const size = Math.min(request.pageSize || 100, 1000);
    const {rows: found} = await this.pool.query(
      `SELECT * FROM tercet_fence WHERE ${where} ORDER BY incarnation, number LIMIT ${size + 1}`, values);
    const rows = found.slice(0, size).map((row) => ({
      gid: row.gid.toString(), branch: row.branch, state: STATE_NAMES[row.state], origin: row.origin,
      number: {incarnation: row.incarnation, number: row.number}, digest: row.digest,
      action: row.action, result: row.result,
    }));
    if (!rows.length && request.gid && request.branch) {
      rows.push({gid: request.gid, branch: request.branch, state: STATE_NAMES[NONE]});
    }
    const last = rows.length && rows[rows.length - 1].number;
    return {rows, nextPageToken: found.length > size ? `${last.incarnation}.${last.number}` : ''};
  }
}

function check(asker) {
  const wrong = whatIsWrong(asker);
  if (wrong) throw new Status(grpc.status.INVALID_ARGUMENT, wrong);
}

async function lockRow(db, key) {
  const {rows: [row]} = await db.query(
    'SELECT * FROM tercet_fence WHERE gid = $1 AND branch = $2 FOR UPDATE', key);
  return row && {...row, number: [row.incarnation, row.number]};
}

/** Runs the business code and writes what became of the branch. */
async function call(db, key, request, action, state) {
  let result;
  try {
    result = await action[METHODS[request.phase]](db, request.payload);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return state === TRIED ? no('VERDICT_REFUSED', error.code, error.message)
      : no('VERDICT_LATER', 'TERCET_REFUSED_TOO_LATE', error.message);
  }
  if (state === TRIED) { // its repeats are answered with the same result
    await db.query('UPDATE tercet_fence SET result = $3 WHERE gid = $1 AND branch = $2', [...key, result]);
    return done('HOW_RAN', result);
  }
  await db.query('UPDATE tercet_fence SET state = $3 WHERE gid = $1 AND branch = $2', [...key, state]);
  return done('HOW_RAN');
}

module.exports = {Participant, Refused};
