import type { AppConfig } from './config.ts';
import type { LocalPorts } from './domain/journal.ts';
import type { Program } from './processes/program.ts';

/** What an instance is from its birth on. */
export interface Birth {
  instance_id: string;
  app: AppConfig;
  card: number;
  secret: string;
  /** Epoch ms. */
  created_at: number;
  /**
   * Its signalling server, if ours, keeps the players that it admitted, and its streamer shows a token. Not so where an agent
   * before this rule has launched it.
   */
  keyed: boolean;
}

/** What an agent before this one has left of an instance. */
export interface Remains {
  ports?: LocalPorts;
  app?: Program;
  signalling?: Program;
}
