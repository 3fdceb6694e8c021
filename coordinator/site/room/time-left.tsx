import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { systemClock } from '../../../shared/clock.ts';
import type { Session } from '../../../shared/protocol/http.ts';
import { canRetry, extendSession, type Failure, isFailure } from '../kit/api.ts';
import { useTexts } from '../kit/language.ts';

interface Props {
  session: Session;
  /** When it arrived, on the clock that does not jump. */
  arrived: number;
  owner: boolean;
  token: string;
}

/** The end is spoken of this long before. */
const announced_ms = 10 * 60_000;

/** The coordinator's time, looked at every second: the visitor's own clock may be wrong. */
const useNow = ({ now }: Session, arrived: number): number => {
  const [passed, setPassed] = useState(0);
  useEffect(() => systemClock.every(1_000, () => setPassed(systemClock.monotonic())), []);
  return now + Math.max(0, passed - arrived);
};

/** Says that the session is about to end, for want of input or because its time is over, and lets the owner extend it. */
export const TimeLeft = ({ session, arrived, owner, token }: Props): JSX.Element | null => {
  const texts = useTexts();
  const now = useNow(session, arrived);
  const [asked, setAsked] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { id, idle_at, ends_at, cut_short, extendable_to } = session;
  useEffect(() => {
    setAsked(false);
    setFailure(undefined);
  }, [ends_at]);
  if (idle_at !== null && idle_at > now) {
    return (
      <p class="time-left" role="alert">
        {texts.idleSoon(Math.ceil((idle_at - now) / 1_000))}
      </p>
    );
  }
  if (ends_at - now > announced_ms || ends_at <= now) return null;
  const extend = async () => {
    setAsked(true);
    const answer = await extendSession(id, token);
    if (!isFailure(answer)) return;
    setFailure(answer);
    setAsked(!canRetry(answer));
  };
  return (
    <p class="time-left" role="status">
      {texts.endsIn(Math.ceil((ends_at - now) / 60_000))}
      {cut_short && ` ${texts.cutShort}`}
      {owner && extendable_to !== null && (failure === undefined || !asked) && (
        <button type="button" class="tool" disabled={asked} onClick={extend}>
          {texts.extendBy(Math.round((extendable_to - ends_at) / 60_000))}
        </button>
      )}
      {failure !== undefined && <span>{texts.failures[failure.failed]}</span>}
    </p>
  );
};
