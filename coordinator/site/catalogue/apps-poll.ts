import { useEffect, useState } from 'preact/hooks';
import { systemClock } from '../../../shared/clock.ts';
import type { App } from '../../../shared/protocol/http.ts';
import { type Failure, getApps, isFailure } from '../kit/api.ts';

const refresh_ms = 5_000;

export interface Catalogue {
  /** The last list that arrived; undefined until the first one. */
  apps?: App[];
  /** Why the last attempt brought none. */
  failure?: Failure;
}

/** The catalogue, asked for again every few seconds while the page is visible, and at once when it becomes so. */
export const useApps = (): Catalogue => {
  const [catalogue, setCatalogue] = useState<Catalogue>({});
  useEffect(() => {
    const end = new AbortController();
    let asking = false;
    const ask = async () => {
      if (asking || document.hidden) return;
      asking = true;
      const answer = await getApps(end.signal);
      asking = false;
      if (end.signal.aborted) return;
      if (isFailure(answer)) setCatalogue(({ apps }) => ({ ...(apps && { apps }), failure: answer }));
      else setCatalogue({ apps: answer });
    };
    void ask();
    const stop = systemClock.every(refresh_ms, ask);
    document.addEventListener('visibilitychange', ask);
    window.addEventListener('online', ask);
    return () => {
      end.abort();
      stop();
      document.removeEventListener('visibilitychange', ask);
      window.removeEventListener('online', ask);
    };
  }, []);
  return catalogue;
};
