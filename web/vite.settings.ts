// SPDX-License-Identifier: MIT
// Vite's settings. Not named as Vite would like: Home Assistant takes every file whose name begins with
// "config." for an app of its own.
import {defineConfig} from 'vite';
import {answers} from './dev/answers';

export default defineConfig({
  base: './', // below whatever prefix the ingress has
  esbuild: {jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none'},
  plugins: [answers()],
  server: {fs: {allow: ['..']}},
  build: {
    target: 'es2021',
    assetsInlineLimit: 0, // the page's policy forbids data: addresses
    modulePreload: false,
    reportCompressedSize: false,
  },
});
