// SPDX-License-Identifier: MIT
// An MQTT 3.1.1 broker that is not mosquitto, for tests. Usage: node broker.mjs HOST PORT
import {createServer} from 'node:net';
import {createRequire} from 'node:module';
import {join} from 'node:path';

// The package lies in the cache of tests/brokers/prepare, this file does not.
const load = createRequire(join(process.env.AEDES_FOLDER, 'package.json'));
const {Aedes} = load('aedes');
const broker = await Aedes.createBroker();
const server = createServer(broker.handle);
server.listen(Number(process.argv[3]), process.argv[2]);
const end = () => broker.close(() => process.exit(0));
process.on('SIGTERM', end);
process.on('SIGINT', end);
