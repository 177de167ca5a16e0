# SPDX-License-Identifier: MIT
# Which sources may be compiled as one: unity_groups.py SIZE NAME FILE... prints "GROUP FILE" a line.
#
# What the anonymous namespace of a file holds is seen by the files behind it in its group. So files that give one name two
# meanings in the same namespace do not share a group, nor do files that open different namespaces to all that follows.
# Names need not be chosen with an eye on other files; the price is a group more.
import re
import sys

# Comments and texts: what they say declares nothing.
SKIP = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', re.S)
ALIAS = re.compile(r'(?:using|namespace) (\w+) = |using (?!namespace)[\w:]*::(\w+);')
TYPE = re.compile(r'(?:struct|class|enum(?: class)?|union|concept) (?:\[\[.*?\]\] )?(\w+)')
TEST = re.compile(r'(?:TEST|TEST_F|TEST_P|TYPED_TEST|INSTANTIATE_TEST_SUITE_P)\((\w+),\s*(\w+)')
NAME = re.compile(r'(\w+)\s*(?:\[[^\]]*\]\s*)*[({=;]')


def declared(line):
    """The name that a line at the outermost level declares, of a type, function or variable, and what it means."""
    if found := ALIAS.match(line):
        return found[1] or found[2], line
    if found := TEST.match(line):
        return found[1] + '_' + found[2], None
    found = TYPE.search(line) or NAME.search(re.sub(r'<[^()]*>', '', line))
    return (found[1], None) if found else None


def read(path):
    """The names that a file keeps to itself, each with its namespace; and the namespaces that it opens to the whole file."""
    names, opened = {}, set()
    space, depth, inside = '', 0, None
    for line in SKIP.sub('""', open(path, encoding='utf-8').read()).splitlines():
        if line.startswith('#'):
            if found := re.match(r'#\s*define\s+(\w+)', line):
                names[found[1]] = path
            continue
        if depth == 0:
            found = re.match(r'namespace ([\w:]+) \{', line)
            space = found[1] if found else ''
            if (found := re.match(r'using namespace ([\w:]+);', line)) and not found[1].endswith('_literals'):
                opened.add(found[1])
        if inside is None and line.startswith('namespace {'):
            inside = depth
        elif re.match(r'static\b|TEST', line) or (inside is not None and depth == inside + 1 and re.match(r'\w', line)):
            if not line.startswith('using namespace') and (found := declared(line)):
                names[f'{space}::{found[0]}'] = found[1] or path
        depth += line.count('{') - line.count('}')
        if inside is not None and depth <= inside:
            inside = None
    return names, opened


def main():
    size, name, files = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    groups = []
    for path in files:
        names, opened = read(path)
        for group in groups:
            known = group['names']
            if len(group['files']) < size and group['opened'] == opened and all(known.get(key, meaning) == meaning for key, meaning in names.items()):
                break
        else:
            group = {'files': [], 'names': {}, 'opened': opened}
            groups.append(group)
        group['files'].append(path)
        group['names'].update(names)
    for number, group in enumerate(groups):
        for path in group['files']:
            print(f'{name}_{number} {path}')


if __name__ == '__main__':
    main()
