import type { Clock } from '../../shared/clock.ts';
import type { Ids } from '../../shared/ids.ts';
import type { Log } from '../../shared/log.ts';
import type { Database } from '../store/database.ts';
import type { Bus } from './bus.ts';
import type { Settings } from './data-directory.ts';

/** What every part of the broker works with. */
export interface Services {
  readonly db: Database;
  readonly store: Settings;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}
