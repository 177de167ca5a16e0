// SPDX-License-Identifier: MIT
// The configuration file: a field with numbered lines, what is wrong with it, and what can be done.
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import exampleSerial from '../../examples/ce307.yaml?raw';
import exampleP1 from '../../examples/p1.yaml?raw';
import exampleNetwork from '../../examples/ser2net.yaml?raw';
import type {Problem, Status} from './api';
import type {Editing} from './document';
import {lineRange, marks, newline, starter} from './format';
import {t, type Word} from './words';

const line_height = 21; // as in style.css

const examples: [Word, string][] = [
  ['example_serial', exampleSerial],
  ['example_p1', exampleP1],
  ['example_network', exampleNetwork],
];

interface FieldProps {
  text: string;
  problems: Problem[];
  readOnly: boolean;
  write: (text: string) => void;
  save: () => void;
  field: {current: HTMLTextAreaElement | null};
}

// The field is as large as its text; the box around it scrolls, with the numbers.
function Field({text, problems, readOnly, write, save, field}: FieldProps) {
  const lines = useMemo(() => text.split('\n'), [text]);
  const marked = useMemo(() => marks(problems), [problems]);
  const widest = useMemo(() => lines.reduce((most, line) => Math.max(most, line.length), 0), [lines]);

  const typed = (event: KeyboardEvent) => {
    const element = event.currentTarget as HTMLTextAreaElement;
    if (event.key === 's' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save();
    } else if (event.key === 'Enter' && !event.isComposing && !event.ctrlKey && !event.altKey && !readOnly) {
      event.preventDefault();
      const inserted = newline(element.value, element.selectionStart);
      // The old way is the only one that "undo" knows of.
      if (!document.execCommand('insertText', false, inserted)) {
        element.setRangeText(inserted, element.selectionStart, element.selectionEnd, 'end');
        write(element.value);
      }
    }
  };

  return (
    <div class="editor">
      <pre class="numbers" aria-hidden="true">
        {lines.map((_, at) => at + 1).join('\n')}
      </pre>
      <div class="sheet" style={{minHeight: `${lines.length * line_height}px`, minWidth: `${widest + 4}ch`}}>
        {[...marked].map(([line, severity]) => (
          <div
            key={line}
            class={`band ${severity}`}
            style={{top: `${(Math.min(line, lines.length) - 1) * line_height}px`}}
            aria-hidden="true"
          >
            <span style={{left: `${(lines[line - 1]?.length ?? 0) + 3}ch`}}>
              {problems.find((one) => one.line === line && one.severity === severity)?.message}
            </span>
          </div>
        ))}
        <textarea
          ref={field}
          value={text}
          readOnly={readOnly}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={typed}
          wrap="off"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          aria-label={t('editor')}
          aria-describedby="verdict editor-hint"
          aria-invalid={problems.some((one) => one.severity === 'error')}
        />
      </div>
    </div>
  );
}

function Verdict({editing}: {editing: Editing}) {
  const {check, dirty} = editing;
  const errors = check.problems.filter((one) => one.severity === 'error').length;
  const warnings = check.problems.length - errors;
  const [tone, text] = ((): [string, string] => {
    switch (check.state) {
      case 'waiting':
        return ['quiet', t('checking')];
      case 'valid':
        return ['good', t(dirty ? 'check_valid_changed' : 'check_valid_same')];
      case 'empty':
        return ['hint', t('check_empty')];
      case 'invalid':
        return ['bad', t('check_invalid', {n: errors})];
      case 'too_long':
        return ['bad', t('check_too_long')];
      case 'failed':
        return ['bad', t('check_failed', {reason: check.reason})];
    }
  })();
  return (
    <p id="verdict" class={`verdict ${tone}`} role="status">
      {text} {warnings > 0 ? t('check_warnings', {n: warnings}) : ''}
    </p>
  );
}

function Problems({problems, go}: {problems: Problem[]; go: (problem: Problem) => void}) {
  if (problems.length === 0) return null;
  return (
    <ul class="problems">
      {problems.map((one, at) => (
        <li key={at} class={one.severity}>
          <b>{t(`severity_${one.severity}`)}</b>{' '}
          {one.line ? (
            <button type="button" class="link" onClick={() => go(one)} aria-label={t('go_to_line', {n: one.line, message: one.message})}>
              {t('line', {n: one.line})}
            </button>
          ) : null}{' '}
          <span lang="en">{one.message}</span>
        </li>
      ))}
    </ul>
  );
}

