#!/usr/bin/env node
'use strict';
// A bank that takes part in Tercet's transactions: accounts with a balance and what is reserved.
//
//   debit   try: balance -> reserved   confirm: reserved -> gone   cancel: reserved -> balance
//   credit  confirm only: adds to the balance, and needs no try, because it cannot be refused
//
// The payload is JSON: {"account": "ann", "amount": 30}.

const {parseArgs} = require('node:util');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const {LOADER_OPTIONS, Participant, Refused} = require('./participant');

function read(payload) {
  let order;
  try {
    order = JSON.parse(payload.toString());
  } catch (error) {
    throw new Refused('BAD_PAYLOAD', error.message);
  }
  const {account, amount} = order || {};
  if (typeof account !== 'string' || !Number.isSafeInteger(amount) || amount <= 0) {
    throw new Refused('BAD_PAYLOAD', 'account is a text, amount a positive whole number');
  }
  return [account, amount];
}

async function change(db, sql, payload) {
  const {rowCount} = await db.query(sql, read(payload));
  if (rowCount !== 1) throw new Error('the account does not have what was reserved');
}

const debit = {
  confirmOnly: false,
  async try(db, payload) {
    const [account, amount] = read(payload);
    const {rows: [left]} = await db.query(
      `UPDATE account SET balance = balance - $2, reserved = reserved + $2
       WHERE id = $1 AND balance >= $2 RETURNING balance`, [account, amount]);
    if (!left) throw new Refused('BALANCE_TOO_LOW', `${account} does not have ${amount}`);
    return Buffer.from(JSON.stringify(left));
  },
  confirm: (db, payload) =>
    change(db, 'UPDATE account SET reserved = reserved - $2 WHERE id = $1', payload),
  cancel: (db, payload) => change(db,
    'UPDATE account SET balance = balance + $2, reserved = reserved - $2 WHERE id = $1', payload),
};

const credit = {
  confirmOnly: true,
  confirm: (db, payload) => change(db,
    `INSERT INTO account (id, balance) VALUES ($1, $2)
     ON CONFLICT (id) DO UPDATE SET balance = account.balance + excluded.balance`, payload),
  // A cancel of what was never confirmed finds no row, and calls nothing.
};

const {values: options} = parseArgs({options: {
  name: {type: 'string', default: 'bank'},
  listen: {type: 'string', default: '127.0.0.1:7204'},
  database: {type: 'string', default: 'postgres:///bank'},
  protos: {type: 'string', default: `${__dirname}/../../../protos`},
}});
const {tercet} = grpc.loadPackageDefinition(loader.loadSync('tercet/v1/participant.proto',
  {includeDirs: [options.protos], ...LOADER_OPTIONS}));
const participant = new Participant(options.name, options.database, new Map(Object.entries({debit, credit})));
const server = new grpc.Server();
server.addService(tercet.v1.Participant.service, participant.methods());
server.bindAsync(options.listen, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
