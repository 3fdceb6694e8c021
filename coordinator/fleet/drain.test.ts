import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { agentCheckSchema, drainedSchema } from '../../shared/protocol/agent-check.ts';
import { memoryDatabase } from '../testing/database.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { hostRow } from '../testing/rows.ts';
import { keyOf } from '../testing/store.ts';
import { worldUnderTest } from '../testing/world.ts';
import { drainByHost, drainingOf, tellDraining } from './drain.ts';
import { changeHost } from './hosts.ts';

setDefaultTimeout(60_000);

const path = '/agent/draining?server_name=a';
const say = async (rig: Rig, draining: boolean) =>
  (await rig.get(drainedSchema, rig.request('POST', path, { token: keyOf('a'), body: { draining } })))
    .draining;

test('drainingOf() tells the word of a host from that of an operator', () => {
  const row = hostRow('a', { draining_cards: '[1]' });
  expect(drainingOf(row)).toEqual({ by: null, cards: [1] });
  expect(drainingOf({ ...row, draining: true })).toEqual({ by: 'operator', cards: [1] });
  expect(drainingOf({ ...row, draining: true, drained_by_host_at: 5 })).toEqual({ by: 'host', cards: [1] });
  // What a coordinator of the release before has lifted.
  expect(drainingOf({ ...row, drained_by_host_at: 5 }).by).toBeNull();
});

describe('drainByHost()', () => {
  test('drainByHost() lets no session start there until it is taken back, over restarts of coordinator and agent', async () => {
    const db = memoryDatabase();
    {
      await using rig = await startRig({}, db);
      const agent = await rig.host({ apps: ['Loft'], seats: 1 });
      expect(await say(rig, true)).toEqual({ by: 'host', cards: [] });
      expect(await say(rig, true)).toEqual({ by: 'host', cards: [] });
      expect(await rig.refused(rig.request('POST', '/api/v1/sessions', { body: { app: 'Loft' } }))).not.toBe(
        '',
      );
      await agent.heartbeat();
    }
    await using rig = await startRig({}, db);
    const agent = await rig.agent({ apps: ['Loft'], seats: 1 });
    expect((await agent.next('WELCOME')).draining).toEqual({ by: 'host', cards: [] });
    const check = () =>
      rig.get(agentCheckSchema, rig.request('GET', '/agent/check?server_name=a', { token: keyOf('a') }));
    expect(await check()).toMatchObject({ draining: true, drained_by: 'host' });
    expect(await say(rig, false)).toEqual({ by: null, cards: [] });
    expect(await check()).toMatchObject({ draining: false, drained_by: null });
    const [member] = await Promise.all([rig.create(), agent.launch()]);
    expect(member.session.app).toBe('Loft');
  });

  test('drainByHost() takes nothing back that an operator has said, and an operator lifts both', async () => {
    const { world } = await worldUnderTest();
    const { db } = world;
    const operator = async (draining: boolean) => {
      const { version } = (await db.read(({ hosts }) => hosts.get({ name: 'a' }))) ?? { version: 0 };
      return changeHost(world, 'anna', 'a', version, { draining });
    };
    await operator(true);
    expect(await drainByHost(world, 'a', false)).toEqual({ by: 'operator', cards: [] });
    expect(await drainByHost(world, 'a', true)).toEqual({ by: 'operator', cards: [] });
    await operator(false);
    expect((await drainByHost(world, 'a', true))?.by).toBe('host');
    // Said again by an operator it is no longer the host's to take back.
    await operator(true);
    expect((await drainByHost(world, 'a', false))?.by).toBe('operator');
    await operator(false);
    await drainByHost(world, 'a', true);
    await operator(false);
    expect((await drainByHost(world, 'a', false))?.by).toBeNull();
    expect(await drainByHost(world, 'nobody', true)).toBeUndefined();
    const noted = await db.read(({ audit }) => audit.find({ actor: 'host' }));
    expect(noted.map(({ detail }) => detail)).toEqual(Array(2).fill('{"draining":true}'));
  });

  test('drainByHost() over HTTP wants the key of that very host', async () => {
    await using rig = await startRig();
    const code = (to: string, token: string, body: unknown = { draining: true }) =>
      rig.refused(rig.request('POST', to, { token, body }));
    expect(await code(path, keyOf('b'))).toBe('agent_key_wrong');
    expect(await code('/agent/draining?server_name=z', keyOf('a'))).toBe('agent_key_wrong');
    expect(await code(path, keyOf('a'), {})).toBe('malformed');
    expect(await code(path, keyOf('a'), { draining: 'yes' })).toBe('malformed');
    expect(await code('/agent/draining', keyOf('a'))).toBe('malformed');
    expect(await code(path, keyOf('a'), { draining: true, more: 'x'.repeat(2_000_000) })).toBe(
      'frame_too_large',
    );
  });
});

test(`${tellDraining.name}() tells a connected agent that takes it, once, and no other`, async () => {
  await using rig = await startRig();
  const [knows, older] = [await rig.agent({ drains: true }), await rig.agent({ server_name: 'b' })];
  expect((await knows.next('WELCOME')).draining).toEqual({ by: null, cards: [] });
  await older.next('WELCOME');
  await say(rig, true);
  expect((await knows.next('DRAINING')).draining).toEqual({ by: 'host', cards: [] });
  await say(rig, true);
  await say(rig, false);
  expect((await knows.next('DRAINING')).draining).toEqual({ by: null, cards: [] });
  await rig.request('POST', '/agent/draining?server_name=b', { token: keyOf('b'), body: { draining: true } });
  // A message that it does not know would have closed the link.
  await older.heartbeat();
});
