// SPDX-License-Identifier: MIT
import {describe, expect, test} from 'vitest';
import type {LogLine, Meter, Problem, Reading, Status} from '../src/api';
import * as format from '../src/format';

const reading = (value: string | null, kind: Reading['kind'] = 'number'): Reading => ({key: 'k', name: 'K', value, unit: 'kWh', kind});
const meter = (change: Partial<Meter>): Meter => ({
  id: 'm', name: 'M', profile: 'p', link: 'l', up: true, paused: false, fault: 'ok', text: '', interval: 30, frame_age: 1, reading_age: 1,
  polls: 1, failures: 0, refused: 0, recoveries: {}, readings: [], ...change,
});
const status = (change: Partial<Status>): Status => ({
  version: '1', instance: 'i', uptime: 1, memory: 0, time: '', mode: 'app',
  configuration: {path: '', state: 'valid', editable: true, problems: []},
  brokers: [], links: [], meters: [], sinks: [], bridges: [], journal: null, ...change,
});

test('spans of time are told in one or two units', () => {
  const shown = (seconds: number) => format.span(seconds).replaceAll('\u00a0', ' ');
  expect([-1, 0, 59.9, 60, 3599, 3600, 3660, 86399, 86400, 90000].map(shown)).toEqual([
    '0 s', '0 s', '59 s', '1 min', '59 min', '1 h', '1 h 1 min', '23 h 59 min', '1 d', '1 d 1 h',
  ]);
  expect(format.interval(0.5)).toBe('0.5\u00a0s');
  expect(format.interval(30)).toBe('30\u00a0s');
});

test('values keep every digit that the meter sent', () => {
  for (const digits of ['2979.6400', '0', '-0.10', '00012', '123456789012345678901234567890.5', '1e3'])
    expect(format.shownValue(reading(digits))).toBe(digits);
  expect(format.shownValue(reading(null))).toBe('–');
  expect(format.shownValue(reading('0091', 'text'))).toBe('0091');
  expect(format.shownValue(reading('no time', 'time'))).toBe('no time');
  expect(format.shownValue(reading('2026-11-21T13:40:00.000Z', 'time'), 'en')).toMatch(/2026/);
});

test('a reading is old after three periods, counted on while the connection is away', () => {
  expect(format.isOld(meter({reading_age: 90}), 0)).toBe(false);
  expect(format.isOld(meter({reading_age: 96}), 0)).toBe(true);
  expect(format.isOld(meter({reading_age: 1}), 95)).toBe(true);
  expect(format.isOld(meter({reading_age: null}), 1000)).toBe(false);
});

test('every state of the fault ladder has words and a tone', () => {
  const ladder = ['starting', 'no_device', 'no_bytes', 'no_frame', 'bad_checksum', 'wrong_key', 'not_understood', 'refused', 'ok'];
  expect(new Set(ladder.map(format.faultWords)).size).toBe(ladder.length);
  expect(ladder.map(format.toneOf)).toEqual(['quiet', 'bad', 'bad', 'bad', 'bad', 'bad', 'bad', 'hint', 'good']);
  expect(format.faultWords('from_a_newer_program')).toBe('trouble');
  expect(format.toneOf('from_a_newer_program')).toBe('bad');
});

test('cards show numbers first, and names alone where nothing has a value', () => {
  const many = [reading('x', 'text'), reading(null), reading('1'), reading('2')];
  expect(format.foremost(many, 6).map((one) => one.value)).toEqual(['1', '2']);
  expect(format.foremost(many, 1).map((one) => one.value)).toEqual(['1']);
  expect(format.foremost([reading('x', 'text'), reading(null)], 6).map((one) => one.value)).toEqual(['x']);
  expect(format.foremost([reading(null), reading(null)], 1).map((one) => one.value)).toEqual([null]);
});

test('cards begin with what people look for', () => {
  const named = (key: string) => ({...reading('1'), key});
  const keys = ['energy_import_t1', 'power', 'voltage_l1', 'energy_export', 'energy_import'].map(named);
  expect(format.foremost(keys, 4).map((one) => one.key)).toEqual(['energy_import', 'energy_export', 'power', 'energy_import_t1']);
});

test('a sub-meter speaks through its parent', () => {
  const [parent, child, orphan] = [meter({id: 'p1', fault: 'no_bytes'}), meter({id: 'gas', parent: 'p1', fault: 'starting'}), meter({parent: 'x'})];
  expect(format.speaker(child, [child, parent])).toBe(parent);
  expect(format.speaker(parent, [child, parent])).toBe(parent);
  expect(format.speaker(orphan, [parent])).toBe(orphan);
  expect(format.troubles(status({meters: [parent, {...child, fault: 'no_bytes'}]})).map((one) => one.n)).toEqual([1]);
});

