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

const PHASES = {Try: 'try', Confirm: 'confirm', Cancel: 'cancel'};
const METHODS = [...Object.keys(PHASES), 'Describe', 'Inspect'];

/** Serves one name over one database. */
class Participant {
  /**
   * `actions` maps names to objects with try, confirm, cancel (db, payload) and confirmOnly.  Each runs
   * in the transaction that also writes the fence row: it may touch `db` and nothing else, and neither
   * commits nor rolls back.  It may run more than once.  A try may return its result, a Buffer.
   */
  constructor(name, database, actions) {
    this.actions = actions;
    this.me = {participant: name, software: 'bank example in Node',
      actions: [...actions].map(([action, {confirmOnly}]) => ({name: action, confirmOnly}))};
    this.pool = new pg.Pool({connectionString: database, max: 16});
    // A connection that is lost between two statements is an event, which nobody else listens to.
    const lost = (error) => console.error(`a connection was lost: ${error.message}`);
    this.pool.on('error', lost).on('connect', (connection) => connection.on('error', lost));
  }

  /** The methods of tercet.v1.Participant, for grpc.Server.addService. */
  methods() {
    const unary = (method) => (call, callback) => this.serve(method, call.request).then(
      (reply) => callback(null, reply), (error) => callback(error));
    return Object.fromEntries(METHODS.map((method) => [method, unary(method)]));
  }

  async serve(method, request) {
    try {
      return await this.ask(method, request);
    } catch (error) {
      if (error.isStatus || !PHASES[method]) throw error;
      if (!(error instanceof Refused)) { // a commit of unknown outcome, too: asked again, the row tells
        return no('VERDICT_LATER', 'TERCET_HANDLER_FAILED', error.message);
      }
      return method === 'Try' ? no('VERDICT_REFUSED', error.code, error.message)
        : no('VERDICT_LATER', 'TERCET_REFUSED_TOO_LATE', error.message);
    }
  }

  /** Repeats what PostgreSQL rolled back. */
  async ask(method, request) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(method, request);
      } catch (error) {
        const code = error instanceof pg.DatabaseError ? error.code : '';
        if (code.startsWith('TC')) throw status(Number(code.slice(2)), error.message);
        if (attempt === 5 || !['40001', '40P01'].includes(code)) throw error;
      }
    }
  }

  /** One local transaction: claim, business code if the claim says so, commit; then the answer. */
  async once(method, {payload, ...request}) { // the database has no use for the payload
    const asked = [this.me, method, request];
    await this.pool.query('SELECT tercet_accept($1, $2, $3)', asked);
    const db = await this.pool.connect();
    let broken = true; // a connection whose transaction has not ended is not used again
    try {
      await db.query('BEGIN');
      const {rows: [{run, reply}]} = await db.query('SELECT run, reply FROM tercet_serve($1, $2, $3)', asked);
      if (run) {
        const business = this.actions.get(request.action)[PHASES[method]];
        const result = await business(db, Buffer.from(payload, 'base64'));
        if (result && method === 'Try') {
          await db.query('SELECT tercet_keep_result($1, $2)', [request, result]);
          reply.result = result;
        }
      }
      const {command} = await db.query('COMMIT'); // after an error it ends with ROLLBACK, and with none
      if (command !== 'COMMIT') throw new Error('a statement had failed, and the business code hid it');
      broken = false;
      return reply;
    } catch (error) {
      await db.query('ROLLBACK').then(() => { broken = false; }, () => {});
      throw error;
    } finally {
      db.release(broken);
    }
  }
}

/** What gRPC answers instead of a reply. */
function status(code, details) {
  return Object.assign(new Error(details), {isStatus: true, code, details});
}

function no(verdict, code, text) {
  const bytes = Buffer.from(text).subarray(0, 252); // 255 at most, and a character may be cut
  return {verdict, reason: {code, text: bytes.toString()}};
}

module.exports = {LOADER_OPTIONS, Participant, Refused};
