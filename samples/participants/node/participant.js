'use strict';
// The protocol's half of a participant, over PostgreSQL: docs/protocol.md, sections 2 to 7.
//
// Whatever the network does to a call (twice, late, in the wrong order), its effect happens at most
// once, because a row of tercet_fence is written in the same local transaction as the business change.
// What is written and what is answered is decided by functions in the database
// (postgres_functions.sql), to which requests go as they are.  Business code is in bank.js and knows
// nothing of this.
//
// Not here: the stream Work, without which every request is a call of its own.

const grpc = require('@grpc/grpc-js');
const pg = require('pg');

/**
 * Loaded with these, messages are what protobuf's JSON says of them: 64 bits and bytes (base64) as text,
 * enums by name.  pg hands objects over as JSON and makes objects of jsonb, so nobody converts anything.
 * Messages that are absent are null, everything else has its default.
 */
const LOADER_OPTIONS = {longs: String, enums: String, bytes: String, defaults: true};

// BIGINT as a number, not as text: no balance reaches 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Business code says no to a try. */
class Refused extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

const METHODS = {PHASE_TRY: 'try', PHASE_CONFIRM: 'confirm', PHASE_CANCEL: 'cancel'};

/** Serves one name over one database. */
class Participant {
  /**
   * `actions` maps names to objects with try, confirm, cancel (db, payload) and confirmOnly.  Each runs
   * in the transaction that also writes the fence row: it may touch `db` and nothing else, and neither
   * commits nor rolls back.  It may run more than once.  A try may return its result, a Buffer.
   */
  constructor(name, database, actions) {
    this.name = name;
    this.actions = actions;
    this.pool = new pg.Pool({connectionString: database, max: 16});
    // A connection that is lost between two statements is an event, which nobody else listens to.
    const lost = (error) => console.error(`a connection was lost: ${error.message}`);
    this.pool.on('error', lost).on('connect', (connection) => connection.on('error', lost));
  }

  /** The methods of tercet.v1.Participant, for grpc.Server.addService. */
  methods() {
    const unary = (serve) => (call, callback) => serve(call.request).then(
      (reply) => callback(null, reply), (error) => callback(error));
    return {
      Try: unary((request) => this.serve(request, 'PHASE_TRY')),
      Confirm: unary((request) => this.serve(request, 'PHASE_CONFIRM')),
      Cancel: unary((request) => this.serve(request, 'PHASE_CANCEL')),
      Describe: unary((request) => this.describe(request)),
      Inspect: unary((request) => this.inspect(request)),
    };
  }

  async serve({payload, ...request}, phase) { // the database has no use for the payload
    if (request.phase !== phase) throw status('INVALID_ARGUMENT', "phase is not the method's");
    if (this.isAnother(request.context)) {
      return no('VERDICT_LATER', 'TERCET_WRONG_PARTICIPANT', `this is ${this.name}`);
    }
    const action = this.actions.get(request.action);
    if (!action) throw status('FAILED_PRECONDITION', 'TERCET_UNKNOWN_ACTION');
    try {
      return await this.ask(request.context, async (asker) => {
        if (asker?.mark) await this.pool.query('SELECT tercet_apply_mark($1)', [asker]);
        return await this.once(request, action, Buffer.from(payload, 'base64'));
      });
    } catch (error) {
      if (error.isStatus) throw error;
      if (!(error instanceof Refused)) { // a commit of unknown outcome, too: asked again, the row tells
        return no('VERDICT_LATER', 'TERCET_HANDLER_FAILED', error.message);
      }
      return phase === 'PHASE_TRY' ? no('VERDICT_REFUSED', error.code, error.message)
        : no('VERDICT_LATER', 'TERCET_REFUSED_TOO_LATE', error.message);
    }
  }

  /** One local transaction: claim, business code if the claim says so, commit; then the answer. */
  async once(request, action, payload) {
    const db = await this.pool.connect();
    let broken = true; // a connection whose transaction has not ended is not used again
    try {
      await db.query('BEGIN');
      const {rows: [{run, reply}]} = await db.query('SELECT run, reply FROM tercet_claim($1, $2)',
        [request, action.confirmOnly]);
      const result = run ? await action[METHODS[request.phase]](db, payload) : null;
      if (result && request.phase === 'PHASE_TRY') {
        await db.query('SELECT tercet_keep_result($1, $2)', [request, result]);
        reply.result = result;
      }
      const end = reply.verdict === 'VERDICT_DONE' ? 'COMMIT' : 'ROLLBACK'; // of a no nothing is left
      const {command} = await db.query(end); // a COMMIT after an error ends with ROLLBACK, and with none
      if (command !== end) throw new Error('a statement had failed, and the business code hid it');
      broken = false;
      return reply;
    } catch (error) {
      await db.query('ROLLBACK').then(() => { broken = false; }, () => {});
      throw error;
    } finally {
      db.release(broken);
    }
  }

  /** Repeats what PostgreSQL rolled back; makes a start of the coordinator known that is new. */
  async ask(asker, work) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(asker);
      } catch (error) {
        const code = error instanceof pg.DatabaseError && error.code;
        if (code === 'TC001') throw status('FAILED_PRECONDITION', error.message);
        if (code === 'TC003') throw status('INVALID_ARGUMENT', error.message);
        if (attempt === 5 || !['TC002', '40001', '40P01'].includes(code)) throw error;
        if (code === 'TC002') await this.pool.query('SELECT tercet_raise_epoch($1)', [asker]);
      }
    }
  }

  async describe({context}) {
    const mine = {...context, participant: this.name}; // asked under another name it tells its own
    const {rows: [{store}]} = await this.ask(mine,
      (asker) => this.pool.query('SELECT tercet_describe($1) AS store', [asker]));
    return {participant: this.name, stores: [store], protocol: 1, software: 'bank example in Node',
      actions: [...this.actions].map(([name, {confirmOnly}]) => ({name, confirmOnly}))};
  }

  async inspect(request) {
    if (this.isAnother(request.context)) throw status('FAILED_PRECONDITION', `this is ${this.name}`);
    const {rows: [{reply}]} = await this.ask(request.context,
      () => this.pool.query('SELECT tercet_inspect($1) AS reply', [request]));
    return reply;
  }

  /** Is another participant meant?  Where none is named, the functions say what is missing. */
  isAnother(asker) {
    return (asker?.participant || this.name) !== this.name;
  }
}

/** What gRPC answers instead of a reply. */
function status(name, details) {
  return Object.assign(new Error(details), {isStatus: true, code: grpc.status[name], details});
}

function no(verdict, code, text) {
  const bytes = Buffer.from(text).subarray(0, 252); // 255 at most, and a character may be cut
  return {verdict, reason: {code, text: bytes.toString()}};
}

module.exports = {LOADER_OPTIONS, Participant, Refused};