function Result({editing}: {editing: Editing}) {
  const {outcome, busy} = editing;
  if (!outcome) return null;
  const text = {applied: t('applied'), refused: t('not_written'), conflict: t('changed_meanwhile'), failed: ''}[outcome.kind];
  return (
    <div class={`outcome ${outcome.kind === 'applied' ? 'good' : 'bad'}`} role="status">
      <p>
        {text} {outcome.text}
      </p>
      {outcome.kind === 'conflict' ? (
        <p class="actions">
          <button type="button" onClick={editing.load} disabled={busy}>
            {t('take_theirs')}
          </button>
          <button type="button" onClick={editing.overwrite} disabled={busy}>
            {t('keep_mine')}
          </button>
        </p>
      ) : null}
    </div>
  );
}

function FirstSteps({app, take}: {app: boolean; take: (text: string) => void}) {
  return (
    <div class="first">
      <h2>{t('start_title')}</h2>
      <ol>
        <li>
          {t('start_1')}
          <p class="actions">
            {examples.map(([word, text]) => (
              <button type="button" key={word} onClick={() => take(starter(text, app))}>
                {t(word)}
              </button>
            ))}
          </p>
        </li>
        <li>{t('start_2')}</li>
        <li>{t('start_3')}</li>
      </ol>
      {app ? <p>{t('start_mqtt')}</p> : null}
    </div>
  );
}

export function Editor({editing, status}: {editing: Editing; status: Status | undefined}) {
  const {document: file, draft, dirty, check, busy} = editing;
  const [sure, setSure] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  // Somebody else may have written it since; what was typed here stays.
  useEffect(() => {
    if (!dirty) void editing.load();
  }, []);
  useEffect(() => setSure(false), [draft]);

  if (!file)
    return (
      <>
        <h1 class="unseen">{t('configuration')}</h1>
        {editing.failure ? (
          <>
            <p role="alert">{t('load_failed', {reason: editing.failure})}</p>
            <p class="actions">
              <button type="button" onClick={editing.load}>
                {t('retry')}
              </button>
            </p>
          </>
        ) : (
          <p>{t('loading')}</p>
        )}
      </>
    );

  const go = (problem: Problem) => {
    const element = field.current;
    if (!element) return;
    const [begin, end] = lineRange(draft, problem.line ?? 1);
    const at = problem.column ? Math.min(begin + problem.column - 1, end) : begin;
    element.focus({preventScroll: true});
    element.setSelectionRange(at, end);
    const box = element.closest('.editor');
    if (box) box.scrollTo({top: ((problem.line ?? 1) - 4) * line_height, left: 0});
    element.scrollIntoView({block: 'nearest'});
  };
  // Whoever is faster than the check is told by the program's own.
  const ready = file.editable && dirty && !busy && check.state !== 'invalid' && check.state !== 'too_long';
  const save = () => {
    if (ready) void editing.apply();
  };

  return (
    <>
      <h1 class="unseen">{t('configuration')}</h1>
      <p class="file">
        {t('file')}: <code>{file.path}</code> {dirty ? <strong class="unsaved">{t('unsaved')}</strong> : null}
      </p>
      {file.editable ? null : <p class="note">{t('read_only')}</p>}
      {check.state === 'empty' && file.editable ? <FirstSteps app={status?.mode === 'app'} take={editing.write} /> : null}
      <Field text={draft} problems={check.problems} readOnly={!file.editable} write={editing.write} save={save} field={field} />
      <div class="below">
        <Verdict editing={editing} />
        <Problems problems={check.problems} go={go} />
        <Result editing={editing} />
        {file.editable ? (
          <p class="actions">
            <button type="button" class="main" onClick={save} disabled={!ready}>
              {t(busy ? 'applying' : 'apply')}
            </button>
            <button type="button" disabled={!dirty || busy} onClick={() => (sure ? void editing.load() : setSure(true))}>
              {t(sure ? 'revert_sure' : 'revert')}
            </button>
          </p>
        ) : null}
        <p id="editor-hint" class="quiet">
          {t('editor_hint')}
        </p>
      </div>
    </>
  );
}
