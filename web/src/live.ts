// SPDX-License-Identifier: MIT
// The stream of events: kept up for ever while the page is seen.
import {useEffect, useState} from 'preact/hooks';
import {readLog, type LogLine, type Status} from './api';
import {mergedLog, withLine} from './format';

export interface Live {
  status: Status | undefined;
  received: number; // when the status came (performance.now, ms)
  connected: boolean;
  lostAt: number | undefined;
  log: LogLine[];
}

const silence_limit = 25_000; // the program says something every 10 s
const first_pause = 1_000;
const most_pause = 10_000;

export function useLive(): Live {
  const [live, setLive] = useState<Live>({status: undefined, received: 0, connected: false, lostAt: undefined, log: []});
  useEffect(() => {
    const running = keep((change) => setLive((old) => ({...old, ...change(old)})));
    // Browsers and programs have few connections: a page that nobody sees takes none.
    const seen = () => (document.visibilityState === 'hidden' ? running.close() : running.open());
    document.addEventListener('visibilitychange', seen);
    seen();
    return () => {
      document.removeEventListener('visibilitychange', seen);
      running.close();
    };
  }, []);
  return live;
}

type Change = (old: Live) => Partial<Live>;

function keep(change: (change: Change) => void) {
  let source: EventSource | undefined;
  let timer = 0;
  let pause = first_pause;

  const wait = (time: number, then: () => void) => {
    clearTimeout(timer);
    timer = window.setTimeout(then, time);
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const lose = () => {
    close();
    change((old) => ({connected: false, lostAt: old.lostAt ?? performance.now()}));
    wait(pause, open);
    pause = Math.min(pause * 2, most_pause);
  };
  const alive = () => wait(silence_limit, lose);

  function open() {
    if (source) return;
    const opened = new EventSource('api/events');
    source = opened;
    alive();
    // Lines that come while the ring is on its way are kept, and put behind it.
    let later: LogLine[] | undefined = [];
    opened.onopen = () => {
      alive();
      readLog().then(
        ({lines}) => {
          if (source !== opened) return;
          const since = later ?? [];
          later = undefined;
          change(() => ({log: mergedLog(lines, since)}));
        },
        () => (later = undefined), // the lines that come are shown all the same
      );
    };
    opened.onerror = lose;
    opened.addEventListener('status', (event: MessageEvent<string>) => {
      alive();
      pause = first_pause;
      const status = JSON.parse(event.data) as Status;
      change(() => ({status, received: performance.now(), connected: true, lostAt: undefined}));
    });
    opened.addEventListener('log', (event: MessageEvent<string>) => {
      alive();
      const line = JSON.parse(event.data) as LogLine;
      if (later) later.push(line);
      else change((old) => ({log: withLine(old.log, line)}));
    });
  }
  return {open, close};
}

// Counts on once a second, for ages.
export function useNow(): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
