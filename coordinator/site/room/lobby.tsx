import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Session } from '../../../shared/protocol/http.ts';
import { admitGuest, isFailure } from '../kit/api.ts';
import { useTexts } from '../kit/language.ts';

/** Who waits to be let in, for the owner to decide. */
export const Lobby = ({ session, token }: { session: Session; token: string }): JSX.Element | null => {
  const texts = useTexts();
  const [failed, setFailed] = useState(false);
  if (session.waiting.length === 0) return null;
  const decide = async (guest: string, admitted: boolean) =>
    setFailed(isFailure(await admitGuest(session.id, token, guest, admitted)));
  return (
    <section class="lobby" aria-label={texts.lobbyTitle} role="alert">
      {session.waiting.map((guest) => (
        <p key={guest}>
          {texts.guestWaits(session.names[guest])}
          <button type="button" class="tool" onClick={() => decide(guest, true)}>
            {texts.letIn}
          </button>
          <button type="button" class="tool" onClick={() => decide(guest, false)}>
            {texts.sendAway}
          </button>
        </p>
      ))}
      {failed && <p>{texts.failures.participant_unknown}</p>}
    </section>
  );
};
