// SPDX-License-Identifier: MIT
// Pure functions: what is shown of what the program says.
import type {Alarm, LogLine, Meter, Problem, Reading, Status} from './api';
import {maybe, t, type Word} from './words';

// "12 s", "5 min", "3 h 20 min", "2 d 4 h".
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const part = (count: number, unit: Word) => `${count}\u00a0${t(unit)}`;
  if (whole < 60) return part(whole, 'unit_second');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return part(minutes, 'unit_minute');
  const two = (large: number, unit: Word, rest: number, below: Word) =>
    rest > 0 ? `${part(large, unit)} ${part(rest, below)}` : part(large, unit);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return two(hours, 'unit_hour', minutes % 60, 'unit_minute');
  return two(Math.floor(hours / 24), 'unit_day', hours % 24, 'unit_hour');
}

// An interval keeps its fraction: "0.5 s".
export function interval(seconds: number): string {
  return seconds < 60 && !Number.isInteger(seconds) ? `${seconds}\u00a0${t('unit_second')}` : span(seconds);
}

export function bytes(count: number): string {
  if (count < 1000) return `${count}\u00a0B`;
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)}\u00a0kB`;
  return `${(count / 1_000_000).toFixed(1)}\u00a0MB`;
}

// A reading is too old to show when three periods passed without one; a whole page that lost its connection is old.
const periods = 3;
const grace = 5; // seconds: a period is never met to the second

export function isOld(meter: Meter, since: number): boolean {
  return meter.reading_age !== null && meter.reading_age + since > meter.interval * periods + grace;
}

export type Tone = 'good' | 'bad' | 'hint' | 'quiet';

export function toneOf(fault: string): Tone {
  if (fault === 'ok') return 'good';
  if (fault === 'starting') return 'quiet';
  return fault === 'refused' ? 'hint' : 'bad';
}

export function faultWords(fault: string): string {
  return maybe(`fault_${fault}`) ?? t('fault_other');
}

export function rungWords(rung: string): string {
  return maybe(`rung_${rung}`) ?? rung;
}

// In the local form where it is a time of day, as it is where it is not. Numbers stay text.
export function shownValue(reading: Reading, locale?: string): string {
  if (reading.value === null) return '–';
  if (reading.kind !== 'time') return reading.value;
  return shownTime(reading.value, locale);
}

export function shownTime(text: string, locale?: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  return time.toLocaleString(locale, {dateStyle: 'medium', timeStyle: 'medium'});
}

// For the log: the day only where it is another one.
export function shownMoment(text: string, now: Date, locale?: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  const today = time.toDateString() === now.toDateString();
  return time.toLocaleString(locale, today ? {timeStyle: 'medium'} : {dateStyle: 'short', timeStyle: 'medium'});
}

// What people look for first; everything else follows as the meter has it.
const sought = ['energy_import', 'energy_export', 'energy', 'power', 'power_import', 'power_export', 'gas', 'water', 'heat', 'volume'];

// What the cards show. What is too old has no value, but it still has a name.
export function foremost(readings: readonly Reading[], count: number): Reading[] {
  const present = readings.filter((reading) => reading.value !== null);
  const numbers = present.filter((reading) => reading.kind === 'number');
  const shown = numbers.length > 0 ? numbers : present.length > 0 ? present : readings;
  const first = sought.flatMap((key) => shown.filter((reading) => reading.key === key));
  return [...first, ...shown.filter((reading) => !first.includes(reading))].slice(0, count);
}

// The meter whose state counts: a sub-meter speaks through its parent.
export function speaker(meter: Meter, meters: readonly Meter[]): Meter {
  return (meter.parent && meters.find((one) => one.id === meter.parent)) || meter;
}

export interface Trouble {
  word: Word;
  n: number;
  tone: Tone;
}

export function raisedAlarms(meter: Meter): Alarm[] {
  return (meter.alarms ?? []).filter((alarm) => alarm.active);
}

// What is not well, worst first; empty = all is well.
export function troubles(status: Status): Trouble[] {
  const count = (word: Word, n: number, tone: Tone = 'bad'): Trouble[] => (n > 0 ? [{word, n, tone}] : []);
  const {state, problems, running} = status.configuration;
  const file: Trouble[] = [];
  if (state === 'invalid') file.push({word: running ? 'file_invalid_running' : 'file_invalid', n: 1, tone: 'bad'});
  if (state === 'missing') file.push({word: 'file_missing', n: 1, tone: 'hint'});
  if (state === 'empty') file.push({word: 'file_empty', n: 1, tone: 'hint'});
  const speaking = status.meters.filter((meter) => !meter.parent && !meter.paused);
  const unwell = speaking.filter((meter) => toneOf(meter.fault) === 'bad').length;
  const held = speaking.filter((meter) => toneOf(meter.fault) === 'hint').length;
  return [
    ...file,
    ...count('unwell_brokers', status.brokers.filter((broker) => !broker.connected).length),
    ...count('unwell_meters', unwell + held, unwell > 0 ? 'bad' : 'hint'),
    ...count('raised_alarms', status.meters.flatMap(raisedAlarms).length),
    ...count('unwell_links', status.links.filter((link) => !link.up && toneOf(link.fault) === 'bad').length),
    ...count('unwell_sinks', status.sinks.filter((sink) => !sink.up).length),
    ...count('unwell_bridges', status.bridges.filter((bridge) => !bridge.up).length),
    ...count('unwell_journal', status.journal && !status.journal.up ? 1 : 0),
    ...(state === 'valid' ? count('file_warnings', problems.length, 'hint') : []),
  ];
}

const ranks: Record<string, number> = {trace: 0, debug: 0, info: 1, warning: 2, error: 3, critical: 3};

export function rank(level: string): number {
  return ranks[level] ?? 1;
}

export const most_lines = 1000;

// The ring as it was read, and what came since it was asked for: each line once, in order.
export function mergedLog(ring: readonly LogLine[], later: readonly LogLine[]): LogLine[] {
  const same = (a: LogLine | undefined, b: LogLine | undefined) =>
    a !== undefined && b !== undefined && a.time === b.time && a.text === b.text && a.level === b.level;
  // The longest end of the ring that the later lines begin with.
  for (let shared = Math.min(ring.length, later.length); shared > 0; --shared) {
    const begin = ring.length - shared;
    if (later.slice(0, shared).every((line, at) => same(line, ring[begin + at])))
      return [...ring, ...later.slice(shared)].slice(-most_lines);
  }
  return [...ring, ...later].slice(-most_lines);
}

export function withLine(lines: readonly LogLine[], line: LogLine): LogLine[] {
  return [...lines.slice(-(most_lines - 1)), line];
}

// How many lines are younger than this one; the ring may have been read anew since.
export function newer(lines: readonly LogLine[], than: LogLine | undefined): number {
  return than ? lines.filter((line) => line.time > than.time).length : lines.length;
}

// Line -> the worst of what is said of it.
export function marks(problems: readonly Problem[]): Map<number, Problem['severity']> {
  const found = new Map<number, Problem['severity']>();
  for (const {line, severity} of problems)
    if (line && (severity === 'error' || !found.has(line))) found.set(line, severity);
  return found;
}

// Where a line begins, counted from 1, and where it ends; a line too far is the last one.
export function lineRange(text: string, line: number): [number, number] {
  let begin = 0;
  for (let at = 1; at < line; ++at) {
    const next = text.indexOf('\n', begin);
    if (next < 0) break;
    begin = next + 1;
  }
  const end = text.indexOf('\n', begin);
  return [begin, end < 0 ? text.length : end];
}

// What Enter inserts at a place: the indentation goes on, two deeper behind a key without a value, below the text of a
// list entry that has one.
export function newline(text: string, at: number): string {
  const begin = text.lastIndexOf('\n', at - 1) + 1;
  const line = text.slice(begin, at);
  const indent = /^ */.exec(line)?.[0] ?? '';
  const bare = line.replace(/\s#.*$/, '').trimEnd();
  const entry = /^ *- +\S/.test(bare) ? '  ' : '';
  return '\n' + indent + entry + (/:$/.test(bare) ? '  ' : '');
}

// An example as a beginning of one's own: in the app the broker is known, and there is no file of secrets yet.
export function starter(example: string, app: boolean): string {
  if (app) return example.replace(/^mqtt:.*\n/m, '');
  return example.replace(/!secret \w+/g, '""');
}
