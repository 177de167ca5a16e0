// SPDX-License-Identifier: MIT
// What the program says and takes (docs/api.md). Addresses are relative: the ingress has a prefix.
import {t} from './words';

export interface Problem {
  severity: 'error' | 'warning';
  line?: number | null;
  column?: number | null;
  path?: string | null;
  message: string;
}

export interface Reading {
  key: string;
  name: string;
  value: string | null; // the meter's digits: never made a number
  unit: string | null;
  kind: 'number' | 'text' | 'time' | 'flag' | null;
}

export interface Alarm {
  name: string;
  severity: string;
  active: boolean | null; // null: cannot be told now
  since: string | null;
  text: string;
}

export interface Meter {
  id: string;
  name: string;
  parent?: string; // whose line a sub-meter is read on
  profile: string | null;
  link: string | null;
  up: boolean;
  paused: boolean;
  fault: string;
  text: string;
  interval: number;
  frame_age: number | null;
  reading_age: number | null;
  polls: number;
  failures: number;
  refused: number;
  recoveries: Record<string, number>;
  readings: Reading[];
  alarms?: Alarm[];
}

// What the profile knows and the meter has never sent.
export interface Unseen {
  key: string;
  name: string;
  reason: string;
}

export interface Broker {
  name: string;
  address: string;
  connected: boolean;
  text: string;
  waiting: number;
  in_flight: number;
  dropped: number;
  denied: number;
}

export interface Link {
  name: string;
  address: string;
  up: boolean;
  fault: string;
  text: string;
  meters: string[];
}

export interface Sink {
  name: string;
  type: string;
  up: boolean;
  text: string;
  lag: number;
  lag_time: number;
  written: number;
  refused: number;
  dropped: number;
  failures: number;
}

export interface Bridge {
  name: string;
  up: boolean;
  text: string;
  waiting: number;
  dropped: number;
}

export interface Journal {
  up: boolean;
  kind: 'disk' | 'memory';
  text?: string;
  entries: number;
  size: number;
}

export interface ConfigurationState {
  path: string;
  state: 'valid' | 'invalid' | 'empty' | 'missing';
  editable: boolean;
  problems: Problem[];
  running?: string;
}

export interface Status {
  version: string;
  instance: string;
  uptime: number;
  memory: number;
  time: string;
  mode: 'app' | 'service';
  configuration: ConfigurationState;
  brokers: Broker[];
  links: Link[];
  meters: Meter[];
  sinks: Sink[];
  bridges: Bridge[];
  journal: Journal | null;
}

export interface LogLine {
  time: string;
  level: string;
  text: string;
}

export interface Document {
  path: string;
  text: string;
  hash: string;
  editable: boolean;
}

export interface Verdict {
  state: 'valid' | 'invalid' | 'empty';
  problems: Problem[];
}

export interface Applied {
  hash: string;
  problems: Problem[];
  text: string;
}

// A refusal in words; 0 = nobody answered.
export class Refusal extends Error {
  constructor(
    readonly status: number,
    words: string,
    readonly problems: Problem[] = [],
  ) {
    super(words);
  }
}

async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, {cache: 'no-store', ...options});
  } catch (failure) {
    if (options.signal?.aborted) throw failure;
    throw new Refusal(0, t('not_reached'));
  }
  const text = await answer.text().catch(() => '');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const said = (body ?? {}) as {error?: string; problems?: Problem[]};
  if (!answer.ok) throw new Refusal(answer.status, said.error ?? `HTTP ${answer.status}`, said.problems ?? []);
  return body as T;
}

const sending = (method: string, body?: string, more: Record<string, string> = {}): RequestInit => ({
  method,
  headers: {'X-Meterbridge': '1', ...(body === undefined ? {} : {'Content-Type': 'text/yaml'}), ...more},
  ...(body === undefined ? {} : {body}),
});

export const readLog = () => ask<{lines: LogLine[]}>('api/log');
export const readMeter = (meter: string) => ask<Meter & {unseen: Unseen[]}>(`api/meters/${encodeURIComponent(meter)}`);
export const readDocument = () => ask<Document>('api/configuration');
export const check = (text: string, signal: AbortSignal) =>
  ask<Verdict>('api/configuration/check', {...sending('POST', text), signal});
export const apply = (text: string, hash: string) =>
  ask<Applied>('api/configuration', sending('PUT', text, {'If-Match': `"${hash}"`}));
export const poll = (meter: string) => ask<unknown>(`api/meters/${encodeURIComponent(meter)}/poll`, sending('POST'));
