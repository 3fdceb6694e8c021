import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { version } from '../../package.json';
import { agentCheckSchema } from '../../shared/protocol/agent-check.ts';
import { AGENT_LINK_VERSION } from '../../shared/protocol/agent-link.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import { appUnderTest } from '../testing/app.ts';
import { startRig } from '../testing/rig.ts';
import { keyOf } from '../testing/store.ts';
import { agentCheckRoutes } from './http-agent.ts';

setDefaultTimeout(60_000);
const path = '/agent/check?server_name=a';

describe(`${agentCheckRoutes.name}()`, () => {
  test('agentCheckRoutes() tells the host its versions, its time and its own TURN credential', async () => {
    const turn = { urls: ['turn:turn.example:3478'], secret_file: 'turn.secret', ttl_seconds: 600 };
    const under = await appUnderTest({ turn });
    under.store.secrets.set('turn', 'north');
    const look = async () =>
      agentCheckSchema.parse(await (await under.request(path, { token: keyOf('a') })).json());
    const found = await look();
    expect(found).toMatchObject({ version, time: under.clock.now(), connected: false, draining: false });
    expect(found.protocols.newest).toBe(AGENT_LINK_VERSION);
    const [relay] = found.ice_servers;
    const [expires, user] = relay?.username?.split(':') ?? [];
    expect(Number(expires)).toBe(Math.floor(under.clock.now() / 1_000) + 150);
    expect(user).toMatch(/^host\.[\w-]{16}$/);
    expect(under.recorded.text()).not.toContain(relay?.credential ?? 'north');
  });

  test('agentCheckRoutes() refuses a wrong key, a missing one and an unknown host alike, and counts them', async () => {
    const under = await appUnderTest({ starts_per_minute: 5 });
    const code = async (to: string, token?: string) => {
      const response = await under.request(to, token === undefined ? {} : { token });
      return [response.status, problemSchema.parse(await response.json()).code];
    };
    expect(await code(path, keyOf('b'))).toEqual([401, 'agent_key_wrong']);
    expect(await code('/agent/check?server_name=z', keyOf('a'))).toEqual([401, 'agent_key_wrong']);
    expect(await code(path)).toEqual([401, 'unauthorized']);
    expect(await code('/agent/check', keyOf('a'))).toEqual([400, 'malformed']);
    expect(await code('/agent/check?server_name=%00', keyOf('a'))).toEqual([400, 'malformed']);
    expect(await code(path, keyOf('a'))).toEqual([429, 'too_many_messages']);
    expect(under.recorded.text()).not.toContain(keyOf('b'));
  });

  test('agentCheckRoutes() sees the link of the running agent and does not disturb it', async () => {
    await using rig = await startRig();
    const check = async () => rig.get(agentCheckSchema, rig.request('GET', path, { token: keyOf('a') }));
    expect((await check()).connected).toBe(false);
    const agent = await rig.host();
    expect((await check()).connected).toBe(true);
    await agent.heartbeat();
    expect((await check()).connected).toBe(true);
    expect(rig.recorded.messages('warn')).not.toContain('a second connection of the host replaces the first');
  });
});
