// SPDX-License-Identifier: MIT
// A folder of files -> a C++ table of them, compressed:  node embed.mjs FOLDER OUT.cpp
import {readFileSync, readdirSync, statSync, writeFileSync} from 'node:fs';
import {extname, join, relative} from 'node:path';
import {gzipSync} from 'node:zlib';

// The whole page; what is larger must be worth it.
const most = 60_000;
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const [folder, out] = process.argv.slice(2);
const list = (at) => readdirSync(at).flatMap((name) => {
  const path = join(at, name);
  return statSync(path).isDirectory() ? list(path) : [path];
});

// Character literals, because char has a sign here and none there.
const literals = (bytes) => {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16)
    lines.push('    ' + Array.from(bytes.subarray(at, at + 16), (byte) => `'\\x${byte.toString(16)}'`).join(', '));
  return lines.join(',\n');
};

let total = 0;
const arrays = [];
const rows = [];
for (const [number, path] of list(folder).sort().entries()) {
  const type = types[extname(path)];
  if (!type) throw new Error(`embed.mjs: ${path} has no known type`);
  const name = relative(folder, path).replaceAll('\\', '/');
  const bytes = gzipSync(readFileSync(path), {level: 9});
  bytes[9] = 255; // the system that compressed: the same bytes on each
  total += bytes.length;
  arrays.push(`constexpr char content_${number}[] = {\n${literals(bytes)}};\n`);
  rows.push(`    {"${name}", "${type}", {content_${number}, sizeof(content_${number})}, ${name.startsWith('assets/')}},\n`);
}
if (total > most) throw new Error(`embed.mjs: the page has ${total} bytes compressed, more than ${most}`);
writeFileSync(out, `// Made by web/embed.mjs: ${total} bytes compressed.
#include "http/files.hpp"

namespace meterbridge::http {
namespace {

${arrays.join('\n')}
constexpr File table[] = {
${rows.join('')}};

}  // namespace

std::span<const File> files() noexcept {
  return table;
}

}  // namespace meterbridge::http
`);
