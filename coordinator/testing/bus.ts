import type { Clock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import type { Bus } from '../kit/bus.ts';
import { createMemoryBus } from '../kit/bus-memory.ts';

export const memoryBus = (clock: Clock): Bus => createMemoryBus({ clock, log: silentLog });
