import type { Cancel, Clock } from '../../shared/clock.ts';
import type { Wire } from '../../shared/socket.ts';
import type { Inbox, PeerStore } from './store.ts';

/** How long mail waits when the store could not be reached and does not wake us earlier. */
const retry_ms = 5_000;

/** Carries a described peer's mail from the store to its socket. */
export interface Courier {
  /** Sends what has been fetched already. */
  deliver(inbox: Inbox): boolean;
  /** Fetches and sends until there is no more. Never rejects. */
  wake(): Promise<void>;
  stop(): void;
}

export interface CourierOptions {
  store: PeerStore;
  wire: Wire;
  clock: Clock;
  name: string;
  session: string;
  /** The last event that the peer had; undefined when only the store knows. */
  after: number | undefined;
  /** The session no longer speaks for the peer. */
  superseded(): void;
  /** Mail could not be fetched; it is still in the store, and is fetched later. */
  failed(error: unknown): void;
}

export const createCourier = (options: CourierOptions): Courier => {
  const { store, wire, clock, name, session, superseded, failed } = options;
  let had = options.after;
  let running = false;
  let again = false;
  let stopped = false;
  let cancelRetry: Cancel = () => undefined;

  /** Says whether the socket took it all; what it did not take stays in the mailbox. */
  const deliver = (inbox: Inbox): boolean => {
    had = inbox.had;
    return inbox.mail.every(({ seq, text }) => {
      const taken = wire.send(`${text.slice(0, -1)},"seq":${seq}}`);
      if (taken) had = seq;
      return taken;
    });
  };
  const fetch = async (): Promise<void> => {
    const inbox = await store.inbox(name, session, had);
    if (stopped) return;
    if (inbox === undefined) return superseded();
    // The next fetch also notes what the peer has had. A socket that takes nothing is on its way out.
    if (deliver(inbox) && inbox.mail.length > 0) again = true;
  };

  const wake = async (): Promise<void> => {
    again = true;
    if (running) return;
    running = true;
    cancelRetry();
    try {
      while (again && !stopped) {
        again = false;
        await fetch();
      }
    } catch (error) {
      failed(error);
      if (!stopped) cancelRetry = clock.after(retry_ms, () => void wake());
    }
    running = false;
  };

  return {
    deliver,
    wake,
    stop() {
      stopped = true;
      cancelRetry();
    },
  };
};
