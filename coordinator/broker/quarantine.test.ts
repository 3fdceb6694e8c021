import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { errors } from '../../shared/errors.ts';
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
});
