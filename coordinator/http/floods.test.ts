import { describe, expect, test } from 'bun:test';
import { problemSchema } from '../../shared/protocol/http.ts';
import { appUnderTest } from '../testing/app.ts';
import { refuseFloods } from './floods.ts';

describe(`${refuseFloods.name}()`, () => {
  test('refuseFloods() answers as the routes do, and only who has used its share up', async () => {
    const partner = 'https://partner.example';
    const patch = { public_url: 'https://vitrina.example', allowed_origins: [partner] };
    const under = await appUnderTest({ ...patch, requests_burst: 2, requests_per_second: 1 });
    const refuse = refuseFloods(under.world, under.rates);
    const asked = (headers: Record<string, string> = {}) =>
      new Request('https://vitrina.example/api/v1/apps', { headers });
    const route = () => under.request('https://vitrina.example/api/v1/apps');
    for (const status of [200, 200]) {
      expect(refuse(asked(), '127.0.0.1')).toBeUndefined();
      expect((await route()).status).toBe(status);
    }
    const [early, late] = [refuse(asked(), '127.0.0.1'), await route()];
    const { vary, ...wanted } = Object.fromEntries(late.headers);
    expect([early?.status, Object.fromEntries(early?.headers ?? [])]).toEqual([429, wanted]);
    expect(vary).toBe('Origin');
    expect(problemSchema.parse(await early?.json())).toEqual(problemSchema.parse(await late.json()));
    expect(refuse(asked(), '192.0.2.1')).toBeUndefined();
    expect(refuse(asked({ Origin: partner }), '127.0.0.1')).toBeUndefined();
    expect(refuse(new Request('https://vitrina.example/docs'), '127.0.0.1')).toBeUndefined();
    const metrics = await (await under.request('https://vitrina.example/metrics')).text();
    expect(metrics).toContain('coordinator_refusals_total{code="too_many_messages"} 2');
    under.clock.advance(1_000);
    expect(refuse(asked(), '127.0.0.1')).toBeUndefined();
  });
});
