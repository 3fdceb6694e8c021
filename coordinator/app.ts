import type { Server, WebSocketHandler } from 'bun';
import { networkOf } from '../shared/network.ts';
import { type SocketData, socketHandler } from '../shared/socket.ts';
import { removeExpired, sweep_ms } from './broker/expiry.ts';
import { tick } from './broker/fleet.ts';
import { createGuesses } from './broker/guesses.ts';
import { createPasswords } from './broker/passwords.ts';
import type { Services } from './broker/services.ts';
import { createWorld } from './broker/world.ts';
import { createApp } from './http/app.ts';
import { createWaiting } from './http/waiting.ts';
import { bounds } from './limits.ts';
import { createAgents } from './ws/agents.ts';
import { createClients } from './ws/clients.ts';

/** The coordinator without its port: whoever listens passes requests and sockets on. */
export interface Coordinator {
  /** Answers a request; undefined when it has become a WebSocket. */
  fetch(request: Request, server: Server<SocketData>): Promise<Response | undefined>;
  readonly websocket: WebSocketHandler<SocketData>;
  /** Releases who waits, closes every socket, stops the ticker and closes the store. Idempotent. */
  stop(): void;
}

/** Assembles the coordinator and starts its ticker. */
export const startCoordinator = (services: Services): Coordinator => {
  const { store, clock, log } = services;
  const world = createWorld(services);
  const guesses = createGuesses(clock, log);
  const waiting = createWaiting(world, clock);
  const agents = createAgents(world);
  const clients = createClients(world, guesses);
  const passwords = createPasswords();
  let stopped = false;
  const app = createApp({ world, guesses, waiting, agents, clients, passwords, stopping: () => stopped });

  const stopTicker = clock.every(bounds.tick_ms, () => {
    store.tick();
    agents.tick();
    tick(world);
  });

  const stopSweeper = clock.every(sweep_ms, () => {
    removeExpired(services).catch((error: unknown) => log.warn({ error }, 'what has expired stays for now'));
  });

  return {
    websocket: socketHandler(log, clock),
    async fetch(request, server) {
      let upgraded = false;
      const response = await app.fetch(request, {
        network: networkOf(server.requestIP(request)?.address ?? 'unknown'),
        upgrade(data) {
          upgraded = server.upgrade(request, { data });
          return upgraded;
        },
      });
      return upgraded ? undefined : response;
    },
    stop() {
      if (stopped) return;
      stopped = true;
      stopTicker();
      stopSweeper();
      waiting.stop();
      clients.stop();
      agents.stop();
      store.close();
    },
  };
};
