import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { createLog } from '../../shared/log.ts';
import { bookingRoutes } from '../bookings/http.ts';
import { describedRoutes } from '../kit/http-openapi.ts';
import { onError } from '../kit/http-problems.ts';
import { openWorld } from '../open.ts';
import { bookedRoutes } from '../sessions/http-booked.ts';
import { openMysqlDatabase } from '../store/mysql/database.ts';
import { memoryBus } from './bus.ts';
import { account } from './rows.ts';
import { memoryStore } from './store.ts';

/**
 * `bun coordinator/testing/booking-server.ts DATABASE_URL`: the routes of bookings as one coordinator serves them, for
 * callers who say by a header which account they are. Prints its port.
 */
const [url = ''] = process.argv.slice(2);
const log = createLog('coordinator', 'error', { write: (line) => void process.stderr.write(line) });
const db = await openMysqlDatabase({ url, clock: systemClock, ids: systemIds, log });
const store = memoryStore([], { code_digits: 6, bookings_per_account: 10_000 });
const services = {
  db,
  store,
  files: store,
  clock: systemClock,
  bus: memoryBus(systemClock),
  ids: systemIds,
  log,
};

const app = describedRoutes();
app.onError(onError(log, systemIds));
app.use(async (c, next) => {
  c.set('caller', account(Number(c.req.header('x-account'))));
  await next();
});
const world = await openWorld(services);
app.route('/', bookingRoutes(world));
app.route('/', bookedRoutes(world, { services, endBooked: async () => {} }));

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request) => app.fetch(request, { network: '127.0.0.1', upgrade: () => false }),
});
process.stdout.write(`${server.port}\n`);
