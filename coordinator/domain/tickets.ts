import { type Refusal, refuse } from '../../shared/errors.ts';
import { bounds } from '../limits.ts';

/** Opens one signalling connection of one participant, once, until it expires (epoch ms). */
export interface Ticket {
  /** SHA-256 of the ticket. */
  readonly hash: string;
  readonly participant: string;
  readonly expires: number;
  readonly used: boolean;
}

/**
 * Adds a ticket. The participant's oldest is dropped when it has too many; expired ones are kept for as long again, so
 * that whoever uses one late is told what was wrong with it.
 */
export const addTicket = (tickets: readonly Ticket[], ticket: Ticket, now: number): readonly Ticket[] => {
  const kept = tickets.filter(({ expires }) => expires + bounds.ticket_ms > now);
  const own = kept.filter(({ participant }) => participant === ticket.participant);
  const dropped = own.length >= bounds.tickets_per_participant ? own[0] : undefined;
  return [...kept.filter((one) => one !== dropped), ticket];
};

/** Marks the ticket as used and says whose it is. */
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
