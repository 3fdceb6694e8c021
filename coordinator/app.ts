import type { Server, WebSocketHandler } from 'bun';
import { callerAddress } from '../shared/caller-address.ts';
import type { Refusal } from '../shared/errors.ts';
import { networkOf } from '../shared/network.ts';
import { requestUrl } from '../shared/request-url.ts';
import { type SocketData, socketHandler } from '../shared/socket.ts';
import { createLooks } from './accounts/looks.ts';
import { createPasswords } from './accounts/passwords.ts';
import { tickBookings } from './bookings/ticks.ts';
import type { CatalogueServices } from './catalogue/data-directory.ts';
import { followCatalogue } from './catalogue/follow.ts';
import { createErasures } from './erasure/erasure.ts';
import { removals } from './expiry.ts';
import { letGo } from './fleet/claims.ts';
import { tellDraining } from './fleet/drain.ts';
import { createEvacuations } from './fleet/evacuations.ts';
import { tick } from './fleet/fleet.ts';
import { createLinkRows } from './fleet/links.ts';
import { carryOut, type Done, type Order } from './fleet/orders.ts';
import { createOrphans } from './fleet/orphans.ts';
import { createAgents } from './fleet/socket.ts';
import { createWarmWishes } from './fleet/warm.ts';
import { createApp } from './http/app.ts';
import { refuseFloods } from './http/floods.ts';
import type { Site } from './http/pages.ts';
import { createLease } from './kit/lease.ts';
import { bounds } from './kit/limits.ts';
import { createLagMeter } from './kit/meters.ts';
import { createRateLimits } from './kit/rates.ts';
import { createSweep } from './kit/sweep.ts';
import { type Background, createBackground } from './kit/work.ts';
import { openWorld } from './open.ts';
import { serveNeighbours } from './relay/forwarding.ts';
import { createElsewhere } from './seats/elsewhere.ts';
import { moveQueue } from './seats/queue.ts';
import { bookingNeeds } from './sessions/booked.ts';
import { createFollower } from './sessions/change.ts';
import { offerExtensions } from './sessions/extensions.ts';
import { sayPresent } from './sessions/holder.ts';
import { createDoor } from './sessions/knocks.ts';
import { createClients } from './sessions/verbs.ts';
import { createWaiting } from './sessions/waiting.ts';
import { createDeliveries } from './webhooks/deliveries.ts';
import { sendToTargets } from './webhooks/targets.ts';

/** The coordinator without its port: whoever listens passes requests and sockets on. */
export interface Coordinator {
  /** Answers a request; undefined when it has become a WebSocket. */
  fetch(request: Request, server: Server<SocketData>): Promise<Response | undefined>;
  readonly websocket: WebSocketHandler<SocketData>;
  /** Does what the commands of this machine ask for. */
  obey(order: Order): Promise<Done | Refusal>;
  /** Releases who waits, closes every socket, stops the ticker and stores what has changed. Idempotent. */
  stop(): Promise<void>;
}

/** The request with a whole address, without which nobody finds its path: HTTP/1.0 may leave the host out. */
const addressed = (request: Request): Request =>
  request.url.startsWith('http') && URL.canParse(request.url)
    ? request
    : new Request(requestUrl(request)?.href ?? 'http://localhost/', request);

/**
 * Assembles the coordinator, takes up the sessions that the database knows of, and starts its ticker. `host_name` is this
 * machine's. Without a site it serves no pages. Rejects with Unavailable.
 */
export const startCoordinator = async (
  services: CatalogueServices,
  host_name: string,
  site?: Site,
): Promise<Coordinator> => {
  const { bus, store, clock, log } = services;
  const world = await openWorld(services);
  const catalogue = followCatalogue(world, () => letGo(world));
  const waiting = createWaiting(world, clock);
  const agents = createAgents(world);
  const rates = createRateLimits(store, clock, bus);
  const clients = createClients(world, (network) => rates.take('start', network));
  const passwords = createPasswords();
  const silence = tellDraining(world);
  const measureLag = createLagMeter(world.meters, bounds.tick_ms, clock.monotonic());
  let stopped = false;
  const app = createApp({
    world,
    waiting,
    agents,
    clients,
    rates,
    passwords,
    // The edit is stored; the next look at the database brings it into force if this one fails, which is logged.
    catalogueChanged: () => catalogue.changed().catch(() => undefined),
    stopping: () => stopped,
    host_name,
    site,
  });

  const refuseFlood = refuseFloods(world, rates);
  const deliveries = createDeliveries(
    services,
    sendToTargets(() => store.configuration().webhook_private_targets),
  );
  const bookings = bookingNeeds(world);
  const lease = createLease(services);
  await lease.renew();
  const orphans = createOrphans(world, lease);
  const follower = createFollower(world, () => background.nudge('follower'));
  const background: Background = createBackground(log, {
    lease: () => lease.renew().then(orphans),
    links: createLinkRows(world),
    follower: follower.look,
    elsewhere: createElsewhere(world),
    extensions: () => offerExtensions(world),
    queue: () => moveQueue(world),
    knocks: createDoor(world),
    bookings: () => tickBookings(bookings),
    evacuations: createEvacuations(world),
    warm: createWarmWishes(world),
    sweep: createSweep(world, removals),
    looks: createLooks(world),
    erasures: createErasures(world, clients.leave),
  });
  const deafen = serveNeighbours(world);
  sayPresent(world);
  const stopTicker = clock.every(bounds.tick_ms, () => {
    measureLag(clock.monotonic());
    store.tick();
    catalogue.tick();
    agents.tick();
    clients.tick();
    tick(world);
    background.tick();
    sayPresent(world);
    void deliveries.tick();
  });

  return {
    websocket: socketHandler(log, clock),
    async obey(order) {
      const result = await carryOut(services, passwords, order);
      if (order.order === 'enrol') await catalogue.changed();
      return result;
    },
    async fetch(request, server) {
      let upgraded = false;
      const socket = server.requestIP(request)?.address ?? 'unknown';
      const forwarded = request.headers.get('x-forwarded-for');
      const remote = callerAddress(forwarded, socket, store.configuration().trusted_proxy_hops);
      const network = networkOf(remote);
      const asked = addressed(request);
      const flood = refuseFlood(asked, network);
      if (flood !== undefined) return flood;
      const response = await app.fetch(asked, {
        socket,
        network,
        upgrade(data) {
          upgraded = server.upgrade(request, { data: { ...data, remote } });
          return upgraded;
        },
      });
      return upgraded ? undefined : response;
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      stopTicker();
      follower.stop();
      deafen();
      silence();
      waiting.stop();
      clients.stop();
      agents.stop();
      await background.stop();
      await deliveries.stop();
      await catalogue.stop();
      store.close();
      await world.saver.stop();
    },
  };
};
