// SPDX-License-Identifier: MIT
// A house that is not there, for work on the page: `npm run dev`. Never part of the program.
import type {Plugin} from 'vite';
import type {Document, Problem, Status} from '../src/api';

const number = (key: string, name: string, value: string | null, unit: string) => ({key, name, value, unit, kind: 'number' as const});

const house = (): Status => ({
  version: '0.1.0', instance: 'meterbridge', uptime: 93784.2, memory: 9437184, time: new Date().toISOString(), mode: 'app',
  configuration: {path: '/config/meterbridge.yaml', state: 'valid', editable: true, problems: []},
  brokers: [{name: 'core-mosquitto:1883', address: 'core-mosquitto:1883', connected: true, text: 'connected', waiting: 0, in_flight: 1, dropped: 0, denied: 0}],
  links: [
    {name: 'cellar', address: '/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A10K5XYZ-if00-port0 9600 8N1', up: true, fault: 'ok', text: 'ok', meters: ['house', 'shed']},
    {name: 'p1', address: '10.0.0.5:8899', up: false, fault: 'no_device', text: '10.0.0.5:8899: connection refused; tried again in 7 s', meters: ['p1']},
  ],
  meters: [
    {
      id: 'house', name: 'House meter', profile: 'energomera-ce307', link: 'cellar', up: true, paused: false, fault: 'ok', text: '', interval: 30,
      frame_age: 1.2, reading_age: 1.2, polls: 1204, failures: 3, refused: 0, recoveries: {resynchronise: 3, flush: 1},
      readings: [
        number('energy_import', 'Energy import', '2979.6400', 'kWh'), number('energy_import_t1', 'Day', '1979.14', 'kWh'),
        number('energy_import_t2', 'Night', '1000.50', 'kWh'), number('power', 'Power', (1000 + (Date.now() % 900)).toString(), 'W'),
        number('voltage_l1', 'Voltage L1', '231.07', 'V'), number('voltage_l2', 'Voltage L2', '229.90', 'V'),
        number('voltage_l3', 'Voltage L3', null, 'V'), number('frequency', 'Frequency', '50.01', 'Hz'),
        {key: 'serial', name: 'Serial number', value: '009112345678901', unit: null, kind: 'text'},
        {key: 'clock', name: 'Meter clock', value: '2026-11-21T13:40:00.000Z', unit: null, kind: 'time'},
      ],
    },
    {
      id: 'p1', name: 'Smart meter', profile: 'p1', link: 'p1', up: false, paused: false, fault: 'no_device',
      text: '10.0.0.5:8899: connection refused; tried again in 7 s', interval: 10, frame_age: 754, reading_age: 754, polls: 80211, failures: 12,
      refused: 0, recoveries: {}, readings: [number('energy_import_t1', 'Energy import, tariff 1', '12345.678', 'kWh'), number('power_import', 'Power import', '0.412', 'kW')],
    },
    {
      id: 'shed', name: 'Shed', profile: 'ce102', link: 'cellar', up: false, paused: false, fault: 'starting', text: 'not asked yet', interval: 60,
      frame_age: null, reading_age: null, polls: 0, failures: 0, refused: 0, recoveries: {}, readings: [],
    },
  ],
  sinks: [{name: 'influx', type: 'influxdb', up: true, text: '', lag: 12, lag_time: 4.5, written: 120345, refused: 0, dropped: 0, failures: 2}],
  bridges: [{name: 'cloud', up: false, text: 'mqtt.example.org: host name not found', waiting: 431, dropped: 0}],
  journal: {up: true, kind: 'disk', entries: 120400, size: 15234048},
});

const file: Document = {
  path: '/config/meterbridge.yaml', hash: '1', editable: true,
  text: 'meters:\n  - id: house\n    name: House meter\n    profile: energomera-ce307\n    link: {serial: /dev/ttyUSB0}\n    address: 13462\n    interval: 30s\n',
};

// Enough of a checker to see problems come and go.
function check(text: string) {
  const problems: Problem[] = [];
  text.split('\n').forEach((line, at) => {
    if (line.includes('\t')) problems.push({severity: 'error', line: at + 1, column: line.indexOf('\t') + 1, message: 'a tab: indent with spaces'});
    if (/\bprofil:/.test(line)) problems.push({severity: 'error', line: at + 1, column: 5, message: '"profil" is not known here; did you mean "profile"?'});
    if (/password: \w/.test(line)) problems.push({severity: 'warning', line: at + 1, column: 1, message: 'a password in the file itself: !secret keeps it elsewhere'});
  });
  const invalid = problems.some((one) => one.severity === 'error');
  return {state: invalid ? 'invalid' : /^ *- /m.test(text) ? 'valid' : 'empty', problems};
}

export function answers(): Plugin {
  return {
    name: 'answers',
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use((request, answer, next) => {
        const path = (request.url ?? '').split('?')[0] ?? '';
        const say = (status: number, body: unknown) => {
          answer.writeHead(status, {'Content-Type': 'application/json'});
          answer.end(JSON.stringify(body));
        };
        if (path === '/api/events') {
          answer.writeHead(200, {'Content-Type': 'text/event-stream'});
          const send = (event: string, data: unknown) => answer.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
          const tick = () => {
            send('status', house());
            send('log', {time: new Date().toISOString(), level: ['info', 'warning', 'error'][Math.floor(Math.random() * 3)], text: 'meter house: read in 120 ms'});
          };
          tick();
          const timer = setInterval(tick, 2000);
          answer.on('close', () => clearInterval(timer));
        } else if (path === '/api/status') say(200, house());
        else if (path === '/api/log') say(200, {lines: [{time: new Date().toISOString(), level: 'info', text: 'meterbridge 0.1.0 starts'}]});
        else if (path === '/api/configuration' && request.method === 'GET') say(200, file);
        else if (path.startsWith('/api/')) {
          let body = '';
          request.on('data', (part: unknown) => (body += String(part)));
          request.on('end', () => {
            if (path.endsWith('/poll')) return say(202, {});
            const verdict = check(body);
            if (path.endsWith('/check')) return say(200, verdict);
            if (request.headers['if-match'] !== `"${file.hash}"`) return say(412, {error: 'the file was changed meanwhile'});
            if (verdict.state === 'invalid') return say(422, {error: 'errors were found', problems: verdict.problems});
            Object.assign(file, {text: body, hash: String(Number(file.hash) + 1)});
            return say(200, {hash: file.hash, problems: verdict.problems, text: 'meter house: changed'});
          });
        } else next();
      });
    },
  };
}
