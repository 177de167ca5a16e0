// SPDX-License-Identifier: MIT
// The configuration file as it is edited: lives beside the views, so that leaving one loses nothing.
import {useCallback, useEffect, useRef, useState, type Dispatch, type StateUpdater} from 'preact/hooks';
import {apply, check, readDocument, Refusal, type Document, type Problem} from './api';
import {t} from './words';

export interface Check {
  state: 'waiting' | 'valid' | 'invalid' | 'empty' | 'failed' | 'too_long';
  problems: Problem[];
  reason: string;
}

// What became of the last wish to apply.
export interface Outcome {
  kind: 'applied' | 'refused' | 'conflict' | 'failed';
  text: string;
}

export interface Editing {
  document: Document | undefined; // as it is in the file
  failure: string; // why it is not there
  draft: string;
  dirty: boolean;
  check: Check;
  outcome: Outcome | undefined;
  busy: boolean;
  write: (draft: string) => void;
  load: () => Promise<void>;
  apply: () => Promise<void>;
  overwrite: () => Promise<void>;
}

const check_pause = 400;
const most_bytes = 1024 * 1024;
const waiting: Check = {state: 'waiting', problems: [], reason: ''};

const words = (failure: unknown) => (failure instanceof Error ? failure.message : String(failure));

// Checks a while after the last change; an answer to an older text is thrown away.
function useCheck(draft: string, ready: boolean): [Check, Dispatch<StateUpdater<Check>>] {
  const [result, setResult] = useState(waiting);
  useEffect(() => {
    if (!ready) return undefined;
    if (new TextEncoder().encode(draft).length > most_bytes) {
      setResult({state: 'too_long', problems: [], reason: ''});
      return undefined;
    }
    const aborted = new AbortController();
    setResult((old) => ({...old, state: 'waiting'}));
    const timer = window.setTimeout(async () => {
      try {
        const {state, problems} = await check(draft, aborted.signal);
        if (!aborted.signal.aborted) setResult({state, problems, reason: ''});
      } catch (failure) {
        if (!aborted.signal.aborted) setResult({state: 'failed', problems: [], reason: words(failure)});
      }
    }, check_pause);
    return () => {
      clearTimeout(timer);
      aborted.abort();
    };
  }, [draft, ready]);
  return [result, setResult];
}

export function useEditing(): Editing {
  const [document, setDocument] = useState<Document>();
  const [failure, setFailure] = useState('');
  const [draft, setDraft] = useState('');
  const [outcome, setOutcome] = useState<Outcome>();
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useCheck(draft, document !== undefined);
  const typed = useRef(draft);
  typed.current = draft;
  const dirty = document !== undefined && draft !== document.text;

  useEffect(() => {
    if (!dirty) return undefined;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [dirty]);

  const write = useCallback((text: string) => {
    setDraft(text);
    setOutcome((old) => (old?.kind === 'conflict' ? old : undefined));
  }, []);

  const load = useCallback(async () => {
    try {
      const before = typed.current;
      const read = await readDocument();
      // Typed meanwhile: it stays, and Apply will tell whether the file is another now.
      if (typed.current !== before) return;
      setDocument(read);
      setDraft(read.text);
      setFailure('');
      setOutcome(undefined);
    } catch (problem) {
      setFailure(words(problem));
    }
  }, []);

  const send = async (hash: string) => {
    const text = draft;
    setBusy(true);
    setOutcome(undefined);
    try {
      const done = await apply(text, hash);
      setDocument((old) => old && {...old, text, hash: done.hash});
      if (typed.current === text) setResult((old) => ({...old, problems: done.problems}));
      setOutcome({kind: 'applied', text: done.text});
    } catch (problem) {
      const status = problem instanceof Refusal ? problem.status : 0;
      if (problem instanceof Refusal && status === 422) {
        setResult({state: 'invalid', problems: problem.problems, reason: ''});
        setOutcome({kind: 'refused', text: problem.problems.length > 0 ? '' : words(problem)});
      } else if (status === 412) setOutcome({kind: 'conflict', text: ''});
      else setOutcome({kind: 'failed', text: t('apply_failed', {reason: words(problem)})});
    }
    setBusy(false);
  };

  const overwrite = async () => {
    try {
      const {hash} = await readDocument();
      await send(hash);
    } catch (problem) {
      setOutcome({kind: 'failed', text: t('apply_failed', {reason: words(problem)})});
    }
  };

  return {
    document, failure, draft, dirty, check: result, outcome, busy, write, load,
    apply: () => send(document?.hash ?? ''),
    overwrite,
  };
}
