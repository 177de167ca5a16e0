// SPDX-License-Identifier: MIT
// Everything at a glance: what is in trouble, the meters, and what is around them.
import type {Meter, Status} from './api';
import {bytes, faultWords, foremost, isOld, span, speaker, toneOf, troubles} from './format';
import {Alarms, MeterBadge, Row, Said, Section, Value} from './parts';
import {t} from './words';

const shown_readings = 6;

export const meterAddress = (id: string) => `#/meter/${encodeURIComponent(id)}`;

function Summary({status}: {status: Status}) {
  const found = troubles(status);
  if (found.length === 0) return <p class="summary good">{t('all_well')}</p>;
  return (
    <ul class={`summary ${found.some((one) => one.tone === 'bad') ? 'bad' : 'hint'}`}>
      {found.map(({word, n}) => (
        <li key={word}>
          {t(word, {n})} {word.startsWith('file_') ? <a href="#/configuration">{t('open_configuration')}</a> : null}
        </li>
      ))}
    </ul>
  );
}

export function Age({meter, since}: {meter: Meter; since: number}) {
  if (meter.reading_age === null) return <span>{t('no_reading_yet')}</span>;
  return <span>{t('reading_ago', {age: span(meter.reading_age + since)})}</span>;
}

function Card({meter, voice, since}: {meter: Meter; voice: Meter; since: number}) {
  const old = isOld(meter, since);
  return (
    <article class={old ? 'card old' : 'card'}>
      <header>
        <h3>
          <a href={meterAddress(meter.id)}>{meter.name}</a>
        </h3>
        <MeterBadge meter={voice} />
      </header>
      {voice.fault === 'ok' ? null : <Said text={voice.text} />}
      <Alarms meter={meter} />
      <dl>
        {foremost(meter.readings, shown_readings).map((reading) => (
          <div key={reading.key}>
            <dt>{reading.name}</dt>
            <dd>
              <Value reading={reading} />
            </dd>
          </div>
        ))}
      </dl>
      <footer>
        <span>
          <Age meter={meter} since={since} />
          {old ? <strong class="oldmark"> {t('old')}</strong> : null}
        </span>
        <a href={meterAddress(meter.id)} aria-label={`${meter.name}: ${t('details')}`}>
          {meter.readings.length > shown_readings ? t('all_readings', {n: meter.readings.length}) : t('details')}
        </a>
      </footer>
    </article>
  );
}

const some = (word: 'waiting' | 'in_flight' | 'dropped' | 'denied' | 'set_aside' | 'written' | 'entries', n: number) =>
  n > 0 ? [t(word, {n})] : [];

function Brokers({status}: {status: Status}) {
  return (
    <Section title={t('brokers')}>
      <ul class="rows">
        {status.brokers.map((broker) => (
          <Row
            key={broker.name}
            name={broker.name}
            detail={broker.address === broker.name ? '' : broker.address}
            tone={broker.connected ? 'good' : 'bad'}
            state={t(broker.connected ? 'connected' : 'not_connected')}
            text={broker.connected ? '' : broker.text}
            facts={[
              ...some('waiting', broker.waiting),
              ...some('in_flight', broker.in_flight),
              ...some('dropped', broker.dropped),
              ...some('denied', broker.denied),
            ]}
          />
        ))}
      </ul>
    </Section>
  );
}

function Links({status}: {status: Status}) {
  if (status.links.length === 0) return null;
  return (
    <Section title={t('links')}>
      <ul class="rows">
        {status.links.map((link) => (
          <Row
            key={link.name}
            name={link.name}
            detail={link.address}
            tone={link.up ? toneOf(link.fault) : toneOf(link.fault) === 'quiet' ? 'quiet' : 'bad'}
            state={link.fault ? faultWords(link.fault) : t(link.up ? 'up' : 'down')}
            text={link.fault === 'ok' ? '' : link.text}
            facts={link.meters.length > 0 ? [`${t('meters')}: ${link.meters.join(', ')}`] : []}
          />
        ))}
      </ul>
    </Section>
  );
}

function Outlets({status}: {status: Status}) {
  const {sinks, bridges, journal} = status;
  return (
    <>
      {sinks.length > 0 ? (
        <Section title={t('sinks')}>
          <ul class="rows">
            {sinks.map((sink) => (
              <Row
                key={sink.name}
                name={sink.name}
                detail={sink.type === sink.name ? '' : sink.type}
                tone={sink.up ? 'good' : 'bad'}
                state={t(sink.up ? 'fault_ok' : 'fault_other')}
                text={sink.up ? '' : sink.text}
                facts={[
                  ...some('written', sink.written),
                  ...(sink.lag > 0 ? [t('behind', {n: sink.lag, age: span(sink.lag_time)})] : []),
                  ...some('set_aside', sink.refused),
                  ...some('dropped', sink.dropped),
                ]}
              />
            ))}
          </ul>
        </Section>
      ) : null}
      {bridges.length > 0 ? (
        <Section title={t('bridges')}>
          <ul class="rows">
            {bridges.map((bridge) => (
              <Row
                key={bridge.name}
                name={bridge.name}
                tone={bridge.up ? 'good' : 'bad'}
                state={t(bridge.up ? 'connected' : 'not_connected')}
                text={bridge.up ? '' : bridge.text}
                facts={[...some('waiting', bridge.waiting), ...some('dropped', bridge.dropped)]}
              />
            ))}
          </ul>
        </Section>
      ) : null}
      {journal ? (
        <Section title={t('journal')}>
          <ul class="rows">
            <Row
              name={t(journal.kind === 'disk' ? 'journal_disk' : 'journal_memory')}
              tone={journal.up ? 'good' : 'bad'}
              state={t(journal.up ? 'fault_ok' : 'fault_other')}
              text={journal.up ? '' : (journal.text ?? '')}
              facts={[t('entries', {n: journal.entries}), bytes(journal.size)]}
            />
          </ul>
        </Section>
      ) : null}
    </>
  );
}

function Program({status, since}: {status: Status; since: number}) {
  return (
    <Section title={t('program')}>
      <dl class="program">
        <div>
          <dt>{t('instance')}</dt>
          <dd>{status.instance}</dd>
        </div>
        <div>
          <dt>{t('version')}</dt>
          <dd>{status.version}</dd>
        </div>
        <div>
          <dt>{t('uptime')}</dt>
          <dd>{span(status.uptime + since)}</dd>
        </div>
        <div>
          <dt>{t('memory')}</dt>
          <dd>{status.memory > 0 ? bytes(status.memory) : '–'}</dd>
        </div>
      </dl>
    </Section>
  );
}

export function Overview({status, since}: {status: Status; since: number}) {
  return (
    <>
      <h1 class="unseen">{t('overview')}</h1>
      <Summary status={status} />
      <Section title={t('meters')}>
        {status.meters.length === 0 ? (
          <p>
            {t('no_meters')} <a href="#/configuration">{t('open_configuration')}</a>
          </p>
        ) : (
          <div class="cards">
            {status.meters.map((meter) => (
              <Card key={meter.id} meter={meter} voice={speaker(meter, status.meters)} since={since} />
            ))}
          </div>
        )}
      </Section>
      <div class="columns">
        <Brokers status={status} />
        <Links status={status} />
        <Outlets status={status} />
        <Program status={status} since={since} />
      </div>
    </>
  );
}
