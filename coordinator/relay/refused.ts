import type { Cancel, Clock } from '../../shared/clock.ts';
import type { Refusal } from '../../shared/errors.ts';
import { closeWith, type Peer, type Wire } from '../../shared/socket.ts';
import { bounds } from '../kit/limits.ts';

/** Refusals within a minute that are told at once: of a page that has been mistaken, and of its neighbours. */
const at_once = 4;

/** How long (ms) the n-th refusal within a minute is held; each further one twice as long. */
const heldFor = (nth: number): number =>
  nth <= at_once ? 0 : Math.min(bounds.refusal_held_ms, 1_000 * 2 ** (nth - at_once - 1));

/**
 * Opens sockets only to say why they close: a page is not shown the answer to a handshake that failed. Epic's pages dial again as
 * soon as a socket closes, some hundreds of times in ten seconds; so each further refusal of a network is told later. Beyond
 * a number of sockets none is held.
 */
export const createRefusedPlayers = (clock: Clock) => {
  const told = new Map<string, { since: number; times: number }>();
  let held = 0;

  const count = (network: string): number => {
    const now = clock.monotonic();
    const before = told.get(network);
    const recent = before !== undefined && now - before.since < bounds.refusals_ms;
    const entry = { since: now, times: (recent ? before.times : 0) + 1 };
    // The one that was refused last stands last.
    told.delete(network);
    told.set(network, entry);
    const [oldest] = told.size > bounds.networks_remembered ? told.keys() : [];
    if (oldest !== undefined) told.delete(oldest);
    return entry.times;
  };

  return (network: string, refusal: Refusal) =>
    (wire: Wire): Peer => {
      const ms = heldFor(count(network));
      let cancel: Cancel | undefined;
      if (ms === 0 || held >= bounds.refusals_held) closeWith(wire, refusal);
      else {
        held += 1;
        cancel = clock.after(ms, () => closeWith(wire, refusal));
      }
      return {
        frame: () => {},
        closed: () => {
          if (cancel === undefined) return;
          held -= 1;
          cancel();
        },
      };
    };
};
