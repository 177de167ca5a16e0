// SPDX-License-Identifier: MIT
// Small pieces that several views share.
import type {ComponentChildren} from 'preact';
import type {Meter, Reading} from './api';
import {faultWords, raisedAlarms, shownValue, toneOf, type Tone} from './format';
import {locale, t} from './words';

// Colour is never all: the words say the same.
export function Badge({tone, children, hint}: {tone: Tone; children: ComponentChildren; hint?: string}) {
  return (
    <span class={`badge ${tone}`} title={hint}>
      {children}
    </span>
  );
}

export function MeterBadge({meter}: {meter: Meter}) {
  if (meter.paused) return <Badge tone="quiet">{t('paused')}</Badge>;
  return (
    <Badge tone={toneOf(meter.fault)} hint={meter.fault}>
      {faultWords(meter.fault)}
    </Badge>
  );
}

// Sentences of the program are English in every language.
export function Said({text}: {text: string}) {
  return text ? (
    <p class="said" lang="en">
      {text}
    </p>
  ) : null;
}

export function Alarms({meter}: {meter: Meter}) {
  return (
    <>
      {raisedAlarms(meter).map((alarm) => (
        <Said key={alarm.name} text={`${alarm.name}: ${alarm.text}`} />
      ))}
    </>
  );
}

export function Value({reading}: {reading: Reading}) {
  if (reading.value === null) return <span class="none">{t('no_value')}</span>;
  return (
    <>
      <span class="digits">{shownValue(reading, locale)}</span>
      {reading.unit ? <span class="unit">{'\u00a0' + reading.unit}</span> : null}
    </>
  );
}

export function Section({title, children}: {title: string; children: ComponentChildren}) {
  return (
    <section>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

interface RowProps {
  name: string;
  detail?: string;
  tone: Tone;
  state: string;
  text?: string;
  facts?: string[];
}

export function Row({name, detail, tone, state, text, facts = []}: RowProps) {
  return (
    <li class="row">
      <div class="head">
        <span class="name">
          {name}
          {detail ? <small> {detail}</small> : null}
        </span>
        <Badge tone={tone}>{state}</Badge>
      </div>
      {text && text !== state ? <Said text={text} /> : null}
      {facts.length > 0 ? <p class="facts">{facts.join(' · ')}</p> : null}
    </li>
  );
}
