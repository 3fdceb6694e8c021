import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { type Failure, isFailure, joinSession } from './api.ts';
import { isWholeCode } from './code.ts';
import { CodeField } from './code-field.tsx';
import { enter } from './enter.ts';
import { FailureNote } from './failure-note.tsx';
import { useTexts } from './language.ts';

/** The code and a button. Enter works, and what is wrong is said below the field. */
export const JoinForm = ({ invited }: { invited: string }): JSX.Element => {
  const texts = useTexts();
  const field = useId();
  const note = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [code, setCode] = useState(invited);
  const [name, setName] = useState('');
  const [joining, setJoining] = useState(false);
  const [short, setShort] = useState(false);
  const [failure, setFailure] = useState<Failure>();

  useEffect(() => {
    if (invited !== '') button.current?.focus();
  }, [invited]);

  const type = (digits: string) => {
    setCode(digits);
    setShort(false);
    setFailure(undefined);
  };

  const submit = async (event: Event) => {
    event.preventDefault();
    if (joining) return;
    setFailure(undefined);
    setShort(!isWholeCode(code));
    if (!isWholeCode(code)) {
      document.getElementById(field)?.focus();
      return;
    }
    setJoining(true);
    const answer = await joinSession(code, name.trim());
    setJoining(false);
    if (!isFailure(answer)) return enter(answer);
    setFailure(answer);
    document.getElementById(field)?.focus();
  };

  return (
    <form class="join-form" noValidate onSubmit={submit}>
      <div class="join-row">
        <CodeField
          id={field}
          code={code}
          describedBy={note}
          invalid={short || failure?.failed === 'code_unknown'}
          onCode={type}
        />
        <button ref={button} type="submit" class="button primary" aria-busy={joining}>
          {joining ? texts.joining : texts.join}
        </button>
      </div>
      <label class="join-name">
        {texts.guestName}
        <input
          type="text"
          value={name}
          maxLength={100}
          autoComplete="name"
          placeholder={texts.guestNameHint}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <div id={note}>
        {short && (
          <p class="failure" role="alert">
            {texts.codeShort}
          </p>
        )}
        <FailureNote failure={failure} />
      </div>
    </form>
  );
};
