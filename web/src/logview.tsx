// SPDX-License-Identifier: MIT
// The end of the log, as it grows.
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import type {LogLine} from './api';
import {newer, rank, shownMoment} from './format';
import {locale, maybe, t} from './words';

const levels = ['info', 'warning', 'error'] as const;
const near = 40; // pixels from the end that still count as there

export function LogView({log}: {log: LogLine[]}) {
  const [level, setLevel] = useState<(typeof levels)[number]>('info');
  const [held, setHeld] = useState<LogLine[]>(); // what is shown while paused
  const [atEnd, setAtEnd] = useState(true);
  const box = useRef<HTMLOListElement>(null);
  const lines = (held ?? log).filter((line) => rank(line.level) >= rank(level));
  const now = new Date();
  const arrived = held ? newer(log, held[held.length - 1]) : 0;

  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(() => {
    if (atEnd && !held) toEnd();
  }, [lines.length, lines[lines.length - 1], atEnd, held]);
  useEffect(toEnd, [level]);
  const scrolled = () => {
    const element = box.current;
    if (element) setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < near);
  };

  return (
    <>
      <h1 class="unseen">{t('log')}</h1>
      <div class="tools">
        <label>
          {t('level')}{' '}
          <select value={level} onChange={(event) => setLevel(event.currentTarget.value as typeof level)}>
            {levels.map((one) => (
              <option key={one} value={one}>
                {t(`level_${one}`)}
              </option>
            ))}
          </select>
        </label>
        <button type="button" aria-pressed={held !== undefined} onClick={() => setHeld(held ? undefined : log)}>
          {held ? (arrived > 0 ? t('resume_with', {n: arrived}) : t('resume')) : t('pause')}
        </button>
        {atEnd ? null : (
          <button type="button" onClick={toEnd}>
            {t('to_end')}
          </button>
        )}
      </div>
      <ol class="log" ref={box} onScroll={scrolled} role="log" aria-label={t('log')} aria-live="off" tabIndex={0}>
        {lines.map((line, at) => (
          <li key={`${line.time}${at}`} class={line.level}>
            <time dateTime={line.time}>{shownMoment(line.time, now, locale)}</time>
            <b>{maybe(`word_${line.level}`) ?? line.level}</b>
            <span lang="en">{line.text}</span>
          </li>
        ))}
        {lines.length === 0 ? <li>{t('log_empty')}</li> : null}
      </ol>
    </>
  );
}
