import { Hono } from 'hono';
import type { World } from '../broker/world.ts';
import { isConnected } from '../domain/host.ts';
import type { Env } from './env.ts';

/** `/healthz`: the process answers. `/readyz`: it can do its work; says which part cannot. */
export const healthRoutes = (world: World, stopping: () => boolean): Hono<Env> =>
  new Hono<Env>()
    .get('/healthz', (c) => c.json({ ok: true }))
    .get('/readyz', (c) => {
      const store = world.store.health();
      const process = stopping() ? { ok: false, note: 'shutting down' } : { ok: true };
      const ok = store.ok && process.ok;
      const hosts = [...world.hosts.values()].filter(isConnected).length;
      return c.json({ ok, parts: { store, process }, hosts_connected: hosts }, ok ? 200 : 503);
    });
