// SPDX-License-Identifier: MIT
// One meter: all that is known of it.
import type {ComponentChildren} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {poll, readMeter, type Meter, type Status, type Unseen} from './api';
import {interval, isOld, rungWords, span, speaker} from './format';
import {Alarms, MeterBadge, Said, Section, Value} from './parts';
import {t} from './words';

function Fact({name, children}: {name: string; children: ComponentChildren}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Poll({meter}: {meter: Meter}) {
  const [told, setTold] = useState('');
  const [busy, setBusy] = useState(false);
  const ask = async () => {
    setBusy(true);
    setTold('');
    try {
      await poll(meter.id);
      setTold(t('poll_asked'));
    } catch (failure) {
      setTold((failure as Error).message);
    }
    setBusy(false);
  };
  return (
    <p class="actions">
      <button type="button" onClick={ask} disabled={busy}>
        {t('poll')}
      </button>
      <span role="status">{told}</span>
    </p>
  );
}

function Readings({meter, old}: {meter: Meter; old: boolean}) {
  return (
    <table class={old ? 'readings old' : 'readings'}>
      <thead>
        <tr>
          <th scope="col">{t('reading')}</th>
          <th scope="col" class="right">
            {t('value')} {old ? <strong class="oldmark">{t('old')}</strong> : null}
          </th>
        </tr>
      </thead>
      <tbody>
        {meter.readings.map((reading) => (
          <tr key={reading.key}>
            <th scope="row">
              {reading.name} <code>{reading.key}</code>
            </th>
            <td class="right">
              <Value reading={reading} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

// Asked for when a meter is opened, and when it sends something new.
function NotSent({meter}: {meter: Meter}) {
  const [unseen, setUnseen] = useState<Unseen[]>([]);
  useEffect(() => {
    let left = false;
    readMeter(meter.id)
      .then((whole) => left || setUnseen(whole.unseen))
      .catch(() => left || setUnseen([]));
    return () => {
      left = true;
    };
  }, [meter.id, meter.readings.length]);
  if (unseen.length === 0) return null;
  const names = new Map<string, string[]>();
  for (const one of unseen) names.set(one.reason, [...(names.get(one.reason) ?? []), one.name]);
  return (
    <Section title={t('not_sent')}>
      <dl class="facts">
        {[...names].map(([reason, ofThem]) => (
          <Fact key={reason} name={reason}>
            {ofThem.join(', ')}
          </Fact>
        ))}
      </dl>
    </Section>
  );
}

export function MeterView({status, id, since}: {status: Status; id: string; since: number}) {
  const meter = status.meters.find((one) => one.id === id);
  if (!meter)
    return (
      <>
        <h1>{t('unknown_meter', {id})}</h1>
        <a href="#/">{t('overview')}</a>
      </>
    );
  const voice = speaker(meter, status.meters);
  const recoveries = Object.entries(voice.recoveries).filter(([, count]) => count > 0);
  const age = (seconds: number | null) => (seconds === null ? t('never') : t('ago', {age: span(seconds + since)}));
  return (
    <>
      <p class="back">
        <a href="#/">← {t('overview')}</a>
      </p>
      <div class="title">
        <h1>{meter.name}</h1>
        <MeterBadge meter={voice} />
      </div>
      {voice.fault === 'ok' ? null : <Said text={voice.text} />}
      <Alarms meter={meter} />
      <Poll meter={voice} />
      <div class="columns">
        <Section title={t('readings')}>
          {meter.readings.length > 0 ? <Readings meter={meter} old={isOld(meter, since)} /> : <p>{t('no_reading_yet')}</p>}
        </Section>
        <Section title={t('state')}>
          <dl class="facts">
            <Fact name={t('last_reading')}>{age(meter.reading_age)}</Fact>
            <Fact name={t('last_frame')}>{age(voice.frame_age)}</Fact>
            <Fact name={t('interval')}>{interval(meter.interval)}</Fact>
            <Fact name={t('polls')}>{voice.polls}</Fact>
            <Fact name={t('failures')}>{voice.failures}</Fact>
            <Fact name={t('held_back')}>{voice.refused}</Fact>
            <Fact name={t('recoveries')}>
              {recoveries.length > 0 ? recoveries.map(([rung, count]) => `${rungWords(rung)}: ${count}`).join(', ') : t('none')}
            </Fact>
            {voice.profile ? <Fact name={t('profile')}>{voice.profile}</Fact> : null}
            {voice.link ? <Fact name={t('link')}>{voice.link}</Fact> : null}
          </dl>
        </Section>
        <NotSent meter={meter} />
      </div>
    </>
  );
}
