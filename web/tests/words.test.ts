// SPDX-License-Identifier: MIT
import {describe, expect, test} from 'vitest';
import {choose, fill, languages} from '../src/words';

const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();
const english = languages['en'] ?? {};

describe.each(Object.entries(languages))('the texts in %s', (language, words) => {
  test('have the same keys in the same order as the English ones', () => {
    expect(Object.keys(words)).toEqual(Object.keys(english));
  });
  test('have the same places to fill', () => {
    for (const [key, text] of Object.entries(words))
      expect([key, names(text)]).toEqual([key, names(english[key as keyof typeof english])]);
  });
  test('are all there', () => {
    for (const [key, text] of Object.entries(words)) expect([key, text.trim().length > 0]).toEqual([key, true]);
  });
  test('are translated', () => {
    if (language === 'en') return;
    const same = Object.entries(words).filter(([key, text]) => text === english[key as keyof typeof english] && text.length > 12);
    expect(same).toEqual([]);
  });
});

test('the first language of the browser that is here is chosen', () => {
  expect(choose(['fr-FR', 'de-AT', 'en'])).toBe('de');
  expect(choose(['RU'])).toBe('ru');
  expect(choose(['hu-HU', 'ru'])).toBe('hu');
  expect(choose(['fr', 'constructor'])).toBe('en');
  expect(choose([])).toBe('en');
});

test('places without a value stay visible', () => {
  expect(fill('a {n} b {other}', {n: 3})).toBe('a 3 b {other}');
  expect(fill('{n}', {n: '{n}$&'})).toBe('{n}$&');
});
