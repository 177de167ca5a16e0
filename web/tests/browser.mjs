// SPDX-License-Identifier: MIT
// A Chromium that is told over standard input what to do, one piece of JavaScript a line (as a JSON string); `page` and
// `context` are Playwright's. Answers {"value": ...} or {"error": "..."}, one line each.
//   node browser.mjs CHROMIUM
import {createInterface} from 'node:readline';
import {chromium} from 'playwright-core';

const browser = await chromium.launch({executablePath: process.argv[2], args: ['--no-sandbox', '--disable-dev-shm-usage']});
const state = {browser, context: undefined, page: undefined, said: [], asked: []};

// A page of its own for every test; what it complains of is kept, and every address that it asks for.
state.open = async (options) => {
  await state.context?.close();
  state.said = [];
  state.asked = [];
  state.context = await browser.newContext({locale: 'en-GB', reducedMotion: 'reduce', viewport: {width: 1280, height: 900}, ...options});
  state.page = await state.context.newPage();
  state.page.setDefaultTimeout(20_000);
  state.page.on('console', (line) => line.type() === 'error' && state.said.push(line.text()));
  state.page.on('pageerror', (failure) => state.said.push(String(failure)));
  state.page.on('request', (request) => state.asked.push(request.url()));
};

const Asynchronous = Object.getPrototypeOf(async () => {}).constructor;
for await (const line of createInterface({input: process.stdin})) {
  let answer;
  try {
    const value = await new Asynchronous('state', 'page', 'context', JSON.parse(line))(state, state.page, state.context);
    answer = {value: value ?? null};
  } catch (failure) {
    answer = {error: String(failure)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
