'use strict';
// A participant of stock gRPC that agrees to everything, to be measured.

const {parseArgs} = require('node:util');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const {values: options} = parseArgs({options: {
  name: {type: 'string'}, // of the participant; it agrees to others' branches, too
  listen: {type: 'string'}, // unix:PATH
  protos: {type: 'string', default: `${__dirname}/../../../protos`},
}});
const {tercet} = grpc.loadPackageDefinition(
  loader.loadSync('tercet/v1/participant.proto', {includeDirs: [options.protos]}));

function agree(call, callback) {
  callback(null, {verdict: 'VERDICT_DONE', how: 'HOW_RAN'});
}

const server = new grpc.Server();
server.addService(tercet.v1.Participant.service, {Try: agree, Confirm: agree});
server.bindAsync(options.listen, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.log('ready');
  process.stdin.on('end', () => process.exit(0)).resume(); // whoever has started it closes that
});
