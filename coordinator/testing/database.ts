import { systemClock } from '../../shared/clock.ts';
import type { Database } from '../store/database.ts';
import { JsonDatabase } from '../store/json/database.ts';
import { systemDisk } from '../store/json/disk.ts';
import { createMemory } from '../store/json/open.ts';
import { recordedLog } from './log.ts';

/** The JSON database without its files: as strict as the real one, and gone with the test. */
export const memoryDatabase = (): Database => {
  const { within } = createMemory();
  const storage = {
    journalBytes: 0,
    append: async () => {},
    checkpoint: async () => {},
    close: async () => {},
  };
  return new JsonDatabase({
    directory: '',
    disk: systemDisk,
    clock: systemClock,
    log: recordedLog().log,
    storage,
    within,
    unlock: () => {},
    shared: true,
    bytes: 0,
  });
};
