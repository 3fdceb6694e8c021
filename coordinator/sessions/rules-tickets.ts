import { type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../kit/limits.ts';

/**
 * Opens a signalling connection of one participant, one at a time: the first until it expires (epoch ms), and when that has
 * ended another within `ticket_again_ms`, as Epic's pages know no other address to come back to.
 */
export interface Ticket {
  /** SHA-256 of the ticket. */
  readonly hash: string;
  readonly participant: string;
  readonly expires: number;
  /** A connection is open with it. */
  readonly used: boolean;
}

/**
 * Adds a ticket. The participant's oldest that is not in use is dropped when it has too many; expired ones are kept for as
 * long again, so that whoever uses one late is told what was wrong with it.
 */
export const addTicket = (tickets: readonly Ticket[], ticket: Ticket, now: number): readonly Ticket[] => {
  const kept = tickets.filter(({ expires, used }) => used || expires + bounds.ticket_ms > now);
  const own = kept.filter(({ participant }) => participant === ticket.participant);
  const dropped =
    own.length >= bounds.tickets_per_participant ? (own.find(({ used }) => !used) ?? own[0]) : undefined;
  return [...kept.filter((one) => one !== dropped), ticket];
};

/** Marks the ticket as in use and says whose it is. */
export const useTicket = (
  tickets: readonly Ticket[],
  hash: string,
  now: number,
): { tickets: readonly Ticket[]; participant: string } | Refusal => {
  const ticket = tickets.find((one) => one.hash === hash);
  if (ticket === undefined) return refuse('ticket_unknown');
  if (ticket.used) return refuse('ticket_used');
  if (ticket.expires <= now) return refuse('ticket_expired');
  const used = tickets.map((one) => (one === ticket ? { ...one, used: true } : one));
  return { tickets: used, participant: ticket.participant };
};

/** The connection that the ticket opened has ended: for a while it opens another. */
export const freeTicket = (tickets: readonly Ticket[], hash: string, now: number): readonly Ticket[] =>
  tickets.map((one) =>
    one.hash === hash && one.used ? { ...one, used: false, expires: now + bounds.ticket_again_ms } : one,
  );
