/** Which end of a player's connection said something. */
type Side = 'page' | 'host';

/** Longest message that is looked at: an SDP is shorter. */
const characters_most = 64 * 1024;

const typeOf = (text: string): unknown => {
  if (text.length > characters_most) return undefined;
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
  } catch {
    return undefined; // signalling answers what is no JSON
  }
};

/**
 * Watches a player's connection until the offer of either side was answered by the other: from then on there is a stream,
 * not just a socket. `hears` is told what each side says, and calls `answered` once.
 */
export class Negotiation {
  #offered_by: Side | undefined;
  #over = false;
  readonly #answered: () => void;

  constructor(answered: () => void) {
    this.#answered = answered;
  }

  get over(): boolean {
    return this.#over;
  }

  hears(side: Side, text: string): void {
    if (this.#over) return;
    const type = typeOf(text);
    if (type === 'offer') this.#offered_by = side;
    if (type !== 'answer' || this.#offered_by === undefined || this.#offered_by === side) return;
    this.#over = true;
    this.#answered();
  }
}
