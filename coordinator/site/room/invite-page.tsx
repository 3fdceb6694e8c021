import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { canRetry, type Failure, isFailure, joinByInvite } from '../kit/api.ts';
import { enter } from '../kit/enter.ts';
import { useTexts } from '../kit/language.ts';
import { Notice } from '../kit/notice.tsx';

/** Where an invite link leads: straight into the session, or to why it does not. */
export const InvitePage = ({ invite }: { invite: string }): JSX.Element => {
  const texts = useTexts();
  const [failure, setFailure] = useState<Failure>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let gone = false;
    setFailure(undefined);
    void joinByInvite(invite).then((answer) => {
      if (gone) return;
      if (isFailure(answer)) setFailure(answer);
      else enter(answer);
    });
    return () => {
      gone = true;
    };
  }, [invite, attempt]);
  if (failure === undefined) return <Notice title={texts.inviteTitle} text={texts.joining} />;
  // A booked session's invite opens nothing until shortly before its time.
  const again = canRetry(failure) || failure.failed === 'invite_unknown';
  return (
    <Notice title={texts.inviteTitle} text={texts.failures[failure.failed]}>
      {again && (
        <button type="button" class="button primary" onClick={() => setAttempt(attempt + 1)}>
          {texts.tryAgain}
        </button>
      )}
    </Notice>
  );
};