describe('troubles', () => {
  const words = (change: Partial<Status>) => format.troubles(status(change)).map((one) => `${one.word} ${one.n} ${one.tone}`);
  test('there are none in a house that is well, starting or paused', () => {
    expect(words({meters: [meter({}), meter({fault: 'starting'}), meter({fault: 'no_bytes', paused: true})]})).toEqual([]);
  });
  test('meters are counted, held values are milder', () => {
    expect(words({meters: [meter({fault: 'no_bytes'}), meter({fault: 'refused'})]})).toEqual(['unwell_meters 2 bad']);
    expect(words({meters: [meter({fault: 'refused'})]})).toEqual(['unwell_meters 1 hint']);
  });
  test('alarms count while they are raised, not while they cannot be told', () => {
    const alarm = (active: boolean | null) => ({name: 'a', severity: 'warning', active, since: null, text: 'power 16 W above 15 W'});
    expect(words({meters: [meter({alarms: [alarm(true), alarm(false), alarm(null)]}), meter({alarms: [alarm(true)]})]})).toEqual(['raised_alarms 2 bad']);
  });
  test('the broker, the links and the rest are named', () => {
    const broker = {name: 'b', address: '', connected: false, text: '', waiting: 0, in_flight: 0, dropped: 0, denied: 0};
    const link = {name: 'l', address: '', up: false, fault: 'no_device', text: '', meters: []};
    expect(words({brokers: [broker], links: [link, {...link, fault: 'starting'}], journal: {up: false, kind: 'disk', entries: 0, size: 0}}))
      .toEqual(['unwell_brokers 1 bad', 'unwell_links 1 bad', 'unwell_journal 1 bad']);
  });
  test('the file: its errors, and what goes on meanwhile', () => {
    const file = {path: '', editable: true, problems: [{severity: 'warning', message: 'w'} as Problem]};
    expect(words({configuration: {...file, state: 'invalid'}})).toEqual(['file_invalid 1 bad']);
    expect(words({configuration: {...file, state: 'invalid', running: 'previous'}})).toEqual(['file_invalid_running 1 bad']);
    expect(words({configuration: {...file, state: 'empty'}})).toEqual(['file_empty 1 hint']);
    expect(words({configuration: {...file, state: 'valid'}})).toEqual(['file_warnings 1 hint']);
  });
});

describe('the log', () => {
  const line = (n: number): LogLine => ({time: `t${n}`, level: 'info', text: `line ${n}`});
  const lines = (from: number, to: number) => Array.from({length: to - from}, (_, at) => line(from + at));
  test('has each line once, wherever the ring and the stream overlap', () => {
    for (let ring = 0; ring <= 6; ++ring)
      for (let from = 0; from <= ring; ++from)
        expect(format.mergedLog(lines(0, ring), lines(from, Math.max(ring, from) + 2))).toEqual(lines(0, Math.max(ring, from) + 2));
  });
  test('keeps equal lines of the stream apart', () => {
    expect(format.mergedLog([line(1)], [line(1), line(1)])).toEqual([line(1), line(1)]);
  });
  test('is bounded', () => {
    expect(format.mergedLog(lines(0, 900), lines(900, 1200))).toEqual(lines(200, 1200));
    expect(format.withLine(lines(0, 1000), line(1000))).toEqual(lines(1, 1001));
  });
  test('counts what came after a line, even if that one is gone', () => {
    expect(format.newer(lines(2, 6), line(3))).toBe(2);
    expect(format.newer(lines(2, 6), line(1))).toBe(4);
    expect(format.newer(lines(2, 6), undefined)).toBe(4);
  });
  test('knows the order of levels', () => {
    expect(['debug', 'info', 'warning', 'error', 'critical', 'strange'].map(format.rank)).toEqual([0, 1, 2, 3, 3, 1]);
  });
});

describe('the editor', () => {
  test('marks a line with the worst that is said of it', () => {
    const problem = (line: number | null, severity: Problem['severity']): Problem => ({line, severity, message: ''});
    expect([...format.marks([problem(2, 'warning'), problem(2, 'error'), problem(3, 'error'), problem(3, 'warning'), problem(null, 'error')])])
      .toEqual([[2, 'error'], [3, 'error']]);
  });
  test('finds lines', () => {
    expect(format.lineRange('a\nbcd\n', 1)).toEqual([0, 1]);
    expect(format.lineRange('a\nbcd\n', 2)).toEqual([2, 5]);
    expect(format.lineRange('a\nbcd\n', 3)).toEqual([6, 6]);
    expect(format.lineRange('a\nbcd', 99)).toEqual([2, 5]);
    expect(format.lineRange('', 1)).toEqual([0, 0]);
  });
  test('goes on with the indentation', () => {
    const after = (text: string) => format.newline(text, text.length);
    expect(after('meters:')).toBe('\n  ');
    expect(after('meters:  # mine')).toBe('\n  ');
    expect(after('a: 1\n  - id: house')).toBe('\n    ');
    expect(after('  - id: house\n    name: x')).toBe('\n    ');
    expect(after('  - link:')).toBe('\n      ');
    expect(after('  tcp: "10.0.0.5:8899"')).toBe('\n  ');
    expect(after('')).toBe('\n');
    expect(format.newline('    abc', 2)).toBe('\n  ');
  });
  test('begins with an example that needs nothing else', () => {
    const example = '# words\nmqtt: {host: h, password: !secret p}\nmeters:\n  - {id: a}\n';
    expect(format.starter(example, true)).toBe('# words\nmeters:\n  - {id: a}\n');
    expect(format.starter(example, false)).toBe('# words\nmqtt: {host: h, password: ""}\nmeters:\n  - {id: a}\n');
  });
});
