import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type Failure, isFailure, setNewPassword } from '../kit/api.ts';
import { FailureNote } from '../kit/failure-note.tsx';
import { useTexts } from '../kit/language.ts';
import { Notice } from '../kit/notice.tsx';

/** Where an administrator's one-time link leads: a new password. The secret is behind the # and never sent in an address. */
export const ResetPage = ({ secret }: { secret: string }): JSX.Element => {
  const texts = useTexts();
  const [failure, setFailure] = useState<Failure>();
  const [state, setState] = useState<'asking' | 'sending' | 'done'>('asking');
  if (state === 'done') return <Notice title={texts.resetTitle} text={texts.resetDone} />;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (state === 'sending' || !(event.currentTarget instanceof HTMLFormElement)) return;
    const password = String(new FormData(event.currentTarget).get('password') ?? '');
    setState('sending');
    setFailure(undefined);
    const answer = await setNewPassword(secret, password);
    setState(isFailure(answer) ? 'asking' : 'done');
    if (isFailure(answer)) setFailure(answer);
  };
  return (
    <Notice title={texts.resetTitle} text={texts.resetText}>
      <form class="password-form" onSubmit={submit}>
        <label>
          {texts.newPassword}
          <input
            type="password"
            name="password"
            autoComplete="new-password"
            minLength={10}
            maxLength={256}
            required
          />
        </label>
        <button type="submit" class="button primary" aria-busy={state === 'sending'}>
          {texts.savePassword}
        </button>
        <FailureNote failure={failure} />
      </form>
    </Notice>
  );
};
