import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { errors } from '../../shared/errors.ts';
import { bounds } from '../kit/limits.ts';
import { memoryDatabase } from '../testing/database.ts';
import { startRig } from '../testing/rig.ts';
import { webhookRow } from '../testing/rows.ts';
import { entry } from '../testing/store.ts';
import { quarantineHost } from './quarantine.ts';

setDefaultTimeout(60_000);
const { close } = errors.host_quarantined;

describe(`${quarantineHost.name}()`, () => {
  test('quarantineHost() refuses both machines of one identity, after a restart of the coordinator too', async () => {
    const db = memoryDatabase();
    const events = '["host.quarantined"]';
    await db.transact(({ webhooks }) => webhooks.insert(webhookRow(1, { events })));
    {
      await using rig = await startRig({}, db);
      const a = await rig.host({ life: 'life-a' });
      const member = await rig.session(a);
      const sessions = [{ session_id: member.session.id, generation: 1, state: 'ready' as const }];
      const b = await rig.host({ life: 'life-b', sessions });
      expect((await a.closed()).code).toBe(errors.agent_superseded.close);
      expect((await (await rig.agent({ life: 'life-a', sessions })).closed()).code).toBe(close);
      expect((await b.closed()).code).toBe(close);
      for (const life of ['life-a', 'life-b', 'life-c']) {
        expect((await (await rig.agent({ life, sessions })).closed()).code).toBe(close);
      }
      expect(await rig.phase(member)).toBe('ready'); // its host is away, and may come back
      const body = { app: 'Loft' };
      expect(await rig.refused(rig.request('POST', '/api/v1/sessions', { body }))).toBe('app_offline');
    }
    const [audited, told, host] = await db.read(async ({ audit, outbox, hosts }) => [
      await audit.find({ action: 'host.quarantined' }),
      await outbox.find({}),
      await hosts.get({ name: 'a' }),
    ]);
    expect(audited.map(({ actor, subject }) => [actor, subject])).toEqual([['coordinator', 'a']]);
    expect(told.map(({ event, body }) => [event, JSON.parse(body).data])).toEqual([
      ['host.quarantined', { host: 'a' }],
    ]);
    expect(host?.quarantined_at).toBeNumber();
    await using rig = await startRig({}, db);
    expect((await (await rig.agent({ life: 'life-d' })).closed()).code).toBe(close);
    // A new key in servers.json is a new identity.
    rig.store.edit([{ ...entry('a', 'Loft'), key: 'another-key-for-a' }]);
    const welcomed = async (): Promise<boolean> => {
      const agent = await rig.agent({ life: 'life-d' }, 'another-key-for-a');
      const first = await Promise.race([agent.next('WELCOME'), agent.closed()]);
      return 'msg' in first;
    };
    // The edit is taken up in the background.
    let tries = 0;
    while (!(await welcomed())) tries += 1;
    expect(tries).toBeLessThan(1_000);
  });

  test('quarantineHost() never happens to restarts, redials, links that died unseen, and agents that draw no life', async () => {
    await using rig = await startRig();
    const lives = ['1', '1', '2', '2', '3', '4', undefined, '5', undefined, '4'];
    for (const life of lives) await rig.host(life === undefined ? {} : { life });
    for (const life of ['6', '6', '7']) {
      const agent = await rig.host({ life });
      await agent.heartbeat();
      agent.close(1000, 'bye');
      await agent.closed();
    }
    expect(rig.recorded.text()).not.toContain('two machines');
  });

  test('quarantineHost() comes before a clone without sessions ends those of the original, which has them again when it is let in', async () => {
    await using rig = await startRig();
    const original = await rig.host({ life: 'life-a' });
    const member = await rig.session(original);
    const sessions = [{ session_id: member.session.id, generation: 1, state: 'ready' as const }];
    const clone = await rig.host({ life: 'life-b' });
    expect((await original.closed()).code).toBe(errors.agent_superseded.close);
    await rig.pass(40_000, clone);
    expect(await rig.phase(member)).toBe('ready');
    const refused = await rig.agent({ life: 'life-a', sessions });
    expect([(await refused.closed()).code, (await clone.closed()).code]).toEqual([close, close]);
    await rig.pass(bounds.host_doubt_ms);
    expect(await rig.phase(member)).toBe('ready');
    const ticket = () =>
      rig.request('POST', `/api/v1/sessions/${member.session.id}/tickets`, {
        token: member.participant_token,
      });
    expect(await rig.refused(ticket())).toBe('host_offline');
    // A new key lets the right one in.
    rig.store.edit([{ ...entry('a', 'Loft'), key: 'another-key-for-a' }]);
    const back = async () => {
      const agent = await rig.agent({ life: 'life-a', sessions }, 'another-key-for-a');
      const first = await Promise.race([agent.next('WELCOME'), agent.closed()]);
      return 'msg' in first ? agent : undefined;
    };
    let agent = await back();
    while (agent === undefined) agent = await back();
    await rig.pass(bounds.host_doubt_ms, agent);
    await rig.player(agent, member);
  });

  test('quarantineHost() that does not happen: what the newcomer lacks ends, and its seat is free', async () => {
    await using rig = await startRig();
    const first = await rig.host({ life: 'life-a', seats: 1 });
    const member = await rig.session(first);
    const second = await rig.host({ life: 'life-b', seats: 1 });
    await first.closed();
    const create = () => rig.request('POST', '/api/v1/sessions', { body: { app: 'Loft' } });
    await rig.pass(bounds.host_doubt_ms - 1_000, second);
    expect([await rig.phase(member), await rig.refused(create())]).toEqual(['ready', 'servers_busy']);
    await rig.pass(2_000, second);
    const token = member.participant_token;
    const { body } = await rig.request('GET', `/api/v1/sessions/${member.session.id}`, { token });
    expect(body).toMatchObject({ phase: 'ended', end: { reason: 'host_forgot' } });
    expect((await create()).status).toBe(201);
  });
});
