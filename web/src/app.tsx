// SPDX-License-Identifier: MIT
// The frame: where we are, whether we are connected, and the view.
import {useEffect, useRef, useState} from 'preact/hooks';
import {useEditing} from './document';
import {Editor} from './editor';
import {span} from './format';
import {useLive, useNow} from './live';
import {LogView} from './logview';
import {MeterView} from './meter';
import {Overview} from './overview';
import {Badge} from './parts';
import {t} from './words';

const places = ['', 'log', 'configuration'] as const;
const titles = {'': 'overview', log: 'log', configuration: 'configuration'} as const;

// "#/meter/house" -> ["meter", "house"]
function route(): string[] {
  const parts = location.hash.replace(/^#\/?/, '').split('/');
  return parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

function useRoute(): string[] {
  const [now, setNow] = useState(route());
  useEffect(() => {
    const changed = () => setNow(route());
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return now;
}

export function App() {
  const [place = '', id = ''] = useRoute();
  const live = useLive();
  const now = useNow();
  const editing = useEditing();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const since = live.status ? Math.max(0, (now - live.received) / 1000) : 0;

  // Whoever does not see the page is told where it went.
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus();
    window.scrollTo(0, 0);
  }, [place, id]);

  const skip = (event: Event) => {
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        {t('skip')}
      </a>
      <header class="top">
        <span class="brand">meterbridge</span>
        <nav aria-label={t('sections')}>
          {places.map((one) => (
            <a key={one} href={`#/${one}`} aria-current={one === place || (one === '' && place === 'meter') ? 'page' : undefined}>
              {t(titles[one])}
              {one === 'configuration' && editing.dirty ? <span class="dot" role="img" aria-label={t('unsaved')} /> : null}
            </a>
          ))}
        </nav>
        <span class="live" role="status">
          {live.connected ? (
            <Badge tone="good">{t('live')}</Badge>
          ) : (
            <Badge tone={live.lostAt === undefined ? 'quiet' : 'bad'}>{t(live.lostAt === undefined ? 'connecting' : 'lost_short')}</Badge>
          )}
        </span>
      </header>
      {live.lostAt === undefined ? null : (
        <p class="lost">{live.status ? t('lost', {age: span((now - live.lostAt) / 1000)}) : t('lost_never')}</p>
      )}
      <main id="content" ref={main} tabIndex={-1} class={live.lostAt === undefined ? '' : 'stale'}>
        {place === 'log' ? (
          <LogView log={live.log} />
        ) : place === 'configuration' ? (
          <Editor editing={editing} status={live.status} />
        ) : !live.status ? (
          <p>{t('loading')}</p>
        ) : place === 'meter' ? (
          <MeterView key={id} status={live.status} id={id} since={since} />
        ) : (
          <Overview status={live.status} since={since} />
        )}
      </main>
    </>
  );
}
