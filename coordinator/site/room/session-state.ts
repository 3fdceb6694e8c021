import { useEffect, useState } from 'preact/hooks';
import { systemClock } from '../../../shared/clock.ts';
import type { App, Session } from '../../../shared/protocol/http.ts';
import { type Failure, getApps, getSession, isFailure } from '../kit/api.ts';
import { type AskSession, watchSession } from './session-watch.ts';

export interface SessionState {
  /** The last snapshot; undefined until the first one. */
  session?: Session;
  /** When it arrived, on the clock that does not jump. */
  arrived: number;
  /** The coordinator does not answer at the moment. */
  trouble?: Failure;
  /** There will be no further snapshot. */
  gone?: Failure;
}

/** The session as the coordinator tells it, kept up to date. */
export const useSession = (id: string, token: string): SessionState => {
  const [state, setState] = useState<SessionState>({ arrived: 0 });
  useEffect(() => {
    const end = new AbortController();
    const events = {
      onSession: (session: Session) => setState({ session, arrived: systemClock.monotonic() }),
      onTrouble: (trouble: Failure) => setState((last) => ({ ...last, trouble })),
      onGone: (gone: Failure) => setState((last) => ({ ...last, gone })),
    };
    const ask: AskSession = (after, signal) => getSession(id, token, after, signal);
    void watchSession(ask, events, systemClock, end.signal);
    return () => end.abort();
  }, [id, token]);
  return state;
};

/** The catalogue's entry of an app, for its title and picture. Undefined until known; the page does without. */
export const useApp = (name: string | undefined): App | undefined => {
  const [app, setApp] = useState<App>();
  useEffect(() => {
    if (name === undefined) return undefined;
    const end = new AbortController();
    getApps(end.signal).then((apps) => {
      if (!isFailure(apps)) setApp(apps.find((each) => each.name === name));
    });
    return () => end.abort();
  }, [name]);
  return app;
};

/** The time of the clock that does not jump, read again every `every_ms`. */
export const useNow = (every_ms: number): number => {
  const [now, setNow] = useState(() => systemClock.monotonic());
  useEffect(() => systemClock.every(every_ms, () => setNow(systemClock.monotonic())), [every_ms]);
  return now;
};
