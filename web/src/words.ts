// SPDX-License-Identifier: MIT
// The texts of the page, in the browser's language where we have it.
import de from './words/de.json';
import en from './words/en.json';
import hu from './words/hu.json';
import ru from './words/ru.json';

export type Word = keyof typeof en;
export type Words = Record<Word, string>;

export const languages: Record<string, Words> = {en, de, hu, ru};

// The first of the wanted ones ("de-AT", "ru") that we have.
export function choose(wanted: readonly string[]): string {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0] ?? '';
    if (Object.keys(languages).includes(language)) return language;
  }
  return 'en';
}

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

const wanted = typeof document === 'undefined' ? [] : navigator.languages;
export const language = choose(wanted);
// For dates and times: "de-AT" rather than "de".
export const locale = wanted.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language;
const words: Words = languages[language] ?? en;

export function t(word: Word, values: Record<string, string | number> = {}): string {
  return fill(words[word], values);
}

// For words of the program that may be newer than this page: undefined = not known.
export function maybe(word: string): string | undefined {
  return word in words ? words[word as Word] : undefined;
}
