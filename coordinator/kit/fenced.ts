import { type Refusal, refuse } from '../../shared/errors.ts';

/** What was to be stored is another coordinator's by now: its host has come to that one. Nothing is stored. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
  readonly refusal: Refusal = refuse('host_offline');
  readonly host: string;

  constructor(host: string) {
    super(`the host ${host} has gone to another coordinator`);
    this.host = host;
  }
}
