import { expect, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { errors } from '../../shared/errors.ts';
import { participationSchema, ticketSchema } from '../../shared/protocol/http.ts';
import { startCutter } from '../../shared/testing/cutter.ts';
import { bounds } from '../kit/limits.ts';
import { startCoordinatorProcess } from '../testing/coordinator-process.ts';
import { startEchoHost } from '../testing/echo-host.ts';
import { openSocket } from '../testing/socket.ts';
import { entry, keyOf } from '../testing/store.ts';
import { createChannels } from './channels.ts';

/** 20 Mbit/s. */
const downlink = 2_500_000;

test(`${createChannels.name}() keeps a host's slow line free for others while a visitor floods it over 32 connections`, async () => {
  await using coordinator = await startCoordinatorProcess({
    servers: [entry('a', 'Loft')],
    configuration: { starts_per_minute: 1_000, requests_burst: 1_000 },
  });
  const line = await startCutter(coordinator.port, downlink);
  const url = `ws://127.0.0.1:${line.port}/agent`;
  const host = await startEchoHost(url, keyOf('a'), { server_name: 'a', seats: 4, apps: ['Loft'] });
  const post = async (path: string, body?: object, token?: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${coordinator.port}/api/v1/${path}`, {
      method: 'POST',
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  };
  const start = async () => participationSchema.parse(await post('sessions', { app: 'Loft' }));
  const connect = async ({ session, participant_token }: Awaited<ReturnType<typeof start>>) => {
    let issued: unknown;
    while (issued === undefined) {
      issued = await post(`sessions/${session.id}/tickets`, undefined, participant_token).catch((error) => {
        if (!String(error).includes('session_not_ready')) throw error;
      });
    }
    return openSocket(ticketSchema.parse(issued).signalling_url);
  };
  try {
    const honest = await connect(await start());
    const owner = await start();
    const flooders = [owner];
    while (flooders.length < 32 / bounds.channels_per_participant) {
      flooders.push(participationSchema.parse(await post('join', { code: owner.session.code })));
    }
    const sockets = [];
    for (const one of flooders) {
      for (let number = 0; number < bounds.channels_per_participant; number++)
        sockets.push(await connect(one));
    }

    let asked = 0;
    let slowest_ms = 0;
    const echo = async () => {
      const text = `echo ${asked++}`;
      const from = systemClock.monotonic();
      honest.send(text);
      await honest.next(text, (frame) => frame === text || undefined);
      slowest_ms = Math.max(slowest_ms, systemClock.monotonic() - from);
    };
    await echo();
    const closes = sockets.map((socket) => socket.closed());
    const frame = 'x'.repeat(60 * 1024);
    for (const socket of sockets) for (let sent = 0; sent < 40; sent++) socket.send(frame);
    let flooding = true;
    const ended = Promise.all(closes).then((all) => {
      flooding = false;
      return all;
    });
    while (flooding) await echo();
    for (const { code } of await ended) expect(code).toBe(errors.too_many_messages.close);
    await echo();
    expect(honest.rest()).toEqual([]);
    expect(host.ended()).toBeUndefined();
    // What one session may send at once takes less than a second on such a line; a test's machine may be slow itself.
    expect(host.bytes()).toBeLessThan(3 * bounds.session_bytes_burst);
    expect(slowest_ms).toBeLessThan(10_000);
  } finally {
    host.stop();
    await line.stop();
  }
}, 120_000);
